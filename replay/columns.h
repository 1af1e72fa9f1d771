/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns.h - events as a table of the columns that were asked for: every field of
 * et_fields[] by its name, and what follows from several of them.
 */
#ifndef EXECTRACE_COLUMNS_H
#define EXECTRACE_COLUMNS_H

#include "input.h"
#include "out.h"
#include "say.h"

#define COLUMNS_MAX 64

struct columns {
	uint8_t ids[COLUMNS_MAX]; /* fields, or columns of our own behind them */
	unsigned n;
	unsigned widths[COLUMNS_MAX]; /* grow with what has been shown */
};

/* Names between commas. -1 fills *why. */
int columns_parse(struct columns *c, const char *list, struct reason *why);
/* Whether the time of day is among them. */
bool columns_have_time(const struct columns *c);
/* All names, with a line about each. */
void columns_help(struct out *o);
void columns_titles(struct columns *c, struct out *line);
/* A row without the line's end. offset: the zone of its times. */
void columns_row(struct columns *c, struct out *line, const struct input_row *row,
		 int32_t offset, bool date);

#endif
