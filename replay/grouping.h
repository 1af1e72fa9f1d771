/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grouping.h - groups.h fed with the rows of a scan, in a thread, or with one row after
 * the other.
 */
#ifndef EXECTRACE_GROUPING_H
#define EXECTRACE_GROUPING_H

#include "groups.h"
#include "scan.h"

struct grouping {
	struct groups groups;

	/* For the chunk at hand. */
	struct classes classes;
	struct out key;
	uint32_t *rows;
	size_t rows_cap;
};

/* NULL: no memory. */
struct grouping *grouping_new(void);
void grouping_free(struct grouping *g);
/* -1: no memory. */
int grouping_take(struct grouping *g, const struct keys *k, const struct scan_chunk *c, bool utc);
/* As grouping_take, of the rows that are picked. */
int grouping_add(struct grouping *g, const struct keys *k, const struct picked *p);
/* Whether it holds so much that it is to be merged and begun anew. */
bool grouping_large(const struct grouping *g);

#endif
