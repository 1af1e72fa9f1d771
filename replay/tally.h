/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - how often each string came, and the most frequent of them.
 *
 * Strings are a capture's and so a stranger's. A tally keeps a bounded number of
 * distinct ones apart, those that came first; of the rest it only knows how often
 * any of them came.
 */
#ifndef EXECTRACE_TALLY_H
#define EXECTRACE_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* Distinct strings kept apart, and their bytes: 20 MiB in all. */
#define TALLY_KEYS 65536
#define TALLY_BYTES (16u << 20)

struct tally_entry {
	char *key; /* owned by the tally, not NUL-terminated; NULL: free */
	size_t len;
	uint64_t hash, count;
};

/* Start it zeroed. */
struct tally {
	struct tally_entry *entries; /* open addressing; cap is a power of two */
	size_t n, cap, bytes;
	uint64_t total;   /* with other */
	uint64_t other;   /* of strings that are not kept apart */
	uint64_t seed[2]; /* so that nobody can prepare strings that collide */
};

void tally_free(struct tally *t);
/* -1: no memory, and the tally is as before. */
int tally_add(struct tally *t, const char *key, size_t len);
/* All entries, most frequent first, in an array to free; NULL: none, or no memory. */
const struct tally_entry **tally_ranking(const struct tally *t);

#endif
