/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain.h - the segments of a recording, one after the other: which one a parcel goes to,
 * when the next one begins, which losses are told where, and what becomes of the
 * recording when its output takes no more.
 *
 * A recording of one segment ends then. One of several goes on in another file, or later,
 * when it can be written again, and tells what is missing.
 *
 * The writer's thread alone uses it.
 */
#ifndef EXECTRACE_CHAIN_H
#define EXECTRACE_CHAIN_H

#include "notes.h"
#include "segment.h"
#include "writer.h"

struct living;

struct chain {
	const struct writer_setup *setup;
	struct notes *notes;		/* for the user */
	struct segment_setup common;
	struct segment segment;
	struct names *names;
	struct writer_report report;
	bool begun;			/* recording is under way */
	bool failed;			/* nothing can be written now */
	bool removed;			/* and the file at hand is no more */
	bool stays;			/* the next file could not be made; it was told */
	uint64_t outcomes;		/* how often a next file has begun, or could not */
	uint64_t retry_at;		/* ns: either is tried again */
	struct et_clock started;	/* the segment */
	uint64_t closed_bytes;		/* of the files before this one */
	uint64_t lost[ET_CAUSE_END];	/* so far, in all */
	uint64_t told[ET_CAUSE_END];	/* of these, those of which rows in some file tell */
	uint64_t first;			/* ts of the first row that was not written */
	struct et_clock latest;		/* everything up to there was seen */

	/* Of a recording of several segments: who lives. */
	struct living *living;		/* NULL: it is of one */
	struct et_walk *walk;
	uint64_t swept[ET_CAUSE_END];	/* lost by the last time it was looked who does not */
};

/* setup and notes are borrowed. False: no memory; free it all the same. */
bool chain_init(struct chain *c, const struct writer_setup *setup, struct notes *notes);
void chain_free(struct chain *c);

/* What the recording begins with. False: it cannot be written, see report. */
bool chain_begin(struct chain *c);
/* The next parcel. */
void chain_take(struct chain *c, const struct parcel *p);
/* The end; report is complete then. lost: before the writer, by cause. */
void chain_finish(struct chain *c, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		  const char *reason);

/* Written so far, in all files. */
uint64_t chain_bytes(const struct chain *c);

#endif
