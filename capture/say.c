/* SPDX-License-Identifier: BSD-2-Clause */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/*
	 * Text may name files and commands: a control byte in one must not reach the
	 * terminal.
	 */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	/* stderr is unbuffered as a stream, but one call is one write(2) in glibc. */
	fprintf(stderr, "exectrace record: %s\n", text);
}
