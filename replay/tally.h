/* SPDX-License-Identifier: BSD-2-Clause */
/* tally.h - how often each string came, and the most frequent of them. */
#ifndef EXECTRACE_TALLY_H
#define EXECTRACE_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally_entry {
	char *key; /* owned by the tally, not NUL-terminated; NULL: free */
	size_t len;
	uint64_t hash, count;
};

/* Start it zeroed. */
struct tally {
	struct tally_entry *entries; /* open addressing; cap is a power of two */
	size_t n, cap;
	uint64_t total;
};

void tally_free(struct tally *t);
/* -1: no memory, and the tally is as before. */
int tally_add(struct tally *t, const char *key, size_t len);
/* All entries, most frequent first, in an array to free; NULL: none, or no memory. */
const struct tally_entry **tally_ranking(const struct tally *t);

#endif
