/* SPDX-License-Identifier: BSD-2-Clause */
#include "dest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "write.h"

#define FILE_MODE 0600

struct dest {
	char *name;
	char *base; /* last component; NULL: standard output */
	int dir;    /* where base is */
	int fd;
	bool force;
	bool device; /* base is a character device, written as it is */
};

/* What an interrupt has to remove: a handler can be told in no other way. */
static struct {
	volatile sig_atomic_t there;
	int dir;
	char beside[32];
} unfinished;

static const int endings[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

#define N_ENDINGS (sizeof(endings) / sizeof(endings[0]))

static void remove_unfinished(void)
{
	if (unfinished.there)
		unlinkat(unfinished.dir, unfinished.beside, 0);
	unfinished.there = 0;
}

/* The handler is gone when it runs, so the signal then does what it always does. */
static void on_ending(int sig)
{
	remove_unfinished();
	raise(sig);
}

static void handle_signals(void)
{
	const struct sigaction sa = { .sa_handler = on_ending, .sa_flags = SA_RESETHAND };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	/* Who started this ignoring a signal, as nohup does, goes on ignoring it. */
	for (size_t i = 0; i < N_ENDINGS; i++)
		if (!sigaction(endings[i], NULL, &before) && before.sa_handler == SIG_DFL)
			sigaction(endings[i], &sa, NULL);
	/* Over the limit of a file's size a write fails instead. */
	sigaction(SIGXFSZ, &ignore, NULL);
}

static void unhandle_signals(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction now;

	for (size_t i = 0; i < N_ENDINGS; i++)
		if (!sigaction(endings[i], NULL, &now) && now.sa_handler == on_ending)
			sigaction(endings[i], &usual, NULL);
}

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

static int cannot_write(const struct dest *d, int error, struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "cannot write %s: %s", d->name, strerror(error));
}

static int check_stdout(struct reason *why)
{
	if (isatty(STDOUT_FILENO))
		return reason_set(why, EXIT_USAGE,
				  "a capture is not for a terminal; use -o FILE, or send "
				  "standard output elsewhere");
	return 0;
}

