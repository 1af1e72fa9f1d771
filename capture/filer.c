/* SPDX-License-Identifier: BSD-2-Clause */
#include "filer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packet.h"
#include "seriesname.h"

#define FILE_MODE 0600
/* What a file takes of the disk is counted in these, as most file systems do. */
#define BLOCK 4096u

enum request {
	REQUEST_BEGIN,		/* with a descriptor, and base and owner */
	REQUEST_LIST,		/* answered once for each file, then with END_OF_LIST */
	REQUEST_MAKE,		/* answered with a descriptor */
	REQUEST_REMOVE,
	REQUEST_SYNC,
};

#define END_OF_LIST (-1)

/* How it opens a file, and never otherwise: one that is new. */
#define FILER_MAKES (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

struct question {
	uint64_t number;	/* of the question: the answer has it too */
	uint64_t ms;
	uint32_t what;		/* enum request */
	struct filer_owner owner;
	char base[SERIES_NAME];
};

struct answer {
	uint64_t number;
	int32_t error;		/* errno; 0: none; END_OF_LIST */
	uint32_t pad;
	struct filer_file file;
};

/* ---- The servant ---------------------------------------------------------------- */

struct shelf {
	int socket;
	int directory;
	DIR *listing;		/* of it */
	char base[SERIES_NAME];
	struct filer_owner owner;
};

static bool answer(const struct shelf *s, const struct question *q, int error, int fd,
		   const struct filer_file *file)
{
	struct answer a;

	memset(&a, 0, sizeof(a));
	a.number = q->number;
	a.error = error;
	if (file)
		a.file = *file;
	return packet_send(s->socket, &a, sizeof(a), &fd, fd >= 0) == 0;
}

/* What it needs from here on is open; then it confines itself. */
static int begin(struct shelf *s, const struct question *q, int fd)
{
	int copy;

	/* Once and for all: what is asked later has to be about this. */
	if (s->listing || fd < 0 || !memchr(q->base, '\0', sizeof(q->base)) || strchr(q->base, '/'))
		return EINVAL;
	memcpy(s->base, q->base, sizeof(s->base));
	s->owner = q->owner;
	s->directory = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->directory < 0)
		return errno;
	copy = fcntl(s->directory, F_DUPFD_CLOEXEC, 0);
	s->listing = copy >= 0 ? fdopendir(copy) : NULL;
	if (!s->listing)
		return errno;
	umask(0);
	/* Without it, it goes on: the names that it takes are checked here. */
	privilege_seal_filing(FILER_MAKES);
	return 0;
}

