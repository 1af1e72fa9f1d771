/* SPDX-License-Identifier: BSD-2-Clause */
#include "binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "elfinfo.h"
#include "look.h"
#include "privilege.h"
#include "unpack.h"

/* Files that wait to be looked at, at most. */
#define WAITING_MAX 1024u
/* As many as a reader keeps (SPEC.md 2.5). */
#define EXES_MAX (1u << 20)
#define FINISH_SECONDS 2
#define RECORD_EXES 256u	/* in a record, at most */

struct list {
	struct binary *head, **tail;
};

struct binaries {
	pthread_t thread;
	int proc;			/* /proc/self */
	int servant;			/* that looks; -1: the thread itself does */
	bool mute;			/* the thread's: it answers no more */

	uint64_t seed;
	struct id_set written;		/* the side that takes */

	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct list waiting, done;	/* with the lock, and all below */
	unsigned n_waiting;
	bool busy;			/* the thread looks at one, */
	struct et_exe looked_at;	/* this one, as it was before */
	bool over;			/* it is to end */
	bool begun;			/* it has dropped its privilege, or could not */
	int drop_error;
};

static void append(struct list *l, struct binary *e)
{
	e->next = NULL;
	*l->tail = e;
	l->tail = &e->next;
}

static struct binary *take_all(struct list *l)
{
	struct binary *e = l->head;

	l->head = NULL;
	l->tail = &l->head;
	return e;
}

static struct binary *take_one(struct list *l)
{
	struct binary *e = l->head;

	l->head = e->next;
	if (!l->head)
		l->tail = &l->head;
	return e;
}

/* A copy with a path of its own, and without further strings. */
static struct binary *binary_new(const struct et_exe *is)
{
	struct binary *e = calloc(1, sizeof(*e) + is->path.len);
	char *text = (char *)(e + 1);

	if (!e)
		return NULL;
	memcpy(text, is->path.ptr, is->path.len);
	e->is = *is;
	e->is.path.ptr = text;
	return e;
}

void binary_free(struct binary *e)
{
	if (!e)
		return;
	free((void *)(uintptr_t)e->is.build_id.ptr);
	free((void *)(uintptr_t)e->is.interpreter.ptr);
	free(e);
}

static void free_list(struct list *l)
{
	struct binary *e;

	while ((e = l->head)) {
		l->head = e->next;
		binary_free(e);
	}
}

static void set_string(struct et_str *s, const void *from, size_t len)
{
	char *copy = len ? malloc(len) : NULL;

	if (!copy)
		return;
	memcpy(copy, from, len);
	*s = (struct et_str){ copy, (uint32_t)len };
}

/* ---- Looking ------------------------------------------------------------------ */

/* With nobody to ask any more, it stays as it was noted. */
static void look(struct binaries *x, struct binary *e)
{
	struct elfinfo elf = { .build_id_len = 0 };

	if (x->mute)
		return;
	if (x->servant < 0)
		look_at(x->proc, e->pid, &e->is, &elf);
	else
		x->mute = !look_ask(x->servant, e->pid, &e->is, &elf);
	set_string(&e->is.build_id, elf.build_id, elf.build_id_len);
	set_string(&e->is.interpreter, elf.interpreter, strlen(elf.interpreter));
}

