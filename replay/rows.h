/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows.h - rows of a capture that wait for their turn, sorted by time.
 */
#ifndef EXECTRACE_ROWS_H
#define EXECTRACE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct waiting_row {
	uint64_t ts;
	uint32_t row;
	uint16_t held; /* where its owner keeps the row's chunk */
	bool matches;
};

struct rows {
	struct waiting_row *v; /* v[at..n) wait, ascending in ts */
	size_t at, n, cap;
};

void rows_free(struct rows *r);
/* Makes room for n rows at v + n, and moves what waits to the front. -1: no memory. */
int rows_room(struct rows *r, size_t n);
/*
 * Takes in n rows that were put at v + n, in any order. On equal times those that
 * came first go first. spare is memory for the work. -1: no memory, nothing is done.
 */
int rows_add(struct rows *r, size_t n, struct rows *spare);

#endif
