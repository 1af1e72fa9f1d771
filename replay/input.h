/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input.h - the events of several captures that a filter lets through, in the
 * order of time: each source is a feed (feed.h), or several where its segments
 * are of the same time, and feeds are merged by wall clock.
 */
#ifndef EXECTRACE_INPUT_H
#define EXECTRACE_INPUT_H

#include "filter.h"
#include "out.h"
#include "source.h"

struct input;
struct descent;
struct input_row;

struct input_options {
	const struct filter *filter;	/* borrowed */
	bool whole;			/* check also what the filter needs not read */
	bool utc;			/* times in options that name no zone are UTC */
	uint64_t fields;		/* bits of the fields to fill, no lists; 0: all */
	bool all;			/* hand out also what does not match: input_row.matches */
	struct descent *descent;	/* of the filter's descendants, borrowed; NULL: its own */
	bool one_boot;			/* the sources' boot clock is the same: merge by ts */
	bool progress;			/* tell on the terminal how far it is, if it takes long */
	unsigned jobs;			/* threads to read with, at most CREW_MAX; 0: one */
	/* Called with each record, in front of the rows that it brings. NULL: none. */
	void (*record)(void *ctx, const struct source *s, const struct et_record *rec);
	/*
	 * Writes what will be printed of a row, where that depends on the row alone: the
	 * threads that read do it, for as many rows as they find room for. What is behind ctx
	 * all of them share. NULL: none.
	 */
	void (*render)(const void *ctx, const struct input_row *row, struct out *o);
	/* Called before waiting for a pipe: hand out what is buffered. NULL: none. */
	void (*idle)(void *ctx);
	void *ctx;
};

struct input_row {
	struct et_event ev;
	int64_t wall;			/* ns since 1970 UTC */
	const struct source *source;	/* its names and zone */
	bool matches;			/* the filter lets it through */
	struct et_chunk *chunk;		/* for columns that et_event has no room for */
	uint32_t row;
	const char *text;		/* what render has written; then ev is not filled. Else NULL */
	size_t text_len;
};

/* Takes the sources over, also when it fails with -1 for want of memory. */
int input_open(struct source **sources, size_t n, const struct input_options *opt,
	       struct input **out);
/* Closes the sources too. NULL is fine. */
void input_close(struct input *in);
/*
 * The next event: ET_OK, ET_EOF when all is read, or ET_NOMEM. *row and what it
 * points to is borrowed until the next call.
 */
int input_next(struct input *in, struct input_row *row);
/* Reads on to the end and hands nothing out: what the sources lack is then known. */
int input_rest(struct input *in);
/* What was read of which segments, over all sources. */
const struct ledger *input_ledger(const struct input *in);

#endif
