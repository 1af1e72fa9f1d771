/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "source.h"

/*
 * How often it is looked without being told to: file systems of other machines tell
 * of nothing that these write, and some tell of nothing at all.
 */
#define LOOK_MS 1000
#define LOOK_BLIND_MS 200

/*
 * A writer that gives the name to its next file may still have something for the
 * one before; so long after the last sign of it a capture without END is left.
 */
#define LINGER_MS 2000

/* An open file, or none: fd -1. */
struct opened {
	int fd;
	int watch;		/* of inotify, or -1 */
	dev_t dev;
	ino_t ino;
};

struct follow {
	char *name;		/* for messages */
	char *base;		/* in the directory */
	int dir;		/* O_PATH */
	int notify;		/* inotify, or -1 */
	follow_tell *tell;
	char told[320];		/* last */

	struct opened file;	/* being read */
	uint64_t at;		/* of its reader */
	uint64_t size;		/* when last looked */
	uint8_t head[ET_FRAME_SIZE]; /* its first bytes */
	bool lost;		/* what was read of it is there no more */
	bool turned;		/* nothing more comes of it */
	int64_t moved;		/* when it grew last, or the next came; ms */

	struct opened next;	/* what has the name now, when it is not what is read */
};

/* ---- Being told to stop ------------------------------------------------------------- */

static volatile sig_atomic_t stopped;
static int stop_fd = -1;

static void on_stop(int sig)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)sig;
	stopped = 1;
	if (write(stop_fd, &one, sizeof(one)) < 0)
		errno = saved;
	errno = saved;
}

/* Once: a second signal kills, also while a write to standard output hangs. */
static int catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM };
	const struct sigaction stop = { .sa_handler = on_stop,
					.sa_flags = (int)SA_RESETHAND | SA_RESTART };
	struct sigaction old;

	if (stop_fd < 0)
		stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0)
		return -1;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN &&
		    sigaction(signals[i], &stop, NULL))
			return -1;
	return 0;
}

bool follow_stopped(const struct follow *f)
{
	(void)f;
	return stopped;
}

/* ---- Files -------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Nothing twice in a row, however often it is looked at. why: NULL for none. */
static void tell(struct follow *f, const char *what, const char *why)
{
	char text[sizeof(f->told)];

	snprintf(text, sizeof(text), "%s%s%s", what, why ? ": " : "", why ? why : "");
	if (!strcmp(text, f->told))
		return;
	memcpy(f->told, text, sizeof(text));
	if (f->tell) {
		char whole[sizeof(text) + 512];

		snprintf(whole, sizeof(whole), "%.500s: %s", f->name, text);
		f->tell(whole);
	}
}

static void close_file(struct follow *f, struct opened *o)
{
	const struct opened *other = o == &f->file ? &f->next : &f->file;

	/* Of a file that is opened twice there is one watch. */
	if (o->watch >= 0 && o->watch != other->watch)
		inotify_rm_watch(f->notify, o->watch);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = o->watch = -1;
}

