/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pairs.h - distinct pairs of numbers out of one chunk, numbered from 0 on in the order
 * in which they came.
 */
#ifndef EXECTRACE_PAIRS_H
#define EXECTRACE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pairs_entry {
	uint64_t a;
	uint32_t b;
	uint32_t number; /* and one; 0: free */
};

/* Start it zeroed. */
struct pairs {
	struct pairs_entry *entries; /* open addressing; cap is a power of two */
	size_t cap;
	uint32_t n;
	uint32_t *used;	  /* of each number, where its entry is: only these are to be cleared */
	uint64_t seed[2]; /* so that nobody can prepare pairs that collide */
};

void pairs_free(struct pairs *p);
/* Empties it; there is room for so many then. -1: no memory. */
int pairs_begin(struct pairs *p, size_t most);
/* *fresh: it was not there yet. */
uint32_t pairs_number(struct pairs *p, uint64_t a, uint32_t b, bool *fresh);

#endif
