/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block.h - some copies of a build at the same time, in the order of time: what a
 * capture is made of, one block behind the other.
 *
 * Everything about row i of block b follows from i, b and the seed alone, so that any
 * thread can make any chunk. No process lives in two blocks; the numbers of those in
 * one are given to pids in the order in which they come up, as a kernel does.
 */
#ifndef BENCH_BLOCK_H
#define BENCH_BLOCK_H

#include "recorded.h"

#define LANES 4		/* copies at a time */

struct block_row {
	uint32_t row, lane;
	uint32_t id, tid, ppid;		/* in the block; NO_ID: as recorded */
	uint32_t ts, start, exec_ts;	/* indices of moments */
};

struct block {
	const struct recorded *recorded;
	struct block_row *rows;
	uint32_t n;
	uint32_t n_ids;
	/*
	 * All times that the rows name, from the first one, ascending, each once: each
	 * is later by chance in each block, by less than what is left to the next, so
	 * that what was equal is equal and what was before is before.
	 */
	uint64_t *moments;
	uint32_t n_moments;
	uint64_t period;	/* ns from block to block */
	uint32_t *pids;		/* that are free to be given */
	uint32_t n_pids;
};

void block_make(const struct recorded *r, struct block *out);

/* What a thread makes rows with; zeroed at first. */
struct maker {
	struct copy copies[LANES];
	bool begun;
	uint64_t block;		/* that copies are of */
	char *bytes;		/* of texts */
	uint32_t size;
};

/* A row of all blocks, counted from 0; it borrows from b and m until the next call with m. */
void block_event(const struct block *b, struct maker *m, uint64_t seed, uint64_t number,
		 struct et_event *out);
/* No row of the first so many blocks is later. */
uint64_t block_end(const struct block *b, uint64_t blocks);

#endif
