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
	struct {
		char *p;
		size_t len, cap;
	} list; /* the lists of the row at hand */
};

void where_free(struct where_scope *s);
/*
 * Clears selected[row] where the row does not match. Lost rows stay where the expression
 * asks nothing that rules them out (expr_match_gap), with keep_lost always. ET_OK or what
 * reading a column gave.
 */
int where_select(struct where_scope *s, const struct expr *e, struct et_chunk *chunk,
		 bool keep_lost, uint8_t *selected, struct et_error *err);

#endif
