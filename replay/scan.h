/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.h - the rows of an input that its filter lets through, a chunk at a time and by
 * several threads: for those who count and add up, to whom the order of rows is all the
 * same. Records whose heads say that no row of them can match are not read.
 */
#ifndef EXECTRACE_SCAN_H
#define EXECTRACE_SCAN_H

#include "input.h"

/* What a worker is handed; borrowed during the call. */
struct scan_chunk {
	const struct source *source;	/* with the names that hold for these rows */
	const struct et_record *rec;
	/* The thread's alone. Columns of scan_calls.fields can be read, or are ET_UNSUPPORTED. */
	struct et_chunk *chunk;
	const uint8_t *selected;	/* a byte for each row, 1: the filter lets it through */
	uint32_t n_selected;		/* of them; never 0 */
};

struct scan_calls {
	void *ctx;
	/*
	 * Bits of the columns that chunk reads. A chunk of which one is damaged is not handed
	 * out: the fault is told, as for every reader.
	 */
	uint64_t fields;
	/*
	 * A state of its own for a thread, before the first chunk there and in that thread.
	 * NULL: no memory.
	 */
	void *(*begin)(void *ctx);
	/* Takes rows into the thread's state. -1: no memory. */
	int (*chunk)(void *ctx, void *state, const struct scan_chunk *c);
	/*
	 * On the caller's thread, once for each state, when no chunk will come: takes what it
	 * holds and frees it. Called also when the scan has failed. -1: no memory.
	 */
	int (*end)(void *ctx, void *state);
};

/*
 * Reads the input to its end. Not for one that input_next was called of, nor for a filter
 * with descendants, which takes all rows in their order: input_next is. ET_OK or
 * ET_NOMEM; what was wrong with the captures is in their sources, as ever.
 */
int input_scan(struct input *in, const struct scan_calls *calls);
/*
 * How many events there are, at most limit: records that match by their heads alone are
 * not even read.
 */
int input_count(struct input *in, uint64_t limit, uint64_t *count);

#endif
