/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caller.h"
#include "filer.h"
#include "newfile.h"
#include "series.h"

#define FILE_MODE 0600

struct output {
	struct output_options opt;
	pthread_mutex_t now_lock;
	struct output_now now;
	char *base;		/* last component; NULL: standard output */
	int dir;		/* where base is */
	int sync_dir;		/* the same, for fsync; -1: not needed */
	int fd;
	int next;		/* of a series: made, and not in use yet; -1: none */
	bool abandoned;		/* fd is of a file that we have removed */
	int close_error;	/* errno of the first close that failed; 0: none */
	int cancel;		/* eventfd */
	struct syncer *syncer;	/* NULL: never */
	bool replace;		/* base exists and is to be replaced */
	bool device;		/* base is a character device, written as it is */
	bool regular;
	bool fresh;		/* what is written is ours, and was not kept yet */
	struct newfile file;	/* that, where it is one file */
	uint64_t start;		/* of a regular file: where the capture begins */
	uint64_t size;		/* of the capture so far */
	struct filer *filer;	/* a series: all that is done in dir goes through it */
	struct series *series;
	struct flight *flight;	/* memory; the series' files come from there */
	struct dumper *dumper;
};

static bool fail(struct output_error *err, bool usage, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool fail(struct output_error *err, bool usage, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	err->usage = usage;
	return false;
}

static bool cannot_sync(const char *name, struct output_error *err)
{
	return fail(err, true, "--sync: '%s' is not a file on a disk; leave --sync out, "
		    "or name a file with -o", name);
}

static bool check_stdout(const struct output *o, struct output_error *err)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) != 0)
		return fail(err, false, "standard output is closed");
	if (isatty(STDOUT_FILENO))
		return fail(err, true, "a capture is not for a terminal; use -o FILE, "
			    "or send standard output elsewhere");
	if (o->opt.sync != SYNC_NEVER && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return cannot_sync("-", err);
	return true;
}

/* What there is under the name decides; open for base is O_EXCL in any case. */
static bool check_existing(struct output *o, struct output_error *err)
{
	struct stat st;

	if (fstatat(o->dir, o->base, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return true;
		return fail(err, false, "cannot write '%s': %s", o->opt.path, strerror(errno));
	}
	if (S_ISDIR(st.st_mode))
		return fail(err, false, "'%s' is a directory", o->opt.path);
	if (S_ISLNK(st.st_mode))
		return fail(err, false, "'%s' is a symbolic link; name the file itself%s", o->opt.path,
			    strncmp(o->opt.path, "/dev/", 5) == 0 ? ", or '-' for standard output" : "");
	if (S_ISCHR(st.st_mode)) {
		o->device = true;
		return o->opt.sync == SYNC_NEVER || cannot_sync(o->opt.path, err);
	}
	if (!S_ISREG(st.st_mode))
		return fail(err, false, "'%s' is not a regular file; a pipe goes to '-'", o->opt.path);
	if (!o->opt.force)
		return fail(err, false, "'%s' exists; --force replaces it", o->opt.path);
	o->replace = true;
	return true;
}

static bool check_file(struct output *o, struct output_error *err)
{
	const char *slash = strrchr(o->opt.path, '/');
	char *folder;

	o->base = strdup(slash ? slash + 1 : o->opt.path);
	folder = !slash ? strdup(".")
			: strndup(o->opt.path, slash == o->opt.path ? 1 : (size_t)(slash - o->opt.path));
	if (!o->base || !folder) {
		free(folder);
		return fail(err, false, "no memory");
	}
	if (!*o->base || strcmp(o->base, ".") == 0 || strcmp(o->base, "..") == 0) {
		free(folder);
		return fail(err, false, "'%s' is not the name of a file", o->opt.path);
	}
	o->dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o->dir < 0) {
		fail(err, false, "cannot write to '%s': directory '%s': %s", o->opt.path, folder,
		     strerror(errno));
		free(folder);
		return false;
	}
	free(folder);
	return o->opt.series || check_existing(o, err);
}

