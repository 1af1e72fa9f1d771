/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanes.h - loops over all rows of a chunk, as the compiler turns them into vectors. A mask
 * is a byte a row, 1 or 0; each loop clears what does not pass.
 */
#ifndef EXECTRACE_LANES_H
#define EXECTRACE_LANES_H

#include <exectrace.h>

#include <string.h>

#include "exprtree.h"

/* Whether some row is left. */
static inline bool lanes_any(const uint8_t *mask, uint32_t n)
{
	return memchr(mask, 1, n);
}

/* Of numbers: those in one of the ranges, which ascend, or if inverted in none. */
void lanes_in_ranges(const struct et_stored *column, uint32_t n, const struct range *ranges,
		     size_t n_ranges, bool inverted, uint8_t *mask);
/* Rows that are in other no more. */
void lanes_without(uint8_t *mask, const uint8_t *other, uint32_t n);
/* Numbers below 16 as bytes; others become 0. */
void lanes_narrow(const struct et_stored *column, uint32_t n, uint8_t *out);
/* Rows of whose kind, below 16, the table says 1. from: the mask that is looked at. */
void lanes_of_kind(const uint8_t *kinds, uint32_t n, const uint8_t table[16],
		   const uint8_t *from, uint8_t *mask);
/* Sets wanted[id] of the ids of rows that are left. */
void lanes_touch(const uint32_t *ids, uint32_t n, const uint8_t *mask, uint8_t *wanted);
/* Rows of whose id the verdict is 1. */
void lanes_by_id(const uint32_t *ids, uint32_t n, const uint8_t *verdicts, uint8_t *mask);

#endif
