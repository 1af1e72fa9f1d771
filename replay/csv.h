/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csv.h - events as lines of CSV (RFC 4180, but that a line ends with a newline alone):
 * under each name of a column what JSON says of it, as text; lists are JSON themselves.
 *
 * An event is one line. Bytes that are not UTF-8 and characters that change what a
 * terminal shows, newlines among them, become U+FFFD: who needs them takes JSON.
 */
#ifndef EXECTRACE_CSV_H
#define EXECTRACE_CSV_H

#include "columns.h"
#include "input.h"
#include "out.h"
#include "when.h"

/* A text as a cell. */
void csv_text(struct out *o, const char *s, size_t n);
/* Puts what was put since begin into quotes, where a reader would split it else. */
void csv_quote(struct out *o, size_t begin);

void csv_titles(struct out *o, const struct columns *c);
/* cells: n of those that cells_csv makes. */
void csv_line(struct out *o, const char *cells, unsigned n, const struct when *w, int64_t wall,
	      int32_t offset);

#endif