static void *binaries_main(void *arg)
{
	struct binaries *x = arg;

	int error = x->servant < 0 ? 0 : privilege_drop(0);

	pthread_mutex_lock(&x->lock);
	x->drop_error = error;
	x->begun = true;
	pthread_cond_signal(&x->idle);
	for (;;) {
		struct binary *e;

		while (!x->waiting.head && !x->over)
			pthread_cond_wait(&x->work, &x->lock);
		if (x->over)
			break;
		e = take_one(&x->waiting);
		x->n_waiting--;
		x->busy = true;
		x->looked_at = e->is;
		pthread_mutex_unlock(&x->lock);

		look(x, e);

		pthread_mutex_lock(&x->lock);
		append(&x->done, e);
		x->busy = false;
		if (!x->waiting.head)
			pthread_cond_signal(&x->idle);
	}
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

/* ---- Noting --------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/* Of all that tells one file from another. The seed is ours: nobody can aim at it. */
static uint64_t hash_of(const struct binaries *x, const struct et_exe *e)
{
	struct et_str path = e->path;
	uint64_t hash = mix(x->seed, path.len), part;

	for (; path.len >= sizeof(part); path.ptr += sizeof(part), path.len -= sizeof(part)) {
		memcpy(&part, path.ptr, sizeof(part));
		hash = mix(hash, part);
	}
	part = 0;
	memcpy(&part, path.ptr, path.len);
	hash = mix(hash, part);
	hash = mix(mix(hash, e->dev), e->inode);
	return mix(mix(mix(hash, e->size), (uint64_t)e->mtime), e->known);
}

void binaries_note(struct binaries *x, struct id_set *noted, const struct et_event *ev,
	       const struct unpack_stamp *stamp)
{
	struct et_exe is = { .known = ET_EXE_DEV | ET_EXE_INODE };
	struct binary *e;

	if (!ET_HAS(ev, ET_F_EXE) || !ET_HAS(ev, ET_F_EXE_DEV) || !ET_HAS(ev, ET_F_EXE_INODE))
		return;
	is.path = ev->v[ET_F_EXE].s;
	if (!is.path.len || is.path.len > ET_EXE_TEXT_MAX)
		return;
	is.dev = ev->v[ET_F_EXE_DEV].u;
	is.inode = ev->v[ET_F_EXE_INODE].u;
	if (stamp) {
		is.size = stamp->size;
		is.mtime = stamp->mtime;
		is.known |= ET_EXE_SIZE | ET_EXE_MTIME;
	}
	if (noted->used >= EXES_MAX || !id_set_add(noted, hash_of(x, &is)))
		return;
	e = binary_new(&is);
	if (!e)
		return;
	e->pid = (uint32_t)ev->v[ET_F_PID].u;

	pthread_mutex_lock(&x->lock);
	if (x->n_waiting < WAITING_MAX) {
		append(&x->waiting, e);
		x->n_waiting++;
		pthread_cond_signal(&x->work);
	} else {
		append(&x->done, e);
	}
	pthread_mutex_unlock(&x->lock);
}

/* ---- Taking ----------------------------------------------------------------------- */

struct binary *binaries_take(struct binaries *x)
{
	struct binary *e;

	pthread_mutex_lock(&x->lock);
	e = take_all(&x->done);
	pthread_mutex_unlock(&x->lock);
	return e;
}

int binaries_write(struct binaries *x, struct et_writer *w, struct et_error *err)
{
	struct binary *next = binaries_take(x), *e;
	struct et_exe out[RECORD_EXES];
	struct binary *kept = NULL;
	size_t n = 0;
	int code = ET_OK;

	while ((e = next)) {
		next = e->next;
		/* The same may have been noted twice, with its size and without. */
		if (code == ET_OK && id_set_add(&x->written, hash_of(x, &e->is)))
			out[n++] = e->is;
		e->next = kept;
		kept = e;
		if (n < RECORD_EXES && next)
			continue;
		if (code == ET_OK)
			code = et_writer_exes(w, out, n, err);
		n = 0;
		while ((e = kept)) {
			kept = e->next;
			binary_free(e);
		}
	}
	return code;
}

/* ---- Beginning and end ------------------------------------------------------------ */

/* Once the others are confined, so would be the thread's beginning. */
static int wait_begun(struct binaries *x)
{
	int error;

	pthread_mutex_lock(&x->lock);
	while (!x->begun)
		pthread_cond_wait(&x->idle, &x->lock);
	error = x->drop_error;
	pthread_mutex_unlock(&x->lock);
	return error;
}

struct binaries *binaries_new(int servant)
{
	struct binaries *x = calloc(1, sizeof(*x));
	pthread_condattr_t monotonic;
	int ret;

	if (!x)
		return NULL;
	x->servant = servant;
	x->waiting.tail = &x->waiting.head;
	x->done.tail = &x->done.head;
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->work, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&x->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	x->proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Short of random bytes, the table still works, though somebody could aim at it. */
	if (getrandom(&x->seed, sizeof(x->seed), GRND_NONBLOCK) < 0)
		x->seed = 0;
	ret = x->proc < 0 ? errno : pthread_create(&x->thread, NULL, binaries_main, x);
	if (!ret) {
		ret = wait_begun(x);
		if (!ret)
			return x;
		binaries_free(x);
		errno = ret;
		return NULL;
	}
	if (x->proc >= 0)
		close(x->proc);
	free(x);
	errno = ret;
	return NULL;
}

void binaries_finish(struct binaries *x)
{
	struct timespec until;
	struct binary *e;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += FINISH_SECONDS;
	pthread_mutex_lock(&x->lock);
	while ((x->waiting.head || x->busy) &&
	       pthread_cond_timedwait(&x->idle, &x->lock, &until) == 0)
		;
	if (x->busy && (e = binary_new(&x->looked_at)))
		append(&x->done, e);
	while (x->waiting.head)
		append(&x->done, take_one(&x->waiting));
	x->n_waiting = 0;
	pthread_mutex_unlock(&x->lock);
}

void binaries_free(struct binaries *x)
{
	bool busy;

	if (!x)
		return;
	pthread_mutex_lock(&x->lock);
	x->over = true;
	busy = x->busy;
	pthread_cond_signal(&x->work);
	pthread_mutex_unlock(&x->lock);
	/* All that it has must stay. The end of the process ends it, too. */
	if (busy)
		return;
	pthread_join(x->thread, NULL);
	id_set_free(&x->written);
	free_list(&x->waiting);
	free_list(&x->done);
	close(x->proc);
	free(x);
}
