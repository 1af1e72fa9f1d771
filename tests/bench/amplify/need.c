/* SPDX-License-Identifier: BSD-2-Clause */
#include "need.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void need(bool ok, const char *format, ...)
{
	va_list args;

	if (ok)
		return;
	va_start(args, format);
	fputs("bench_amplify: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void *room(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	need(p, "out of memory");
	return p;
}

void *more_room(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n, size);

	need(p, "out of memory");
	return p;
}