bool output_check(const struct output_options *opt, struct output **out,
		  struct output_error *err)
{
	struct output *o = calloc(1, sizeof(*o));
	bool ok;

	*out = NULL;
	if (!o)
		return fail(err, false, "no memory");
	o->opt = *opt;
	pthread_mutex_init(&o->now_lock, NULL);
	o->dir = o->sync_dir = o->fd = o->next = -1;
	o->cancel = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (o->cancel < 0)
		ok = fail(err, false, "cannot make an eventfd: %s", strerror(errno));
	else if (strcmp(opt->path, "-") == 0)
		ok = check_stdout(o, err);
	else
		ok = check_file(o, err);
	if (ok)
		*out = o;
	else
		output_close(o);
	return ok;
}

/* The caller of sudo. */
static struct filer_owner owner(void)
{
	struct filer_owner w = { .given = false };

	w.given = caller_of_sudo(&w.uid, &w.gid);
	return w;
}

/* Owner and mode, whatever the umask. */
static bool own(const struct output *o, struct output_error *err)
{
	const struct filer_owner w = owner();

	if (fchmod(o->fd, FILE_MODE) != 0)
		return fail(err, false, "cannot set the mode of '%s': %s", o->opt.path, strerror(errno));
	/* File systems without owners refuse; the file is then as good as it gets there. */
	if (w.given && fchown(o->fd, w.uid, w.gid) != 0 && errno != EPERM && errno != EINVAL)
		return fail(err, false, "cannot give '%s' to user %u: %s", o->opt.path, w.uid,
			    strerror(errno));
	return true;
}

/* Standard output may be a file that others have written to before ("> file", ">>"). */
static uint64_t start_of(int fd, const struct stat *st)
{
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (at < 0 || fcntl(fd, F_GETFL) & O_APPEND)
		return (uint64_t)st->st_size;
	return (uint64_t)at;
}

