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
#include "thread.h"
#include "unpack.h"

/* Files that wait to be looked at, at most. */
#define WAITING_MAX 1024u
/* As many as a reader keeps (SPEC.md 2.5). */
#define EXES_MAX (1u << 20)
#define RECORD_EXES 256u	/* in a record, at most */
/* Files that may go by before one that none of them names is forgotten: parcels are on the way. */
#define FORGET_AFTER 64u

struct binary {
	struct et_exe is;
	struct binary *next;	/* that waits */
	uint64_t number;	/* as noted */
	uint64_t file;		/* the last that names it */
	uint32_t pid;		/* where it ran */
	bool done;		/* nothing of it changes any more */
};

/* By number, open addressing. One that is in the only file has no binary any more. */
struct slot {
	uint64_t number;	/* 0: free */
	struct binary *is;
};

struct binaries {
	pthread_t thread;
	int proc;			/* /proc/self */
	int servant;			/* that looks; -1: the thread itself does */
	bool mute;			/* the thread's: it answers no more */
	bool again;
	uint64_t seed;

	/* The writer's. */
	struct id_set wanted, written;	/* numbers that the file names, and that are in it */
	uint64_t *pending;		/* wanted and not in it */
	uint32_t n_pending, size_pending;

	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct slot *slots;		/* with the lock, and all below */
	uint32_t used, size;		/* size: a power of two, or 0 */
	uint64_t file;
	struct binary *waiting, **tail;
	unsigned n_waiting;
	struct binary *busy;		/* the thread looks at it; NULL: at none */
	struct et_exe looked_at;	/* that one, as it was before */
	bool over;			/* it is to end */
};

/* ---- The table ------------------------------------------------------------------ */

static struct slot *slot_of(struct slot *slots, uint32_t size, uint64_t number)
{
	uint32_t at = (uint32_t)(number >> 32) & (size - 1);

	while (slots[at].number && slots[at].number != number)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

/* Room for one more at a load of at most a half. */
static bool grow(struct binaries *x)
{
	uint32_t size = x->size ? x->size * 2 : 256;
	struct slot *slots;

	if (x->used < x->size / 2)
		return true;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i < x->size; i++)
		if (x->slots[i].number)
			*slot_of(slots, size, x->slots[i].number) = x->slots[i];
	free(x->slots);
	x->slots = slots;
	x->size = size;
	return true;
}

