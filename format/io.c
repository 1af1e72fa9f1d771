/* SPDX-License-Identifier: BSD-2-Clause */
/* io.c - the two ios that come with the library: a descriptor, and memory. */
#include <exectrace.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fd_io {
	int fd;
	uint64_t base;		/* where it stood: offset 0 of the io */
	bool regular;		/* a file of some size; a terminal takes any lseek */
};

static int fd_read(void *ctx, void *buf, size_t len, size_t *got)
{
	const struct fd_io *io = ctx;

	for (*got = 0; *got < len;) {
		ssize_t n = read(io->fd, (char *)buf + *got, len - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (!n)
			break;
		*got += (size_t)n;
	}
	return 0;
}

static int fd_read_at(void *ctx, uint64_t offset, void *buf, size_t len, size_t *got)
{
	const struct fd_io *io = ctx;

	*got = 0;
	if (offset > INT64_MAX - io->base || len > INT64_MAX - io->base - offset)
		return EINVAL;
	while (*got < len) {
		ssize_t n = pread(io->fd, (char *)buf + *got, len - *got,
				  (off_t)(io->base + offset + *got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (!n)
			break;
		*got += (size_t)n;
	}
	return 0;
}

static int fd_seek(void *ctx, uint64_t offset)
{
	const struct fd_io *io = ctx;

	if (offset > INT64_MAX - io->base)
		return EINVAL;
	return lseek(io->fd, (off_t)(io->base + offset), SEEK_SET) < 0 ? errno : 0;
}

/*
 * By lseek and not by fstat, which some C libraries make of a call that takes a
 * path, so that a program that must not use paths any more can read on.
 */
static int fd_size(void *ctx, uint64_t *size)
{
	const struct fd_io *io = ctx;
	off_t at, end;

	if (!io->regular)
		return ESPIPE;
	at = lseek(io->fd, 0, SEEK_CUR);
	end = at < 0 ? at : lseek(io->fd, 0, SEEK_END);
	if (end < 0 || lseek(io->fd, at, SEEK_SET) < 0)
		return errno;
	*size = (uint64_t)end > io->base ? (uint64_t)end - io->base : 0;
	return 0;
}

static int fd_write(void *ctx, const void *buf, size_t len)
{
	const struct fd_io *io = ctx;
	const char *p = buf;

	while (len) {
		ssize_t n = write(io->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void fd_close(void *ctx)
{
	struct fd_io *io = ctx;

	close(io->fd);
	free(io);
}

int et_io_fd(int fd, struct et_io *out)
{
	struct fd_io *io = malloc(sizeof(*io));
	struct stat st;
	off_t at;

	if (!io) {
		close(fd);
		return ET_NOMEM;
	}
	at = lseek(fd, 0, SEEK_CUR);
	*io = (struct fd_io){
		.fd = fd,
		.base = at > 0 ? (uint64_t)at : 0,
		.regular = !fstat(fd, &st) && S_ISREG(st.st_mode),
	};
	*out = (struct et_io){
		.ctx = io, .read = fd_read, .size = fd_size, .write = fd_write, .close = fd_close,
	};
	if (io->regular) {
		out->seek = fd_seek;
		out->read_at = fd_read_at;
	}
	return ET_OK;
}

struct memory_io {
	const char *data;
	size_t len, at;
};

static int memory_read(void *ctx, void *buf, size_t len, size_t *got)
{
	struct memory_io *io = ctx;

	*got = len < io->len - io->at ? len : io->len - io->at;
	if (*got)
		memcpy(buf, io->data + io->at, *got);
	io->at += *got;
	return 0;
}

static int memory_read_at(void *ctx, uint64_t offset, void *buf, size_t len, size_t *got)
{
	const struct memory_io *io = ctx;
	size_t at = offset < io->len ? (size_t)offset : io->len;

	*got = len < io->len - at ? len : io->len - at;
	if (*got)
		memcpy(buf, io->data + at, *got);
	return 0;
}

static int memory_seek(void *ctx, uint64_t offset)
{
	struct memory_io *io = ctx;

	io->at = offset < io->len ? (size_t)offset : io->len;
	return 0;
}

static int memory_size(void *ctx, uint64_t *size)
{
	const struct memory_io *io = ctx;

	*size = io->len;
	return 0;
}

static int memory_write(void *ctx, const void *buf, size_t len)
{
	(void)ctx;
	(void)buf;
	(void)len;
	return EBADF;
}

int et_io_memory(const void *data, size_t len, struct et_io *out)
{
	struct memory_io *io = malloc(sizeof(*io));

	if (!io)
		return ET_NOMEM;
	*io = (struct memory_io){ data, len, 0 };
	*out = (struct et_io){
		.ctx = io, .read = memory_read, .read_at = memory_read_at, .seek = memory_seek,
		.size = memory_size, .write = memory_write, .close = free,
	};
	return ET_OK;
}
