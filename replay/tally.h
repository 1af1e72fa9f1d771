/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - how often each string came, and the most frequent of them. Of more strings
 * than a keyset keeps it only knows how often any of them came.
 */
#ifndef EXECTRACE_TALLY_H
#define EXECTRACE_TALLY_H

#include "keyset.h"

/* Start it zeroed. */
struct tally {
	struct keyset keys;
	uint64_t *counts; /* by number of the key */
	uint32_t cap;
	uint64_t total; /* with other */
	uint64_t other; /* of strings that are not kept apart */
};

void tally_free(struct tally *t);
/* It came n times more. -1: no memory, and the counts are as before. */
int tally_add(struct tally *t, const char *key, size_t len, uint64_t n);
/* What another has counted as well. -1: no memory. */
int tally_merge(struct tally *t, const struct tally *from);
/*
 * Numbers of all keys, the most frequent first, and in order of bytes where that is the
 * same, in an array to free; NULL: none, or no memory.
 */
uint32_t *tally_ranking(const struct tally *t);

#endif
