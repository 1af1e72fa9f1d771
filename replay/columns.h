/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns.h - columns by their names: every field of et_fields[], and what follows from
 * several of them. cells.h says what a row has in each.
 */
#ifndef EXECTRACE_COLUMNS_H
#define EXECTRACE_COLUMNS_H

#include <exectrace.h>

#include "out.h"
#include "say.h"

/* Columns that are no field of their own. */
enum column_id {
	COLUMN_TIME = ET_FIELD_END,
	COLUMN_USER,
	COLUMN_GROUP,
	COLUMN_LOGIN_USER,
	COLUMN_CONTAINER,
	COLUMN_ERROR,
	COLUMN_SIGNAL_NAME,
	COLUMN_DURATION,
	COLUMN_RESULT,
	COLUMN_COMMAND,
	COLUMN_NAMED,		/* behind this they are of the usual table alone: */
	COLUMN_WHO = COLUMN_NAMED, /* user, as it stands */
	COLUMN_WHAT,		/* command, and how long it ran */
	COLUMN_END
};

#define COLUMNS_MAX 64

struct columns {
	uint8_t ids[COLUMNS_MAX]; /* of et_field_id or column_id */
	unsigned n;
};

/* Names between commas. -1 fills *why. */
int columns_parse(struct columns *c, const char *list, struct reason *why);
/* The id of a name; 0: there is no such column. */
unsigned columns_find(const char *name, size_t len);
const char *columns_name(unsigned id);
/* Whether its values stand below each other by their last digits. */
bool columns_numeric(unsigned id);
/* Wide enough for what is usual, so that few lines are out of line with those above. */
unsigned columns_width(unsigned id);
/* Those of the table and of CSV where none are asked for. */
extern const struct columns columns_of_table, columns_of_csv;
/* All names, with a line about each. */
void columns_help(struct out *o);

#endif
