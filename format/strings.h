/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strings.h - the string table of a chunk being built: each distinct string
 * once, numbered from 1 by first use (SPEC.md 5.4).
 */
#ifndef ET_STRINGS_H
#define ET_STRINGS_H

#include "bytes.h"

struct strings {
	struct buf bytes;	/* the strings one behind the other, no NULs */
	uint64_t *lengths;	/* of string id at [id - 1] */
	uint32_t *ends;		/* offset in bytes behind string id at [id - 1] */
	uint32_t n, cap;
	uint32_t *slots;	/* open addressing, linear: id, or 0 for free */
	uint32_t *hashes;	/* of string id at [id - 1] */
	uint32_t n_slots;	/* a power of two, or 0 */
	uint64_t seed;
};

void strings_init(struct strings *t);
void strings_free(struct strings *t);
void strings_reset(struct strings *t);
/* Bytes of memory that it has taken. */
uint64_t strings_memory(const struct strings *t);
/* Id of the string, added where it is new; 0: no memory, the table is as before. */
uint32_t strings_add(struct strings *t, const char *ptr, uint32_t len);
/* Whether string id, which may be 0, is this one. */
bool strings_is(const struct strings *t, uint32_t id, const char *ptr, uint32_t len);
/* Takes back all strings with an id over n. */
void strings_cut(struct strings *t, uint32_t n);

#endif
