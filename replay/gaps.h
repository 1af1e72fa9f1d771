/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gaps.h - what could not be read of a source, as lost events.
 *
 * A gap in the count of rows, or a record whose rows could not be read, says how
 * many events are missing and between which times. Each source is watched record by
 * record; the gaps of all wait here until the events before them were written.
 */
#ifndef EXECTRACE_GAPS_H
#define EXECTRACE_GAPS_H

#include <exectrace.h>

#include "source.h"

/* A reader holds a few chunks at most, so a fault is about one of the last. */
#define GAPS_RECENT 8

/* What is known of one source. Start it zeroed but for source. */
struct gaps_watch {
	const struct source *source;
	uint64_t expected;	/* seq of the next record, if nothing is missing */
	uint64_t missing, unreadable; /* noticed so far */
	bool has_edge;
	uint64_t edge;		/* nothing is missing up to there, ns */
	struct {
		uint64_t at, first, last;
		int64_t offset;
	} recent[GAPS_RECENT];	/* row records */
	unsigned n_recent;	/* all there were */
};

#define GAPS_WAITING 64

struct gap {
	uint64_t first, last, count;
	int64_t offset;		/* of the wall clock */
};

/* Gaps on their way, ascending. Start it zeroed. */
struct gaps {
	struct gap v[GAPS_WAITING];
	unsigned n;
};

/* Looks at the source when it has read the head of rec; NULL: when it is at its end. */
void gaps_record(struct gaps *g, struct gaps_watch *w, const struct et_record *rec);
/* Looks whether rows of chunks handed over before have turned out to be unreadable. */
void gaps_rows(struct gaps *g, struct gaps_watch *w);
/* Takes out the first gap if it begins before ts. */
bool gaps_next(struct gaps *g, uint64_t ts, struct gap *out);
/* As an event of kind lost. */
void gap_event(const struct gap *gap, struct et_event *ev);

#endif
