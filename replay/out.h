/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.h - a buffer of bytes on their way to a descriptor, or kept in memory.
 *
 * Writing never fails at the call: the first error stays in .error and what
 * follows is dropped, so that printers need no checks and the command looks
 * once. Nothing here escapes anything; see escape.h.
 */
#ifndef EXECTRACE_OUT_H
#define EXECTRACE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct out {
	char *buf;
	size_t len, cap;
	int fd;		/* -1: memory alone, and the buffer grows */
	int error;	/* errno of the first failure, else 0 */
};

/* fd is borrowed. Without memory .error is set. */
void out_open(struct out *o, int fd);
/* Flushes what is left and frees; returns .error. */
int out_close(struct out *o);
/* Of one in memory: keeps len bytes, and gives back the memory of those behind. */
void out_cut(struct out *o, size_t len);
/* Hands the bytes to the descriptor; in memory mode does nothing. */
void out_flush(struct out *o);
/* Makes room for n bytes, n <= 256, and returns where they go; never NULL. */
char *out_slow_room(struct out *o, size_t n);
void out_slow_bytes(struct out *o, const void *p, size_t n);

static inline char *out_room(struct out *o, size_t n)
{
	return o->cap - o->len >= n ? o->buf + o->len : out_slow_room(o, n);
}

static inline void out_char(struct out *o, char c)
{
	*out_room(o, 1) = c;
	o->len++;
}

static inline void out_bytes(struct out *o, const void *p, size_t n)
{
	if (o->cap - o->len < n) {
		out_slow_bytes(o, p, n);
	} else if (n) {
		memcpy(o->buf + o->len, p, n);
		o->len += n;
	}
}

static inline void out_text(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void out_uint(struct out *o, uint64_t u);
/* A device number, as 8:1. */
void out_device(struct out *o, uint64_t dev);
/* n blanks; none when n <= 0. */
void out_pad(struct out *o, int n);
/* u right-aligned in width. */
void out_uint_right(struct out *o, uint64_t u, int width);
/* For what is printed once, not per event: messages, tables of a summary. */
void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