/* Whether there may be something under the name; what there is stays as it is for now. */
static int check_existing(struct dest *d, struct reason *why)
{
	struct stat st;

	if (fstatat(d->dir, d->base, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : cannot_write(d, errno, why);
	if (S_ISDIR(st.st_mode))
		return reason_set(why, EXIT_FAILED, "%s is a directory", d->name);
	if (S_ISLNK(st.st_mode))
		return reason_set(why, EXIT_FAILED,
				  "%s is a symbolic link; name the file itself%s", d->name,
				  strncmp(d->name, "/dev/", 5) ? ""
							       : ", or - for standard output");
	d->device = S_ISCHR(st.st_mode);
	if (!d->device && !S_ISREG(st.st_mode))
		return reason_set(why, EXIT_FAILED,
				  "%s is not a regular file; a pipe goes to -", d->name);
	if (!d->device && !d->force)
		return reason_set(why, EXIT_FAILED, "%s exists; --force replaces it", d->name);
	return 0;
}

static int open_folder(struct dest *d, struct reason *why)
{
	const char *slash = strrchr(d->name, '/');
	char *folder;

	d->base = strdup(slash ? slash + 1 : d->name);
	folder = !slash ? strdup(".")
			: strndup(d->name, slash == d->name ? 1 : (size_t)(slash - d->name));
	if (!d->base || !folder) {
		free(folder);
		return no_memory(why);
	}
	if (!*d->base || !strcmp(d->base, ".") || !strcmp(d->base, "..")) {
		free(folder);
		return reason_set(why, EXIT_FAILED, "%s is not the name of a file", d->name);
	}
	d->dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d->dir < 0)
		reason_set(why, EXIT_FAILED, "cannot write %s: directory %s: %s", d->name,
			   folder, strerror(errno));
	free(folder);
	return d->dir < 0 ? -1 : 0;
}

/* The file under its other name; whoever guesses that finds it taken, or is refused. */
static int create_beside(struct dest *d, struct reason *why)
{
	uint64_t id;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return cannot_write(d, errno, why);
	snprintf(unfinished.beside, sizeof(unfinished.beside), ".etz-%016llx",
		 (unsigned long long)id);
	unfinished.dir = d->dir;
	handle_signals();
	unfinished.there = 1;
	d->fd = openat(d->dir, unfinished.beside,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (d->fd >= 0)
		return 0;
	unfinished.there = 0;
	return cannot_write(d, errno, why);
}

static int open_file(struct dest *d, struct reason *why)
{
	if (open_folder(d, why) || check_existing(d, why))
		return -1;
	if (!d->device)
		return create_beside(d, why);
	d->fd = openat(d->dir, d->base, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	return d->fd < 0 ? cannot_write(d, errno, why) : 0;
}

int dest_open(const char *name, bool force, struct dest **out, struct reason *why)
{
	bool output = !strcmp(name, "-");
	struct dest *d = calloc(1, sizeof(*d));
	int r;

	*out = NULL;
	if (d)
		d->name = strdup(output ? "standard output" : name);
	if (!d || !d->name) {
		free(d);
		return no_memory(why);
	}
	d->dir = d->fd = -1;
	d->force = force;
	if (output) {
		r = check_stdout(why);
		if (!r) {
			d->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
			r = d->fd < 0 ? cannot_write(d, errno, why) : 0;
		}
	} else {
		r = open_file(d, why);
	}
	if (r)
		dest_close(d);
	else
		*out = d;
	return r;
}

static int dest_write(void *ctx, const void *buf, size_t len)
{
	const struct dest *d = ctx;

	return write_all(d->fd, buf, len);
}

static void leave_open(void *ctx)
{
	(void)ctx;
}

void dest_io(struct dest *d, struct et_io *io)
{
	*io = (struct et_io){ .ctx = d, .write = dest_write, .close = leave_open };
}

int dest_fd(const struct dest *d)
{
	return d->fd;
}

const char *dest_name(const struct dest *d)
{
	return d->name;
}

/* 0 or an errno value. Where nothing may be replaced, nothing is, whoever came first. */
static int give_name(const struct dest *d)
{
	unsigned flags = d->force ? 0 : RENAME_NOREPLACE;
	struct stat st;

	if (!renameat2(d->dir, unfinished.beside, d->dir, d->base, flags))
		return 0;
	if (errno != EINVAL || !flags)
		return errno;
	/* A file system that cannot do that at once. */
	if (!fstatat(d->dir, d->base, &st, AT_SYMLINK_NOFOLLOW))
		return EEXIST;
	return renameat(d->dir, unfinished.beside, d->dir, d->base) ? errno : 0;
}

int dest_keep(struct dest *d, struct reason *why)
{
	int error = 0, folder;

	if (d->base && !d->device) {
		if (fsync(d->fd))
			return cannot_write(d, errno, why);
		error = give_name(d);
		if (error)
			return cannot_write(d, error, why);
		unfinished.there = 0;
		folder = openat(d->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		/* The file is whole and has its name; when that reaches the disk is no
		 * failure. */
		if (folder >= 0) {
			(void)!fsync(folder);
			close(folder);
		}
	}
	if (close(d->fd))
		error = errno;
	d->fd = -1;
	return error ? cannot_write(d, error, why) : 0;
}

void dest_lend(void)
{
	unfinished.there = 0;
	unhandle_signals();
}

void dest_close(struct dest *d)
{
	if (!d)
		return;
	if (d->base)
		remove_unfinished();
	unhandle_signals();
	if (d->fd >= 0)
		close(d->fd);
	if (d->dir >= 0)
		close(d->dir);
	free(d->base);
	free(d->name);
	free(d);
}
