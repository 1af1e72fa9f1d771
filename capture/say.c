/* SPDX-License-Identifier: BSD-2-Clause */
#include "say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_SIZE 4096
#define LEAD_SIZE 32 /* what stands before the text */

/* Characters that a terminal obeys, or that make text look like another one. */
static bool unsafe(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{ 0x0, 0x1f },      { 0x7f, 0x9f },       { 0xad, 0xad },
		{ 0x61c, 0x61c },   { 0x180b, 0x180f },   { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

/* Bytes of the character at p that may be shown; 0: its first byte may not. */
static unsigned shown(const unsigned char *p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned len = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	uint32_t c = len > 1 ? *p & 0xffu >> (len + 1) : *p;

	if (!len || *p > 0xf4)
		return 0;
	/* The NUL at the end of the text continues nothing. */
	for (unsigned i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return unsafe(c) ? 0 : len;
}

size_t say_shown(char *to, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	char *out = to;

	while (*p) {
		unsigned len = shown(p);

		memcpy(out, p, len);
		out += len;
		p += len;
		if (len)
			continue;
		/* As replay shows names: a byte in octal, three digits. */
		*out++ = '\\';
		*out++ = (char)('0' + (*p >> 6));
		*out++ = (char)('0' + (*p >> 3 & 7));
		*out++ = (char)('0' + (*p & 7));
		p++;
	}
	*out = '\0';
	return (size_t)(out - to);
}

/* Standard error goes to the journal, and was not redirected since. */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char rest;

	return stream && sscanf(stream, "%llu:%llu%c", &dev, &ino, &rest) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static void speak(enum say_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void speak(enum say_level level, const char *fmt, va_list ap)
{
	char text[TEXT_SIZE], line[LEAD_SIZE + 4 * TEXT_SIZE + 1];
	char *out = line;

	vsnprintf(text, sizeof(text), fmt, ap);
	if (to_journal())
		out += sprintf(out, "<%d>", level);
	else
		out += sprintf(out, "exectrace record: ");
	out += say_shown(out, text);
	*out++ = '\n';
	/* stderr is unbuffered: one call is one write(2) in glibc. */
	fwrite(line, 1, (size_t)(out - line), stderr);
}

void say_at(enum say_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	speak(level, fmt, ap);
	va_end(ap);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	speak(SAY_ERROR, fmt, ap);
	va_end(ap);
}
