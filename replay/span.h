/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * span.h - one line of time for rows of several boots and machines.
 *
 * Within a boot it is that of the boot clock, so that durations are exact whatever was
 * done to the wall clock; boots are laid beside each other by their wall clocks when they
 * were first heard of. Places are ns since the first row.
 */
#ifndef EXECTRACE_SPAN_H
#define EXECTRACE_SPAN_H

#include "input.h"
#include "processes.h"

struct span_boot {
	uint64_t boot;	/* as in struct process */
	int64_t offset;	/* place minus boot clock */
	int64_t end;	/* place of its last row */
};

/* Start it zeroed. */
struct span {
	struct span_boot *boots;
	size_t n, cap, last; /* last: the one that was asked for */
	int64_t zero;	     /* wall time of the first row */
	bool any;
};

void span_free(struct span *s);
/* The next row, and its place. ET_OK or ET_NOMEM. */
int span_take(struct span *s, const struct input_row *row, int64_t *at);
/* The place of a boot clock's time, of a boot that a row was of. */
int64_t span_at(struct span *s, uint64_t boot, uint64_t ts);
/* Where the rows of a boot end. */
int64_t span_end(struct span *s, uint64_t boot);
/* Wall time, ns since 1970 UTC, of place 0. */
int64_t span_zero(const struct span *s);

#endif
