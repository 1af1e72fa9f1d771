/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sort.h - what events are sorted by: columns, each up or down. Of a row it makes a key
 * of bytes, and bytes compared are the columns compared: numbers as numbers, text
 * byte by byte. What is not known comes last, either way.
 */
#ifndef EXECTRACE_SORT_H
#define EXECTRACE_SORT_H

#include "columns.h"
#include "input.h"

#define SORT_MAX 16

struct sort {
	uint8_t ids[SORT_MAX];
	bool down[SORT_MAX];
	unsigned n; /* 0: as they come */
};

/* Names between commas, those with a dash in front are down. -1 fills *why. */
int sort_parse(struct sort *s, const char *list, struct reason *why);
/* Appends the key. o is in memory. */
void sort_key(const struct sort *s, struct out *o, const struct input_row *row);

#endif
