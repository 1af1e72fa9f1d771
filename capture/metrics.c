/* SPDX-License-Identifier: BSD-2-Clause */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packet.h"
#include "privilege.h"
#include "servant.h"

/* node_exporter is another user. */
#define FILE_MODE 0644
#define PATIENCE_MS 5000

static const char up_head[] = "# HELP exectrace_up Whether the recorder lives.\n"
			      "# TYPE exectrace_up gauge\nexectrace_up ";

/* ---- The servant ---------------------------------------------------------------- */

/* The first byte of a message; what follows a FIGURES is text. */
enum {
	FIGURES = 'f',
	REMOVE = 'r',
};

struct answer {
	int to;			/* a message's first byte; 0: the first message */
	int error;
};

struct keeper {
	int fd;
	int dir;
	char name[NAME_MAX + 1];
	char beside[NAME_MAX + 1];	/* the file's name until it is whole */
};

static bool put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* 0 or an errno. */
static int replace(const struct keeper *k, const char *text, size_t len, bool up)
{
	const int flags = PRIVILEGE_CREATE;
	int error, fd = openat(k->dir, k->beside, flags, FILE_MODE);
	bool ok;

	/* Left by one that was killed. */
	if (fd < 0 && errno == EEXIST && unlinkat(k->dir, k->beside, 0) == 0)
		fd = openat(k->dir, k->beside, flags, FILE_MODE);
	if (fd < 0)
		return errno;
	ok = fchmod(fd, FILE_MODE) == 0 && put(fd, text, len) &&
	     put(fd, up_head, sizeof(up_head) - 1) && put(fd, up ? "1\n" : "0\n", 2);
	error = ok ? 0 : errno;
	if (close(fd) != 0 && ok)
		error = errno;
	if (!error && renameat(k->dir, k->beside, k->dir, k->name) != 0)
		error = errno;
	if (error)
		unlinkat(k->dir, k->beside, 0);
	return error;
}

static bool answer(const struct keeper *k, int to, int error)
{
	const struct answer a = { to, error };

	return write(k->fd, &a, sizeof(a)) == sizeof(a);
}

/* The first message: the file's name, and its directory as a descriptor. */
static bool take_place(struct keeper *k)
{
	ssize_t len = packet_receive(k->fd, k->name, sizeof(k->name) - 1, &k->dir, 1);

	if (len <= 0 || k->dir < 0)
		return false;
	k->name[len] = '\0';
	return snprintf(k->beside, sizeof(k->beside), ".%s~", k->name) < (int)sizeof(k->beside);
}

void metrics_serve(int fd)
{
	char message[1 + METRICS_TEXT];
	struct keeper k = { .fd = fd };
	size_t last = 0;
	ssize_t len;

	/* It is no matter if there is no such filter here. */
	if (!take_place(&k))
		return;
	privilege_seal_replacing();
	if (!answer(&k, 0, replace(&k, "", 0, false)))
		return;
	while ((len = read(fd, message, sizeof(message))) > 0) {
		if (message[0] == REMOVE) {
			answer(&k, REMOVE, unlinkat(k.dir, k.name, 0) ? errno : 0);
			return;
		}
		last = (size_t)len - 1;
		if (!answer(&k, FIGURES, replace(&k, message + 1, last, true)))
			break;
	}
	replace(&k, message + 1, last, false);
}

/* ---- The recorder --------------------------------------------------------------- */

/* What the servant says to a message, skipping what it said to those before; else an errno of ours. */
static int wait_answer(int fd, int to)
{
	struct pollfd p = { fd, POLLIN, 0 };
	struct answer a;
	int n;

	do {
		do
			n = poll(&p, 1, PATIENCE_MS);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return n ? errno : ETIMEDOUT;
		if (read(fd, &a, sizeof(a)) != sizeof(a))
			return EPIPE;
	} while (a.to != to);
	return a.error;
}

int metrics_open(struct metrics *m)
{
	const char *slash = strrchr(m->path, '/'), *name = slash ? slash + 1 : m->path;
	int fd = servant_fd(m->servant), dir = -1, error = 0;
	char *folder = !slash		 ? strdup(".")
		       : slash == m->path ? strdup("/")
					  : strndup(m->path, (size_t)(slash - m->path));

	if (!folder)
		return ENOMEM;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		error = errno;
	else if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		error = EISDIR;
	/* What is beside it has two bytes more. */
	else if (strlen(name) > NAME_MAX - 2)
		error = ENAMETOOLONG;
	if (!error)
		error = packet_send(fd, name, strlen(name), &dir, 1);
	if (!error)
		error = wait_answer(fd, 0);
	/* From now on nothing waits for it. */
	if (!error && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		error = errno;
	if (dir >= 0)
		close(dir);
	free(folder);
	return error;
}

uint64_t metrics_due(const struct metrics *m)
{
	return m->path ? m->due : UINT64_MAX;
}

int metrics_write(struct metrics *m, const char *text, uint64_t now)
{
	char message[1 + METRICS_TEXT] = { FIGURES };
	size_t len = strlen(text);
	struct answer a;
	int error = 0;

	if (len > METRICS_TEXT)
		len = 0;
	memcpy(message + 1, text, len);
	m->due = now + m->interval;
	while (read(servant_fd(m->servant), &a, sizeof(a)) == sizeof(a))
		error = a.error;
	if (write(servant_fd(m->servant), message, 1 + len) < 0 && errno != EAGAIN) {
		error = errno;
		m->due = UINT64_MAX;
	}
	return error;
}

int metrics_remove(struct metrics *m)
{
	const char message = REMOVE;
	int fd = servant_fd(m->servant);
	struct pollfd p = { fd, POLLOUT, 0 };

	/* What is before it in the queue may wait for a slow disk. */
	if (poll(&p, 1, PATIENCE_MS) <= 0)
		return ETIMEDOUT;
	return write(fd, &message, 1) == 1 ? wait_answer(fd, REMOVE) : errno;
}