static bool start_syncing(struct output *o, struct output_error *err)
{
	int ret;

	if (o->opt.sync == SYNC_NEVER)
		return true;
	if (o->base) {
		o->sync_dir = openat(o->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (o->sync_dir < 0)
			return fail(err, false, "--sync: cannot open the directory of '%s': %s",
				    o->opt.path, strerror(errno));
	}
	ret = syncer_new(o->fd, o->sync_dir, o->opt.sync, &o->syncer);
	return !ret || fail(err, false, "--sync: %s", strerror(ret));
}

void output_told(struct output *o, const char *why_not)
{
	/* Of segments in memory nobody asks. */
	if (!o->series || o->flight)
		return;
	pthread_mutex_lock(&o->now_lock);
	if (why_not) {
		o->now.failures++;
		snprintf(o->now.why_not, sizeof(o->now.why_not), "%s", why_not);
	} else {
		o->now.files = series_made(o->series);
		snprintf(o->now.path, sizeof(o->now.path), "%s", series_path(o->series));
	}
	pthread_mutex_unlock(&o->now_lock);
}

void output_now(struct output *o, struct output_now *out)
{
	pthread_mutex_lock(&o->now_lock);
	*out = o->now;
	pthread_mutex_unlock(&o->now_lock);
}

static bool cannot_create(const struct output *o, int error, struct output_error *err)
{
	return fail(err, false, "cannot create a file for '%s': %s", o->opt.path, series_why(error));
}

static bool open_series(struct output *o, int filer, struct output_error *err)
{
	const struct series_options opt = {
		.path = o->opt.path,
		.base = o->base,
		.keep_files = o->opt.keep_files,
		.keep_bytes = o->opt.keep_bytes,
	};
	const struct filer_owner w = owner();
	int error = filer_open(filer, o->dir, o->base, &w, &o->filer);

	if (error)
		return fail(err, false, "cannot write beside '%s': %s", o->opt.path, strerror(error));
	o->series = series_new(&opt, o->filer);
	if (!o->series)
		return fail(err, false, "no memory");
	o->regular = true;
	if (o->opt.in_memory) {
		error = series_check(o->series);
		if (error)
			return cannot_create(o, error, err);
		o->flight = flight_new(&o->opt.flight);
		error = o->flight ? 0 : ENOMEM;
		if (!error)
			error = dumper_new(o->series, o->flight, o->opt.sync != SYNC_NEVER, &o->dumper);
		o->fresh = true;
		return !error || fail(err, false, "cannot begin: %s", strerror(error));
	}
	error = series_make(o->series, &o->fd);
	if (error)
		return cannot_create(o, error, err);
	series_next(o->series);
	output_told(o, NULL);
	o->fresh = true;
	return start_syncing(o, err);
}

bool output_open(struct output *o, int filer, struct output_error *err)
{
	struct stat st;

	if (o->opt.series)
		return open_series(o, filer, err);
	if (!o->base)
		o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else if (o->device)
		o->fd = openat(o->dir, o->base, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	else
		o->fd = newfile_create(&o->file, o->dir, o->base, o->replace);
	o->fresh = o->fd >= 0 && o->base && !o->device;
	if (o->fd < 0 || fstat(o->fd, &st) != 0)
		return fail(err, false, "cannot create '%s': %s", o->opt.path, strerror(errno));
	o->regular = S_ISREG(st.st_mode);
	if (o->regular && !o->base)
		o->start = start_of(o->fd, &st);
	if (o->device && !S_ISCHR(st.st_mode))
		return fail(err, false, "'%s' has changed meanwhile", o->opt.path);
	if (o->device && isatty(o->fd))
		return fail(err, true, "a capture is not for a terminal");
	return (!o->base || o->device || own(o, err)) && start_syncing(o, err);
}

int output_make_next(struct output *o)
{
	int error;

	if (o->flight)
		return flight_make_next(o->flight);
	if (o->next >= 0)
		return 0;
	error = series_thin(o->series, 1);
	return error ? error : series_make(o->series, &o->next);
}

void output_next(struct output *o, uint64_t last)
{
	o->size = 0;
	if (o->flight) {
		flight_next(o->flight, last);
		return;
	}
	if (o->syncer)
		syncer_switch(o->syncer, o->next);
	series_next(o->series);
	/* Some file systems report a failed write only then. */
	if (close(o->fd) != 0 && !o->close_error)
		o->close_error = errno;
	o->fd = o->next;
	o->next = -1;
	o->abandoned = false;
	/* The one before is among those now; if none can go, before the next one. */
	series_thin(o->series, 0);
}

void output_abandon(struct output *o)
{
	if (o->flight) {
		flight_trim(o->flight, 0);
		return;
	}
	series_discard(o->series);
	o->abandoned = true;
}

void output_dump(struct output *o)
{
	dumper_write(o->dumper, flight_copy(o->flight));
}

struct dumper *output_dumps(const struct output *o)
{
	return o->dumper;
}

int output_keep(struct output *o)
{
	/* Those of a series have theirs. */
	int error = o->fresh && !o->series ? newfile_keep(&o->file) : 0;

	if (error)
		return error;
	if (o->fresh && o->syncer)
		syncer_named(o->syncer);
	o->fresh = false;
	return 0;
}

bool output_kept(const struct output *o)
{
	return !o->fresh;
}

static void discard(struct output *o)
{
	/* What was in memory has no name. */
	if (o->flight)
		return;
	if (o->series)
		series_discard(o->series);
	else
		newfile_discard(&o->file);
}

/* Waits until a pipe takes PIPE_BUF bytes without blocking, or for output_cancel. */
static int wait_writable(const struct output *o)
{
	struct pollfd p[2] = { { o->fd, POLLOUT, 0 }, { o->cancel, POLLIN, 0 } };

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return errno;
	return p[1].revents ? ECANCELED : 0;
}

static int write_all(const struct output *o, const char *p, size_t len)
{
	while (len) {
		size_t part = o->regular || len < PIPE_BUF ? len : PIPE_BUF;
		int ret = o->regular ? 0 : wait_writable(o);
		ssize_t n;

		if (ret)
			return ret;
		n = write(o->fd, p, part);
		/* Only what is waited for above may say EAGAIN again and again. */
		if (n < 0 && (errno == EINTR || (errno == EAGAIN && !o->regular)))
			continue;
		if (n < 0)
			return errno;
		/* No file system should; it would be tried for ever. */
		if (n == 0)
			return EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int output_write(void *ctx, const void *buf, size_t len)
{
	struct output *o = ctx;
	int error;

	if (o->flight)
		return flight_write(o->flight, buf, len);
	error = o->series ? series_room(o->series, o->size + len) : 0;
	if (!error)
		error = write_all(o, buf, len);
	if (error)
		return error;
	o->size += len;
	if (o->syncer)
		syncer_wrote(o->syncer);
	return 0;
}

static void output_io_close(void *ctx)
{
	(void)ctx;
}

void output_io(struct output *o, struct et_io *io)
{
	*io = (struct et_io){ .ctx = o, .write = output_write, .close = output_io_close };
}

void output_cancel(struct output *o)
{
	const uint64_t one = 1;

	/* Fails only when the counter is full, and then it is readable anyway. */
	if (write(o->cancel, &one, sizeof(one)) < 0)
		return;
}

int output_trim(struct output *o, uint64_t size)
{
	off_t end = (off_t)(o->start + size);

	if (!o->regular)
		return 0;
	o->size = size;
	if (o->flight) {
		flight_trim(o->flight, size);
		return 0;
	}
	if (o->series)
		series_room(o->series, size);
	return ftruncate(o->fd, end) == 0 && lseek(o->fd, end, SEEK_SET) == end ? 0 : errno;
}

void output_begun(struct output *o)
{
	if (o->syncer)
		syncer_now(o->syncer);
	/* Those of earlier recordings, now that there is one in their place. */
	if (o->series && !o->flight)
		series_thin(o->series, 0);
}

void output_sync_rows(struct output *o)
{
	if (o->syncer)
		syncer_rows(o->syncer);
}

void output_sync_end(struct output *o)
{
	if (o->syncer)
		syncer_end(o->syncer);
}

void output_sync_report(const struct output *o, struct syncer_report *out)
{
	*out = (struct syncer_report){ 0 };
	if (o->syncer)
		syncer_report(o->syncer, out);
}

bool output_is_pipe(const struct output *o)
{
	return !o->base;
}

bool output_is_series(const struct output *o)
{
	return o->series;
}

uint64_t output_files(const struct output *o)
{
	return o->series ? series_made(o->series) : 1;
}

bool output_is_file(const struct output *o)
{
	return o->regular;
}

const char *output_name(const struct output *o)
{
	return o->base ? o->opt.path : "standard output";
}

const char *output_path(const struct output *o)
{
	if (o->flight)
		return "memory";
	return o->series ? series_path(o->series) : output_name(o);
}

int output_finish(struct output *o, bool *gone)
{
	struct stat st;
	int fd = o->fd;

	*gone = o->base && o->regular && !o->abandoned && fd >= 0 && fstat(fd, &st) == 0 &&
		!st.st_nlink;
	o->fd = -1;
	if (fd >= 0 && close(fd) != 0 && !o->close_error)
		o->close_error = errno;
	return o->close_error;
}

void output_close(struct output *o)
{
	if (!o)
		return;
	if (o->fresh)
		discard(o);
	dumper_free(o->dumper);
	flight_free(o->flight);
	series_free(o->series);
	filer_close(o->filer);
	syncer_free(o->syncer);
	if (o->sync_dir >= 0)
		close(o->sync_dir);
	if (o->fd >= 0)
		close(o->fd);
	if (o->next >= 0)
		close(o->next);
	if (o->dir >= 0)
		close(o->dir);
	if (o->cancel >= 0)
		close(o->cancel);
	pthread_mutex_destroy(&o->now_lock);
	free(o->base);
	free(o);
}
