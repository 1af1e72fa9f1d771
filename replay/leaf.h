/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaf.h - one leaf of a plan over the rows of a chunk that are left: strings are asked
 * once for each distinct one, and so are the names of ids.
 */
#ifndef EXECTRACE_LEAF_H
#define EXECTRACE_LEAF_H

#include "filter.h"

/* The chunk at hand. */
struct selection {
	const struct plan *plan;
	struct filter_scratch *scratch;
	struct et_chunk *chunk;
	uint32_t rows;
	struct et_error *err;
};

int selection_fail_nomem(const struct selection *sel);
/*
 * Clears mask where the leaf does not hold, of rows of a kind for which it asks. ET_OK, or
 * what reading a column gave.
 */
int leaf_select(const struct selection *sel, const struct leaf *l, uint8_t *mask);

#endif
