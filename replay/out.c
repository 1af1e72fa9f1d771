/* SPDX-License-Identifier: BSD-2-Clause */
#include "out.h"

#include <exectrace.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "write.h"

/* Large enough that a write costs little, small enough to stay in the cache. */
#define OUT_SIZE (64u << 10)

/* The buffer where there is no memory for one: what is in it means nothing. */
static char sink[256];

void out_open(struct out *o, int fd)
{
	*o = (struct out){ .fd = fd, .buf = malloc(OUT_SIZE), .cap = OUT_SIZE };
	if (!o->buf)
		*o = (struct out){ .fd = fd, .buf = sink, .cap = sizeof(sink), .error = ENOMEM };
}

int out_close(struct out *o)
{
	out_flush(o);
	if (o->buf != sink)
		free(o->buf);
	o->buf = NULL;
	o->len = o->cap = 0;
	return o->error;
}

void out_cut(struct out *o, size_t len)
{
	char *less = o->buf == sink ? NULL : realloc(o->buf, len + 1);

	o->len = len;
	if (less) {
		o->buf = less;
		o->cap = len + 1;
	}
}

void out_flush(struct out *o)
{
	if (o->fd < 0)
		return;
	if (!o->error)
		o->error = write_all(o->fd, o->buf, o->len);
	o->len = 0;
}

/* Memory mode: room for n more bytes, or .error. */
static bool grow(struct out *o, size_t n)
{
	size_t cap = o->cap;
	char *buf;

	if (o->error)
		return false;
	while (cap - o->len < n) {
		if (cap > SIZE_MAX / 2) {
			o->error = ENOMEM;
			return false;
		}
		cap *= 2;
	}
	buf = realloc(o->buf, cap);
	if (!buf) {
		o->error = ENOMEM;
		return false;
	}
	o->buf = buf;
	o->cap = cap;
	return true;
}

char *out_slow_room(struct out *o, size_t n)
{
	out_flush(o);
	if (o->cap - o->len >= n || (o->fd < 0 && grow(o, n)))
		return o->buf + o->len;
	/* Failed already: what is written next is dropped. */
	o->len = 0;
	return o->buf;
}

void out_slow_bytes(struct out *o, const void *p, size_t n)
{
	const char *s = p;

	if (o->fd < 0) {
		if (grow(o, n)) {
			memcpy(o->buf + o->len, s, n);
			o->len += n;
		}
		return;
	}
	while (n && !o->error) {
		size_t k;

		if (o->len == o->cap)
			out_flush(o);
		k = n < o->cap - o->len ? n : o->cap - o->len;
		memcpy(o->buf + o->len, s, k);
		o->len += k;
		s += k;
		n -= k;
	}
}

void out_uint(struct out *o, uint64_t u)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char tmp[20], *p = tmp + sizeof(tmp);

	for (; u >= 100; u /= 100)
		memcpy(p -= 2, pairs + 2 * (u % 100), 2);
	if (u >= 10)
		memcpy(p -= 2, pairs + 2 * u, 2);
	else
		*--p = (char)('0' + u);
	out_bytes(o, p, (size_t)(tmp + sizeof(tmp) - p));
}

void out_device(struct out *o, uint64_t dev)
{
	out_uint(o, ET_DEV_MAJOR(dev));
	out_char(o, ':');
	out_uint(o, ET_DEV_MINOR(dev));
}

void out_pad(struct out *o, int n)
{
	static const char blanks[] = "                                ";

	for (; n > 0; n -= 32)
		out_bytes(o, blanks, n < 32 ? (size_t)n : 32);
}

void out_uint_right(struct out *o, uint64_t u, int width)
{
	int digits = 1;

	for (uint64_t rest = u; rest >= 10; rest /= 10)
		digits++;
	out_pad(o, width - digits);
	out_uint(o, u);
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char tmp[512], *text = tmp;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(tmp)) {
		va_start(ap, fmt);
		n = vasprintf(&text, fmt, ap);
		va_end(ap);
	}
	if (n < 0) {
		o->error = o->error ? o->error : ENOMEM;
		return;
	}
	out_bytes(o, text, (size_t)n);
	if (text != tmp)
		free(text);
}
