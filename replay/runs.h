/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runs.h - lines that wait, sorted, in a file: each run is sorted in itself, and all of
 * them are merged through a buffer for each.
 */
#ifndef EXECTRACE_RUNS_H
#define EXECTRACE_RUNS_H

#include "order.h"

struct item_head {
	uint64_t seq; /* in which order they came */
	int64_t wall;
	uint32_t key_len, len;
	int32_t offset;
	uint32_t whose;
};

/* A line in memory: its key, and behind that what it is made of. */
struct item {
	struct item_head head;
	char bytes[];
};

/* NULL: no memory. */
struct item *item_new(const struct order_line *line, uint64_t seq);
/* Bytes of memory that it takes. */
size_t item_bytes(const struct item *item);
void item_line(const struct item_head *head, const char *bytes, struct order_line *line);
/* < 0: a goes before b. No two are equal. */
int item_compare(const struct item_head *a, const char *a_key, const struct item_head *b,
		 const char *b_key, bool backwards);

struct runs;

/* fd and error are order_options'. NULL: no memory. */
struct runs *runs_new(int fd, int error, size_t memory);
/* NULL is fine. */
void runs_free(struct runs *r);
/* Items that are sorted. -1 fills *why. */
int runs_add(struct runs *r, struct item *const *items, size_t n, struct reason *why);
uint64_t runs_items(const struct runs *r);
/* No more are added. -1 fills *why. */
int runs_merge(struct runs *r, bool backwards, struct reason *why);
/* As order_next. */
int runs_next(struct runs *r, struct order_line *line, struct reason *why);

#endif
