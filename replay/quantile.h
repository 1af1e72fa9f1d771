/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quantile.h - medians and the like of numbers that are too many to keep.
 *
 * So many numbers are kept as they are, and what is asked of them is exact. More are
 * counted in buckets: each power of two in 2^bits of them, so that what is told, the
 * middle of a bucket, differs from the number by 1 / 2^(bits+1) of it at most, 0.8 %.
 * What is told depends on the numbers alone, not on their order nor on how many
 * quantiles they went through before these were merged.
 *
 * Many quantiles share a pool. When their buckets take more than is allowed, all are
 * made coarser, a bit at a time: the owner calls quantile_coarsen for each.
 */
#ifndef EXECTRACE_QUANTILE_H
#define EXECTRACE_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUANTILE_EXACT 64u /* numbers kept as they are */
#define QUANTILE_BITS 6u
#define QUANTILE_BYTES (48u << 20) /* of the buckets of a pool */

struct quantile_pool {
	unsigned bits;
	size_t bytes;
};

struct quantile_buckets;

/* Start it zeroed. */
struct quantile {
	uint64_t n;
	uint32_t cap; /* of values */
	uint64_t *values; /* n of them, in no order; NULL: there are none, or buckets */
	struct quantile_buckets *buckets;
};

#define QUANTILE_POOL { QUANTILE_BITS, 0 }

void quantile_free(struct quantile *q);
/* -1: no memory. */
int quantile_add(struct quantile *q, struct quantile_pool *p, uint64_t value);
/* What another knows as well; its buckets may be finer. -1: no memory. */
int quantile_merge(struct quantile *q, struct quantile_pool *p, const struct quantile *from);
/* Whether there is more than there may be, and it can be made less: p->bits is then one less. */
bool quantile_pool_full(struct quantile_pool *p);
/* To what the pool's bits are now. -1: no memory. */
int quantile_coarsen(struct quantile *q, struct quantile_pool *p);
/*
 * The least number that so many percent, 1 to 100, of all do not exceed; n is not 0.
 * Puts values in order.
 */
uint64_t quantile_at(struct quantile *q, unsigned percent);
/* By how much of the number that may be wrong: 0 or 1 / 2^(bits+1). */
double quantile_error(const struct quantile *q);

#endif