static bool list(const struct shelf *s, const struct question *q)
{
	const struct dirent *e;
	struct filer_file file;
	struct stat st;

	rewinddir(s->listing);
	for (errno = 0; (e = readdir(s->listing)); errno = 0) {
		if (!series_name_is(s->base, e->d_name, &file.ms) ||
		    fstatat(s->directory, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		file.bytes = filer_blocks((uint64_t)st.st_size);
		if (!answer(s, q, 0, -1, &file))
			return false;
	}
	return answer(s, q, errno ? errno : END_OF_LIST, -1, NULL);
}

/* File systems without owners refuse; the file is then as good as it gets there. */
static int give(const struct shelf *s, int fd)
{
	if (!s->owner.given || fchown(fd, s->owner.uid, s->owner.gid) == 0 || errno == EPERM ||
	    errno == EINVAL)
		return 0;
	return errno;
}

static bool make(const struct shelf *s, const struct question *q)
{
	char name[SERIES_NAME];
	int fd, error;
	bool ok;

	if (!series_name(s->base, q->ms, name))
		return answer(s, q, ENAMETOOLONG, -1, NULL);
	fd = openat(s->directory, name, FILER_MAKES, FILE_MODE);
	if (fd < 0)
		return answer(s, q, errno, -1, NULL);
	error = give(s, fd);
	if (error)
		unlinkat(s->directory, name, 0);
	ok = answer(s, q, error, error ? -1 : fd, NULL);
	close(fd);
	return ok;
}

static int remove_one(const struct shelf *s, const struct question *q)
{
	char name[SERIES_NAME];

	if (!series_name(s->base, q->ms, name))
		return ENAMETOOLONG;
	return unlinkat(s->directory, name, 0) == 0 ? 0 : errno;
}

static bool serve_one(struct shelf *s, const struct question *q, int fd)
{
	if (q->what == REQUEST_BEGIN)
		return answer(s, q, begin(s, q, fd), -1, NULL);
	if (!s->listing)
		return false;
	switch (q->what) {
	case REQUEST_LIST:
		return list(s, q);
	case REQUEST_MAKE:
		return make(s, q);
	case REQUEST_REMOVE:
		return answer(s, q, remove_one(s, q), -1, NULL);
	case REQUEST_SYNC:
		return answer(s, q, fsync(s->directory) == 0 || errno == EINVAL ? 0 : errno, -1,
			      NULL);
	default:
		return false;
	}
}

void filer_serve(int socket)
{
	struct shelf s = { .socket = socket, .directory = -1 };
	struct question q;
	bool goes_on = true;
	int fd;

	while (goes_on && packet_receive(socket, &q, sizeof(q), &fd, 1) == sizeof(q)) {
		goes_on = serve_one(&s, &q, fd);
		if (fd >= 0)
			close(fd);
	}
}

/* ---- The recorder ---------------------------------------------------------------- */

struct filer {
	int socket;
	uint64_t number;	/* of the last question */
	uint64_t making;	/* number of the last that was to make a file, */
	uint64_t making_ms;	/* and of what time */
	bool unwanted;		/* it came too late, and is there */
	bool gone;		/* nobody answers */
};

uint64_t filer_blocks(uint64_t bytes)
{
	return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static int end(struct filer *f)
{
	f->gone = true;
	return EPIPE;
}

static int ask(struct filer *f, struct question *q, int fd)
{
	if (f->gone)
		return EPIPE;
	q->number = ++f->number;
	return packet_send(f->socket, q, sizeof(*q), &fd, fd >= 0) == 0 ? 0 : end(f);
}

/* The answer to the last question; those to earlier ones come late, if they do. */
static int take(struct filer *f, struct answer *a, int *fd)
{
	for (;;) {
		ssize_t n = packet_receive(f->socket, a, sizeof(*a), fd, 1);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return ETIMEDOUT;
		if (n != sizeof(*a) || a->number > f->number)
			return end(f);
		if (a->number == f->number)
			return a->error;
		if (*fd >= 0)
			close(*fd);
		if (a->number == f->making && !a->error)
			f->unwanted = true;
	}
}

static int ask_once(struct filer *f, struct question *q, int with, int *got)
{
	struct answer a;
	int fd, error = ask(f, q, with);

	if (!error)
		error = take(f, &a, &fd);
	else
		fd = -1;
	if (got && !error && fd < 0)
		error = end(f);
	if (got && !error)
		*got = fd;
	else if (fd >= 0)
		close(fd);
	return error;
}

/* A file that came when nobody waited for it any more. */
static void clear_away(struct filer *f)
{
	struct question q = { .what = REQUEST_REMOVE, .ms = f->making_ms };

	if (!f->unwanted)
		return;
	f->unwanted = false;
	ask_once(f, &q, -1, NULL);
}

int filer_open(int fd, int directory, const char *base, const struct filer_owner *owner,
	       struct filer **out)
{
	struct filer *f = calloc(1, sizeof(*f));
	struct question q;
	int error;

	*out = NULL;
	if (!f)
		return ENOMEM;
	f->socket = fd;
	memset(&q, 0, sizeof(q));
	q.what = REQUEST_BEGIN;
	q.owner = *owner;
	if (strlen(base) < sizeof(q.base)) {
		memcpy(q.base, base, strlen(base));
		error = ask_once(f, &q, directory, NULL);
	} else {
		error = ENAMETOOLONG;
	}
	if (error)
		free(f);
	else
		*out = f;
	return error;
}

void filer_close(struct filer *f)
{
	free(f);
}

static int by_time(const void *a, const void *b)
{
	const struct filer_file *x = a, *y = b;

	return x->ms < y->ms ? -1 : x->ms > y->ms;
}

int filer_list(struct filer *f, struct filer_file **out, unsigned *n)
{
	struct question q = { .what = REQUEST_LIST };
	struct filer_file *list = NULL;
	unsigned size = 0;
	struct answer a;
	int error, fd;

	*out = NULL;
	*n = 0;
	clear_away(f);
	error = ask(f, &q, -1);
	while (!error && !(error = take(f, &a, &fd))) {
		struct filer_file *more;

		if (fd >= 0)
			close(fd);
		if (*n == size) {
			size = size ? size * 2 : 64;
			more = realloc(list, size * sizeof(*list));
			/* The rest of the answers is passed over with the next question. */
			if (!more) {
				free(list);
				return ENOMEM;
			}
			list = more;
		}
		list[(*n)++] = a.file;
	}
	if (error != END_OF_LIST) {
		free(list);
		*n = 0;
		return error;
	}
	if (*n)
		qsort(list, *n, sizeof(*list), by_time);
	*out = list;
	return 0;
}

int filer_make(struct filer *f, uint64_t ms, int *out)
{
	struct question q = { .what = REQUEST_MAKE, .ms = ms };

	clear_away(f);
	f->making = f->number + 1;
	f->making_ms = ms;
	return ask_once(f, &q, -1, out);
}

int filer_remove(struct filer *f, uint64_t ms)
{
	struct question q = { .what = REQUEST_REMOVE, .ms = ms };

	clear_away(f);
	return ask_once(f, &q, -1, NULL);
}

int filer_sync(struct filer *f)
{
	struct question q = { .what = REQUEST_SYNC };

	clear_away(f);
	return ask_once(f, &q, -1, NULL);
}
