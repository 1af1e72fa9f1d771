/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_io.h - an io that collects what a writer writes, for tests. */
#ifndef TESTS_MEMORY_IO_H
#define TESTS_MEMORY_IO_H

#include <exectrace.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sink {
	uint8_t *data;
	size_t len;
	size_t room;		/* writes beyond it fail with ENOSPC; 0: no bound */
	unsigned writes;
	unsigned closed;
};

static int sink_write(void *ctx, const void *buf, size_t len)
{
	struct sink *s = ctx;

	if (s->room && s->len + len > s->room)
		return ENOSPC;
	s->data = realloc(s->data, s->len + len);
	if (!s->data)
		return ENOMEM;
	memcpy(s->data + s->len, buf, len);
	s->len += len;
	s->writes++;
	return 0;
}

static void sink_close(void *ctx)
{
	struct sink *s = ctx;

	s->closed++;
}

static inline struct et_io sink_io(struct sink *s)
{
	return (struct et_io){ .ctx = s, .write = sink_write, .close = sink_close };
}

/* A pipe: memory that cannot seek and has no size. */
static inline struct et_io pipe_io(const void *data, size_t len)
{
	struct et_io io = { 0 };

	if (et_io_memory(data, len, &io) == ET_OK) {
		io.read_at = NULL;
		io.seek = NULL;
		io.size = NULL;
	}
	return io;
}

#endif
