/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template.h - lines as --format spells them: '{time} {pid:>7} {comm:15} {command:.80}'.
 *
 * A name in braces stands for that column; behind a colon < ^ or > say where in its
 * width it stands, and a dot how wide it may be. {{ and }} are braces, \n \t and \\ what
 * they are in C. A line ends with a newline, whether the template says so or not.
 */
#ifndef EXECTRACE_TEMPLATE_H
#define EXECTRACE_TEMPLATE_H

#include "columns.h"
#include "out.h"
#include "say.h"
#include "when.h"

#define TEMPLATE_WIDTH_MAX 1000

enum template_place { TEMPLATE_USUAL, TEMPLATE_LEFT, TEMPLATE_MIDDLE, TEMPLATE_RIGHT };

/* Where a column stands. */
struct template_slot {
	size_t text;	/* bytes of the texts up to here */
	unsigned width;	/* at least */
	unsigned most;	/* 0: as wide as it is */
	enum template_place place;
};

struct template {
	char *text;		/* what stands between the columns, all of it */
	size_t len;
	struct columns columns;	/* one for each of: */
	struct template_slot slots[COLUMNS_MAX];
};

/* NULL with *why filled: a mistake, with a caret below it. */
struct template *template_parse(const char *text, struct reason *why);
void template_free(struct template *t);
/* cells: those of t->columns, as cells_make makes them. scratch: memory to work in. */
void template_line(const struct template *t, struct out *o, const char *cells,
		   const struct when *w, int64_t wall, int32_t offset, struct out *scratch);

#endif
