/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - cells (cells.h) as lines of a table, in line with those before: a column is as
 * wide as what it has shown, titles stand in front, and each day has a line.
 */
#ifndef EXECTRACE_TABLE_H
#define EXECTRACE_TABLE_H

#include "columns.h"
#include "out.h"
#include "when.h"

struct table {
	struct columns columns;
	unsigned widths[COLUMNS_MAX], most[COLUMNS_MAX]; /* and what they grow to */
	bool header, colored;
	size_t screen;	/* columns of the terminal; 0: lines are not cut */
	bool timed;	/* the time is among the columns */
	bool begun;
	int64_t day;	/* of the line before, since 1970 */
	int32_t offset;	/* and its zone */
	struct out time; /* the text of one */
};

/* columns: those that are asked for; none: the usual ones. */
void table_open(struct table *t, const struct columns *columns, const struct when *w);
void table_close(struct table *t);
/* cells: those of t->columns, as cells_make makes them. */
void table_line(struct table *t, struct out *o, const char *cells, const struct when *w,
		int64_t wall, int32_t offset);
/* The titles, where no line came. */
void table_end(struct table *t, struct out *o, const struct when *w);

#endif
