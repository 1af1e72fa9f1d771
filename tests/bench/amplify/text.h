/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - a string or list of a recorded build, such that each copy of the build has
 * it in its own way.
 *
 * What differs: the directory of the build; numbers of 4 to 9 digits, as generated
 * files have them in their names; and the six characters that gcc makes up for a
 * temporary file. The same string is the same wherever it stands in one copy, and
 * different strings stay different.
 */
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include <exectrace.h>

#include "copy.h"

struct piece;

struct text {
	uint8_t field;
	uint32_t items;		/* of a list */
	uint32_t longest;	/* bytes, in any copy, at most */
	uint32_t n;
	struct piece *pieces;
};

/* A string, or all of a list with the NULs; the bytes are copied. */
void text_make(uint8_t field, const char *ptr, uint32_t len, const char *root, struct text *out);
/* The bytes as a copy has them: *out is to, or where they stand unchanged; returns how many. */
uint32_t text_put(const struct text *t, const struct copy *copy, char *to, const char **out);

#endif
