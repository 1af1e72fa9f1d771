/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeline.h - which processes ran when: those that ran longest, or all by command.
 *
 * A process runs from where it was forked, or was first heard of, to its end. It is shown
 * if any row that matches is about it, whenever that is, and it ran within the window; of
 * its time counts what lies in there.
 *
 * Memory: the bars that are kept, and by command TIMELINE_LANES lanes of 16 KiB.
 */
#ifndef EXECTRACE_TIMELINE_H
#define EXECTRACE_TIMELINE_H

#include "out.h"
#include "processes.h"

/* What timeline_row has to know of a row, as bits of fields. */
#define TIMELINE_FIELDS \
	(PROCESSES_FIELDS | 1ull << ET_F_COMM | 1ull << ET_F_EXIT_CODE | 1ull << ET_F_SIGNAL)

#define TIMELINE_COMM 16
#define TIMELINE_BARS (1u << 20)
#define TIMELINE_LANES 1024u
#define TIMELINE_SLOTS 2048u /* of a lane */

enum timeline_result {
	TIMELINE_RUNS,	  /* when the capture ends */
	TIMELINE_UNKNOWN, /* how it ended is not in the capture */
	TIMELINE_CODE,
	TIMELINE_SIGNAL,
};

/* A process. Times are places, as in span.h. */
struct timeline_bar {
	int64_t begin, end;
	uint64_t order; /* of processes that begin at once */
	uint32_t pid;
	uint32_t code; /* or signal */
	uint8_t result;
	uint8_t len;
	char comm[TIMELINE_COMM]; /* what it executed last; not always NUL-terminated */
};

/* All processes of a command. */
struct timeline_lane {
	uint64_t count, time; /* processes, and ns that they ran in all */
	uint8_t len;	      /* 0: those of commands that are not kept apart */
	char comm[TIMELINE_COMM];
	uint64_t slots[TIMELINE_SLOTS]; /* ns that they ran in each slot of time */
};

struct timeline_options {
	const struct filter *filter; /* of which the window is; borrowed */
	bool utc;
	bool by_command;
	size_t top; /* bars, or lanes that are shown */
};

struct timeline;

/* NULL: no memory. */
struct timeline *timeline_new(const struct timeline_options *opt);
/* The next row, of all there are, in the order of time. ET_OK or ET_NOMEM. */
int timeline_row(struct timeline *t, const struct input_row *row);
/* There are no more. longest: the longest first, else in the order of beginning. Likewise. */
int timeline_end(struct timeline *t, bool longest);
void timeline_free(struct timeline *t);

/* What there is, after timeline_end. */
struct timeline_shown {
	struct timeline_bar *bars;    /* or: */
	struct timeline_lane **lanes;
	size_t n;
	uint64_t processes;	      /* in all */
	size_t commands;	      /* in all, or as far as they are kept apart */
	int64_t from, until;	      /* places: the window; until > from */
	int64_t zero;		      /* wall time of place 0 */
	int32_t offset;		      /* of local time from UTC, seconds */
	uint64_t slot;		      /* of a lane: ns; the first begins at from */
	bool any;		      /* rows */
};

const struct timeline_shown *timeline_shown(const struct timeline *t);

struct timeline_style {
	size_t width; /* columns of a line */
	bool ascii, header;
};

/* The narrowest that can be printed. */
#define TIMELINE_WIDTH_MIN 60u

void timeline_print(const struct timeline *t, const struct timeline_style *style,
		    struct out *o);

#endif
