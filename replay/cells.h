/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cells.h - what a row has in each of some columns.
 *
 * Cells are made from their row alone, so in any thread and long before they are shown;
 * only the time waits, which may be told by that of another line (when.h). How they stand
 * in a line is table.h's, template.h's and csv.h's.
 */
#ifndef EXECTRACE_CELLS_H
#define EXECTRACE_CELLS_H

#include "color.h"
#include "columns.h"
#include "input.h"

struct cell {
	uint32_t len;	/* bytes of the text */
	uint32_t width;	/* columns that it takes on a terminal; not told of CSV */
	uint16_t color;	/* enum color */
	uint16_t time;	/* not 0: in its place goes the time */
};

/* One cell behind the other, safe for a terminal; what is not known is a dash. */
void cells_make(struct out *o, const struct columns *c, const struct input_row *row);
/* Likewise, as lines of CSV have them: what JSON says, and what is not known is nothing. */
void cells_csv(struct out *o, const struct columns *c, const struct input_row *row);
/* The cell at *at, which moves on to the next. Returns its text, borrowed. */
const char *cells_next(const char **at, struct cell *cell);

/* For those who make them: begin returns where, and text up to end is the cell's. */
size_t cells_begin(struct out *o);
void cells_end(struct out *o, size_t begin, struct cell cell);

#endif
