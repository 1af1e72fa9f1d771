/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.h - lines that wait until all are known, to be handed out sorted by their keys
 * and else in the order in which they came; or backwards; or of that only the first
 * or the last so many.
 *
 * What is not among those is let go at once. The rest is in memory up to ORDER_MEMORY, and
 * beyond that in a file, as sorted runs that are merged in the end.
 */
#ifndef EXECTRACE_ORDER_H
#define EXECTRACE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "say.h"

#define ORDER_MEMORY (64u << 20)
#define ORDER_ALL UINT64_MAX

struct order_options {
	bool backwards;
	uint64_t first;	/* how many from the front; ORDER_ALL */
	uint64_t last;	/* or from the back */
	size_t memory;	/* bytes to be kept in it */
	int fd;		/* of an empty file to read and write, borrowed; -1: there is none, */
	int error;	/* for this errno */
};

/* A line: of what it was made, and its key. */
struct order_line {
	const char *key, *made;
	uint32_t key_len, len;
	int64_t wall;
	int32_t offset;
	uint32_t whose; /* the caller's */
};

struct order;

/* NULL: no memory. */
struct order *order_new(const struct order_options *opt);
/* NULL is fine. */
void order_free(struct order *o);
/* Whether a line of that key, were it the next, could be among those handed out. */
bool order_wants(const struct order *o, const char *key, size_t len);
/* Keeps a copy of the line. -1 fills *why. */
int order_add(struct order *o, const struct order_line *line, struct reason *why);
/* No more come. -1 fills *why. */
int order_end(struct order *o, struct reason *why);
/* The next line, borrowed until the next call; 1, 0 behind the last, -1 with *why filled. */
int order_next(struct order *o, struct order_line *line, struct reason *why);

#endif
