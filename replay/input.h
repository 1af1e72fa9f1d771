/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input.h - the events of several captures that a filter lets through, in the
 * order of time.
 *
 * Within a capture events come in the order of the recorder's ring, where CPUs
 * step over each other by microseconds; input sorts them through a bounded
 * window. Captures are merged by wall clock. Where the boot clock starts anew,
 * between two segments of one file, the order of the file stands.
 */
#ifndef EXECTRACE_INPUT_H
#define EXECTRACE_INPUT_H

#include "filter.h"
#include "source.h"

struct input;

struct input_options {
	const struct filter *filter;	/* borrowed */
	bool durations;			/* fill input_row.duration */
	bool utc;			/* times in options that name no zone are UTC */
	uint64_t fields;		/* bits of the fields to fill, no lists; 0: all */
	/* Called before waiting for a pipe: hand out what is buffered. NULL: none. */
	void (*idle)(void *ctx);
	void *ctx;
};

struct input_row {
	struct et_event ev;
	int64_t wall;			/* ns since 1970 UTC */
	uint64_t duration;		/* of an exit, ns; ET_NONE: not known */
	const struct source *source;	/* its names and zone */
	struct et_chunk *chunk;		/* for columns that et_event has no room for */
	uint32_t row;
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
/*
 * How many events there are, at most limit, without building any: records that
 * match by their heads alone are not even read.
 */
int input_count(struct input *in, uint64_t limit, uint64_t *count);

#endif
