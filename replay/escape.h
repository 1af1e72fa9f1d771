/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * escape.h - bytes from a capture, made safe to show. The only place that does
 * so: whatever a stranger put into an argument, a path or a name goes through
 * here on its way to a terminal or into JSON.
 *
 * "Unsafe" below is: control bytes, DEL, bytes that are not UTF-8, and code
 * points that are invisible or change how others are shown (C1 controls, other
 * blanks, line separators, bidirectional and format controls, tags).
 */
#ifndef EXECTRACE_ESCAPE_H
#define EXECTRACE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out.h"

/*
 * Length of the UTF-8 sequence at p (n > 0 bytes are there) and its code point,
 * or 0 when it is none: overlong, a surrogate, above U+10FFFF, cut.
 */
unsigned escape_utf8(const unsigned char *p, size_t n, uint32_t *cp);
bool escape_unsafe(uint32_t cp);

/*
 * One word of a command line, as a shell reads it back to the same bytes: bare
 * when it is plain, else 'in single quotes', else $'with \n and \033'. Brackets,
 * blanks and < are always quoted, so that they are free to mark things around.
 * first: it stands where the name of the command goes, so NAME=x is quoted too.
 */
void escape_word(struct out *o, const char *s, size_t n, bool first);

/*
 * The same for every POSIX shell, which need not know $'...': what holds unsafe bytes
 * stands as "$(printf '...')". Shells take newlines away from the end of that, so those are
 * $_n; a line with words of which escape_ends_line says so has to set it first.
 */
void escape_posix(struct out *o, const char *s, size_t n);
bool escape_ends_line(const char *s, size_t n);
#define ESCAPE_SET_N "_n=$(printf '\\n.'); _n=${_n%.}; "

/* A name in a table: unsafe bytes as \033, a backslash doubled; blanks stay. */
void escape_name(struct out *o, const char *s, size_t n);

/* A message of ours that may hold such names: as escape_name, backslashes stay. */
void escape_message(struct out *o, const char *s, size_t n);

/*
 * The inside of a JSON string. Unsafe code points become \uXXXX; bytes that are
 * not UTF-8 become U+FFFD, one per byte. Returns whether there were any: then
 * the string has to stand beside it in base64.
 */
bool escape_json(struct out *o, const char *s, size_t n);
/* Text without escapes: what is unsafe becomes U+FFFD, a byte or a code point each. */
void escape_lossy(struct out *o, const char *s, size_t n);
void escape_base64(struct out *o, const void *data, size_t n);

/* Columns that n bytes of escaped text take on a terminal. */
size_t escape_width(const char *s, size_t n);
/* Bytes of it that fit into so many columns. */
size_t escape_fit(const char *s, size_t n, size_t columns);

#endif
