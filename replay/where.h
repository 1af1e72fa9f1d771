/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * where.h - expressions (expr.h) over the rows of a chunk: reads the columns that they
 * ask for, and puts each row together with no more than these.
 */
#ifndef EXECTRACE_WHERE_H
#define EXECTRACE_WHERE_H

#include <exectrace.h>

#include "expr.h"

/* All zero is empty. */
struct where_scope {
	const struct et_context *names; /* borrowed */
	int64_t start;			/* of the capture, wall clock ns */
	int32_t offset;			/* of its zone, seconds */
};

/* What going over rows needs besides; one for each thread. All zero is empty. */
struct where_scratch {
	char *p; /* the lists of the row at hand */
	size_t len, cap;
};

void where_free(struct where_scratch *w);
/*
 * Clears selected[row] where the row does not match. Lost rows stay where the expression
 * asks nothing that rules them out (expr_match_gap), with keep_lost always. ET_OK or what
 * reading a column gave.
 */
int where_select(const struct where_scope *s, struct where_scratch *w, const struct expr *e,
		 struct et_chunk *chunk, bool keep_lost, uint8_t *selected,
		 struct et_error *err);

#endif
