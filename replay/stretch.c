/* SPDX-License-Identifier: BSD-2-Clause */
#include "stretch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct stretch {
	int fd;
	uint64_t base, size, at;
};

static int stretch_read_at(void *ctx, uint64_t offset, void *buf, size_t len, size_t *got)
{
	const struct stretch *s = ctx;
	uint64_t left = offset < s->size ? s->size - offset : 0;

	if (len > left)
		len = (size_t)left;
	for (*got = 0; *got < len;) {
		ssize_t n = pread(s->fd, (char *)buf + *got, len - *got,
				  (off_t)(s->base + offset + *got));

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

static int stretch_read(void *ctx, void *buf, size_t len, size_t *got)
{
	struct stretch *s = ctx;
	int sys = stretch_read_at(s, s->at, buf, len, got);

	s->at += *got;
	return sys;
}

static int stretch_seek(void *ctx, uint64_t offset)
{
	struct stretch *s = ctx;

	s->at = offset;
	return 0;
}

static int stretch_size(void *ctx, uint64_t *size)
{
	const struct stretch *s = ctx;

	*size = s->size;
	return 0;
}

int stretch_open(int fd, uint64_t base, uint64_t size, struct et_io *io)
{
	struct stretch *s = malloc(sizeof(*s));

	if (!s)
		return ET_NOMEM;
	*s = (struct stretch){ .fd = fd, .base = base, .size = size };
	*io = (struct et_io){ .ctx = s,
			      .read = stretch_read,
			      .read_at = stretch_read_at,
			      .seek = stretch_seek,
			      .size = stretch_size,
			      .close = free };
	return ET_OK;
}