static struct binary *find(const struct binaries *x, uint64_t number)
{
	return x->size ? slot_of(x->slots, x->size, number)->is : NULL;
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

static void binary_free(struct binary *e)
{
	if (!e)
		return;
	free((void *)(uintptr_t)e->is.build_id.ptr);
	free((void *)(uintptr_t)e->is.interpreter.ptr);
	free(e);
}

/* Those that no file has named for long. With the lock. */
static void forget_old(struct binaries *x)
{
	struct slot *old = x->slots;
	uint32_t size = x->size;

	x->slots = NULL;
	x->used = x->size = 0;
	for (uint32_t i = 0; i < size; i++) {
		struct binary *e = old[i].is;

		if (!e || (e->done && e->file + FORGET_AFTER < x->file)) {
			binary_free(e);
		} else if (grow(x)) {
			*slot_of(x->slots, x->size, old[i].number) = old[i];
			x->used++;
		}
	}
	free(old);
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

static void binaries_main(void *arg)
{
	struct binaries *x = arg;

	pthread_mutex_lock(&x->lock);
	for (;;) {
		struct binary *e;

		while (!x->waiting && !x->over)
			pthread_cond_wait(&x->work, &x->lock);
		if (x->over)
			break;
		e = x->waiting;
		x->waiting = e->next;
		if (!x->waiting)
			x->tail = &x->waiting;
		x->n_waiting--;
		x->busy = e;
		x->looked_at = e->is;
		pthread_mutex_unlock(&x->lock);

		look(x, e);

		pthread_mutex_lock(&x->lock);
		e->done = true;
		x->busy = NULL;
		if (!x->waiting)
			pthread_cond_signal(&x->idle);
	}
	pthread_mutex_unlock(&x->lock);
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
	hash = mix(mix(mix(hash, e->size), (uint64_t)e->mtime), e->known);
	return hash ? hash : 1;
}

/* With the lock. */
static void insert(struct binaries *x, uint64_t number, const struct et_exe *is, uint32_t pid)
{
	struct binary *e = x->used < EXES_MAX && grow(x) ? binary_new(is) : NULL;

	if (!e)
		return;
	e->number = number;
	e->file = x->file;
	e->pid = pid;
	*slot_of(x->slots, x->size, number) = (struct slot){ number, e };
	x->used++;
	if (x->n_waiting == WAITING_MAX) {
		e->done = true;
		return;
	}
	*x->tail = e;
	x->tail = &e->next;
	x->n_waiting++;
	pthread_cond_signal(&x->work);
}

void binaries_note(struct binaries *x, struct ids *ids, const struct et_event *ev,
		   const struct unpack_stamp *stamp)
{
	struct et_exe is = { .known = ET_EXE_DEV | ET_EXE_INODE };
	struct slot *slot;
	uint64_t number;

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
	number = hash_of(x, &is);
	if (!ids_add(ids, ID_EXE, number))
		return;
	pthread_mutex_lock(&x->lock);
	slot = x->size ? slot_of(x->slots, x->size, number) : NULL;
	if (!slot || !slot->number)
		insert(x, number, &is, (uint32_t)ev->v[ET_F_PID].u);
	else if (slot->is)
		slot->is->file = x->file;
	pthread_mutex_unlock(&x->lock);
}

/* ---- Writing ---------------------------------------------------------------------- */

static void want(struct binaries *x, uint64_t number)
{
	if (!id_set_add(&x->wanted, number))
		return;
	if (x->n_pending == x->size_pending) {
		uint32_t size = x->size_pending ? x->size_pending * 2 : 64;
		uint64_t *pending = realloc(x->pending, size * sizeof(*pending));

		if (!pending)
			return;
		x->pending = pending;
		x->size_pending = size;
	}
	x->pending[x->n_pending++] = number;
}

void binaries_want(struct binaries *x, const struct ids *ids)
{
	for (uint32_t i = 0; i < ids->n; i++)
		if (ids->v[i].kind == ID_EXE)
			want(x, ids->v[i].id);
}

/* Takes up to RECORD_EXES of those that are done out of what is pending from *at on. */
static unsigned take_done(struct binaries *x, uint32_t *at, uint32_t *kept,
			  struct binary *done[RECORD_EXES])
{
	unsigned n = 0;

	pthread_mutex_lock(&x->lock);
	for (; *at < x->n_pending && n < RECORD_EXES; ++*at) {
		struct binary *e = find(x, x->pending[*at]);

		if (e && e->done)
			done[n++] = e;
		else if (e)
			x->pending[(*kept)++] = x->pending[*at];
	}
	pthread_mutex_unlock(&x->lock);
	return n;
}

/* What is in the only file is not needed any more, but that it is. */
static void let_go(struct binaries *x, struct binary *const done[], unsigned n)
{
	pthread_mutex_lock(&x->lock);
	for (unsigned i = 0; i < n && !x->again; i++) {
		slot_of(x->slots, x->size, done[i]->number)->is = NULL;
		binary_free(done[i]);
	}
	pthread_mutex_unlock(&x->lock);
}

static int put(struct binaries *x, struct binary *const some[], unsigned n, struct et_writer *w,
	       struct et_error *err)
{
	struct et_exe out[RECORD_EXES];
	size_t n_out = 0;

	for (unsigned i = 0; i < n; i++) {
		/* The same may have been noted twice, with its size and without. */
		if (id_set_add(&x->written, hash_of(x, &some[i]->is)))
			out[n_out++] = some[i]->is;
	}
	return et_writer_exes(w, out, n_out, err);
}

int binaries_write(struct binaries *x, struct et_writer *w, struct et_error *err)
{
	struct binary *done[RECORD_EXES];
	uint32_t at = 0, kept = 0;
	int code = ET_OK;
	unsigned n;

	while ((n = take_done(x, &at, &kept, done))) {
		if (code == ET_OK)
			code = put(x, done, n, w, err);
		let_go(x, done, n);
	}
	x->n_pending = kept;
	return code;
}

static void wait_idle(struct binaries *x, unsigned patience)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += patience / 1000;
	until.tv_nsec += (long)(patience % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&x->lock);
	while ((x->waiting || x->busy) && pthread_cond_timedwait(&x->idle, &x->lock, &until) == 0)
		;
	pthread_mutex_unlock(&x->lock);
}

/* A copy of one that is not done, as it was noted: the thread may begin on it at any time. */
static struct binary *copy_undone(struct binaries *x, uint64_t number)
{
	struct binary *e, *copy = NULL;

	pthread_mutex_lock(&x->lock);
	e = find(x, number);
	if (e)
		copy = binary_new(e == x->busy ? &x->looked_at : &e->is);
	pthread_mutex_unlock(&x->lock);
	return copy;
}

int binaries_write_rest(struct binaries *x, unsigned patience, struct et_writer *w,
			struct et_error *err)
{
	int code = ET_OK;

	if (!x->n_pending)
		return ET_OK;
	wait_idle(x, patience);
	code = binaries_write(x, w, err);
	for (uint32_t i = 0; i < x->n_pending && code == ET_OK; i++) {
		struct binary *copy = copy_undone(x, x->pending[i]);

		if (copy)
			code = put(x, &copy, 1, w, err);
		binary_free(copy);
	}
	x->n_pending = 0;
	return code;
}

void binaries_restart(struct binaries *x)
{
	id_set_free(&x->wanted);
	id_set_free(&x->written);
	x->n_pending = 0;
	pthread_mutex_lock(&x->lock);
	x->file++;
	forget_old(x);
	pthread_mutex_unlock(&x->lock);
}

/* ---- Beginning and end ------------------------------------------------------------ */

struct binaries *binaries_new(int servant, bool again)
{
	struct binaries *x = calloc(1, sizeof(*x));
	pthread_condattr_t monotonic;
	int ret;

	if (!x)
		return NULL;
	x->servant = servant;
	x->again = again;
	x->tail = &x->waiting;
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
	ret = x->proc < 0 ? errno
			  : thread_start(&x->thread, servant < 0 ? LOOK_PRIVILEGE : 0, binaries_main, x);
	if (!ret)
		return x;
	if (x->proc >= 0)
		close(x->proc);
	free(x);
	errno = ret;
	return NULL;
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
	for (uint32_t i = 0; i < x->size; i++)
		binary_free(x->slots[i].is);
	free(x->slots);
	free(x->pending);
	id_set_free(&x->wanted);
	id_set_free(&x->written);
	close(x->proc);
	free(x);
}