/* The file that has the name now. -1 with errno. */
static int open_file(struct follow *f, struct opened *o)
{
	char path[32];
	struct stat st;

	/* Not blocking: a FIFO may have taken the place. */
	o->fd = openat(f->dir, f->base, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (o->fd < 0)
		return -1;
	if (fstat(o->fd, &st) || !S_ISREG(st.st_mode)) {
		close_file(f, o);
		errno = EINVAL;
		return -1;
	}
	o->dev = st.st_dev;
	o->ino = st.st_ino;
	if (f->notify >= 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", o->fd);
		o->watch = inotify_add_watch(f->notify, path, IN_MODIFY | IN_ATTRIB);
	}
	return 0;
}

static size_t read_at(const struct opened *o, uint64_t at, void *to, size_t len)
{
	ssize_t n;

	do
		n = pread(o->fd, to, len, (off_t)at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? 0 : (size_t)n;
}

static uint64_t size_of(const struct opened *o)
{
	off_t end = lseek(o->fd, 0, SEEK_END);

	return end < 0 ? 0 : (uint64_t)end;
}

/* ---- What is there to read ------------------------------------------------------------ */

enum sight {
	SIGHT_NOTHING,
	SIGHT_BYTES,	/* something that is no record */
	SIGHT_RECORD,	/* a whole one */
	SIGHT_TURN,	/* it is at its end, and there is a capture in the next */
};

/* Looks at what is behind an offset of the file being read. */
static enum sight look_here(struct follow *f, uint64_t at)
{
	uint8_t fixed[ET_FRAME_SIZE];
	size_t n = read_at(&f->file, at, fixed, sizeof(fixed));
	uint64_t len = et_frame_length(fixed, n);

	if (len && (at + len <= f->size || at + len <= (f->size = size_of(&f->file))))
		return SIGHT_RECORD;
	return !len && n == sizeof(fixed) ? SIGHT_BYTES : SIGHT_NOTHING;
}

/* Whether what was read before offset at is still there. */
static void look_back(struct follow *f, uint64_t at)
{
	uint8_t head[sizeof(f->head)];
	uint64_t size = size_of(&f->file);

	if (size > f->size)
		f->moved = now_ms();
	f->size = size;
	if (f->lost)
		return;
	if (size >= at && read_at(&f->file, 0, head, sizeof(head)) == sizeof(head) &&
	    !memcmp(head, f->head, sizeof(head)))
		return;
	f->lost = true;
	tell(f, "was truncated or written over; going on when there is a capture in it", NULL);
}

/* A look at the beginning of a file, for a reader that is only tried. */
struct glance {
	const struct opened *file;
	uint64_t at;
};

static int glance_read(void *ctx, void *buf, size_t len, size_t *got)
{
	struct glance *g = ctx;

	*got = read_at(g->file, g->at, buf, len);
	g->at += *got;
	return 0;
}

static void glance_close(void *ctx)
{
	(void)ctx;
}

/* Why a file is no capture; NULL: it is one, or too short to tell, then *whole is false. */
static const char *judge(const struct opened *o, bool *whole)
{
	uint8_t fixed[ET_FRAME_SIZE];
	size_t n = read_at(o, 0, fixed, sizeof(fixed));
	uint64_t len = et_frame_length(fixed, n);
	struct et_reader *reader;
	struct et_error err = { 0 };
	struct glance g = { o, 0 };
	const struct et_io io = { .ctx = &g, .read = glance_read, .close = glance_close };
	const char *what;
	bool capture;

	*whole = false;
	if (!n)
		return NULL;
	what = source_guess(o->fd, &capture);
	if (!capture)
		return what ? what : "not an exectrace capture";
	if (n < sizeof(fixed) || (len && size_of(o) < len))
		return NULL;
	*whole = true;
	if (et_reader_open(&io, NULL, NULL, &reader, &err))
		return err.what;
	et_reader_close(reader);
	return NULL;
}

/* Whether there is a capture in what has the name now, where that is not what is read. */
static bool look_next(struct follow *f)
{
	const char *fault;
	struct stat st;
	bool whole;

	if (fstatat(f->dir, f->base, &st, 0)) {
		if (errno != ENOENT)
			tell(f, "cannot be looked at", strerror(errno));
		close_file(f, &f->next);
		return false;
	}
	if (f->file.fd >= 0 && !f->lost && st.st_dev == f->file.dev && st.st_ino == f->file.ino) {
		close_file(f, &f->next);
		return false;
	}
	if (f->next.fd >= 0 && (st.st_dev != f->next.dev || st.st_ino != f->next.ino))
		close_file(f, &f->next);
	if (f->next.fd < 0) {
		if (open_file(f, &f->next)) {
			if (errno != ENOENT)
				tell(f, "cannot go on with what has the name now",
				     errno == EINVAL ? "it is not a regular file" :
						       strerror(errno));
			return false;
		}
		f->moved = now_ms();
	}
	fault = judge(&f->next, &whole);
	if (fault)
		tell(f, "cannot go on with what has the name now", fault);
	return whole && !fault;
}

static enum sight look(struct follow *f, uint64_t at, bool ended)
{
	enum sight here = SIGHT_NOTHING;

	if (f->turned)
		return SIGHT_TURN;
	if (f->file.fd >= 0 && !f->lost) {
		/* What was there when last looked needs no second look. */
		if (at < f->size && look_here(f, at) == SIGHT_RECORD)
			return SIGHT_RECORD;
		look_back(f, at);
		if (!f->lost)
			here = look_here(f, at);
		if (here == SIGHT_RECORD)
			return here;
	}
	if (!look_next(f))
		return here;
	if (f->file.fd >= 0 && !f->lost) {
		if ((!ended || at != f->size) && now_ms() - f->moved < LINGER_MS)
			return here;
		/* The last word of the one before may have come since it was looked at. */
		look_back(f, at);
		if (look_here(f, at) == SIGHT_RECORD)
			return SIGHT_RECORD;
	}
	f->turned = true;
	return SIGHT_TURN;
}

/* ---- Waiting ---------------------------------------------------------------------------- */

/* Until something may have changed; at most so many milliseconds. */
static void pause_for(struct follow *f, int64_t ms)
{
	struct pollfd p[] = {
		{ .fd = stop_fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO, .events = 0 },
		{ .fd = f->notify, .events = POLLIN },
	};
	bool blind = f->notify < 0 || (f->file.fd >= 0 && f->file.watch < 0) ||
		     (f->next.fd >= 0 && f->next.watch < 0);
	int64_t most = blind || f->next.fd >= 0 ? LOOK_BLIND_MS : LOOK_MS;
	char events[4096];

	if (ms < 0 || ms > most)
		ms = most;
	if (poll(p, sizeof(p) / sizeof(p[0]), (int)ms) <= 0)
		return;
	if (p[1].revents)
		stopped = 1;
	if (p[2].revents)
		while (read(f->notify, events, sizeof(events)) > 0)
			;
}

bool follow_wait(struct follow *f, uint64_t at, bool ended, int milliseconds)
{
	int64_t end = now_ms() + milliseconds;

	for (;;) {
		enum sight sight = stopped ? SIGHT_TURN : look(f, at, ended);
		int64_t left = milliseconds < 0 ? -1 : end - now_ms();

		if (sight > SIGHT_BYTES)
			return true;
		if (!milliseconds || (milliseconds > 0 && left <= 0))
			return false;
		/* Looking for a record in it may take long: all else has to be done before. */
		if (sight == SIGHT_BYTES && milliseconds < 0)
			return true;
		pause_for(f, left);
	}
}

/* The io of a reader: at the end of the file it waits for more, as long as that may come. */
static int follow_read(void *ctx, void *buf, size_t len, size_t *got)
{
	struct follow *f = ctx;

	*got = 0;
	while (!f->lost) {
		*got += read_at(&f->file, f->at + *got, (char *)buf + *got, len - *got);
		if (*got == len || f->turned || stopped)
			break;
		look_back(f, f->at + *got);
		if (f->lost || f->size > f->at + *got ||
		    look(f, f->at + *got, false) > SIGHT_NOTHING)
			continue;
		pause_for(f, -1);
	}
	f->at += *got;
	return 0;
}

static void follow_leave(void *ctx)
{
	struct follow *f = ctx;

	close_file(f, &f->file);
}

int follow_next(struct follow *f, struct et_io *out)
{
	if (!follow_wait(f, 0, false, -1) || stopped)
		return -1;
	f->file = f->next;
	f->next.fd = f->next.watch = -1;
	f->at = 0;
	f->size = 0;
	f->lost = f->turned = false;
	f->told[0] = '\0';
	if (read_at(&f->file, 0, f->head, sizeof(f->head)) != sizeof(f->head))
		f->lost = true;
	*out = (struct et_io){ .ctx = f, .read = follow_read, .close = follow_leave };
	return 0;
}

/* ---- Opening and closing ------------------------------------------------------------------ */

/* A file that is there has to be one that can be followed. */
static int first_look(struct follow *f, struct reason *why)
{
	const char *fault;
	bool whole;

	if (open_file(f, &f->next)) {
		if (errno != ENOENT)
			return reason_set(why, EXIT_FAILED, "%s: %s", f->name,
					  errno == EINVAL ? "is not a regular file" :
							    strerror(errno));
		if (isatty(STDERR_FILENO))
			tell(f, "is not there yet; waiting for it", NULL);
		return 0;
	}
	fault = judge(&f->next, &whole);
	if (fault)
		return reason_set(why, EXIT_FAILED, "%s: not a capture: %s", f->name, fault);
	return 0;
}

int follow_open(const char *name, follow_tell *teller, struct follow **out, struct reason *why)
{
	const char *slash = strrchr(name, '/');
	struct follow *f = calloc(1, sizeof(*f));
	char *dir = slash ? strndup(name, (size_t)(slash + 1 - name)) : strdup(".");

	*out = NULL;
	if (f) {
		*f = (struct follow){ .tell = teller, .dir = -1, .notify = -1,
				      .file = { .fd = -1, .watch = -1 },
				      .next = { .fd = -1, .watch = -1 } };
		f->name = strdup(name);
		f->base = strdup(slash ? slash + 1 : name);
	}
	if (!f || !dir || !f->name || !f->base) {
		reason_set(why, EXIT_FAILED, "out of memory");
		goto fail;
	}
	f->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0 || catch_signals()) {
		reason_set(why, EXIT_FAILED, "%s: %s", name, strerror(errno));
		goto fail;
	}
	f->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->notify >= 0 &&
	    inotify_add_watch(f->notify, dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		close(f->notify);
		f->notify = -1;
	}
	if (first_look(f, why))
		goto fail;
	free(dir);
	*out = f;
	return 0;
fail:
	free(dir);
	follow_close(f);
	return -1;
}

int follow_folder(const struct follow *f)
{
	return f->dir;
}

void follow_close(struct follow *f)
{
	if (!f)
		return;
	close_file(f, &f->file);
	close_file(f, &f->next);
	if (f->notify >= 0)
		close(f->notify);
	if (f->dir >= 0)
		close(f->dir);
	free(f->name);
	free(f->base);
	free(f);
}
