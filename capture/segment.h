/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment.h - one capture as it is written, from its header to its end: what it begins
 * with, parcels of events and what they name, losses, and what becomes of it when a write
 * fails. A recording has one or, where it goes on in other files or in memory, one after
 * another (SPEC.md 1).
 *
 * The writer's thread alone uses it.
 */
#ifndef EXECTRACE_SEGMENT_H
#define EXECTRACE_SEGMENT_H

#include <exectrace.h>

#include "ids.h"

struct binaries;
struct names;
struct output;
struct parcel;

/* What all segments of a recording have in common; borrowed. */
struct segment_setup {
	struct output *output;
	struct binaries *binaries;
	struct names *names;
	struct et_writer_options options;	/* but for started and number */
	const struct et_pair *pairs;	/* of HOST */
	size_t n_pairs;
};

/* How it is known which processes lived when it began; ids and strings as in events. */
typedef int segment_proc_fn(void *ctx, const struct et_event *ev);
struct segment_procs {
	/* Hands each to fn. 0, a positive errno, or what fn returned if that was negative. */
	int (*each)(void *ctx, segment_proc_fn *fn, void *fn_ctx);
	void *ctx;
};

struct segment {
	const struct segment_setup *setup;
	struct et_writer *out;		/* NULL: there is none */
	uint64_t number;		/* in the recording, from 0 */
	uint64_t at;			/* where it begins in the output */
	uint64_t whole;			/* bytes of it up to the last whole record */
	uint64_t before[ET_CAUSE_END];	/* events lost before it, in all */
	bool has_rows;			/* some parcel brought events */
	bool ended;			/* it has an END */
	struct et_error error;		/* why the last call failed */
	int proc_error;			/* errno: what lived could not be told */
	struct et_batch *procs;
	struct ids proc_ids;
};

/*
 * Its beginning; one before it was closed. lost: in the recording before it,
 * by cause, as far as rows elsewhere tell of it. False: see error.
 */
bool segment_begin(struct segment *s, struct et_clock started, uint64_t at,
		   const uint64_t lost[ET_CAUSE_END], const struct segment_procs *procs);
/* lost: in the whole recording so far, by cause; so below. *rows: the events are written. */
bool segment_parcel(struct segment *s, const struct parcel *p, const uint64_t lost[ET_CAUSE_END],
		    bool *rows);
/* Rows for losses that no other row tells: by cause, of that time. */
bool segment_losses(struct segment *s, const uint64_t counts[ET_CAUSE_END], uint64_t first,
		    struct et_clock last, const uint64_t lost[ET_CAUSE_END]);
/* The rest of what the file is to explain, END and what makes looking things up faster. */
bool segment_end(struct segment *s, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		 const char *reason, unsigned patience);
/* END alone, where no room can be counted on. */
bool segment_end_short(struct segment *s, struct et_clock ended,
		       const uint64_t lost[ET_CAUSE_END], const char *reason);
/*
 * After a failure: cuts the output back to the last whole record, from where writing may go
 * on. 0 or an errno: the output ends in part of one.
 */
int segment_cut(struct segment *s);
/* Adds what it holds to out. */
void segment_stats(const struct segment *s, struct et_writer_stats *out);
/* It is over, whether it was ended or not; what follows is behind it. */
void segment_close(struct segment *s);
/* It could not be begun: nothing of it is left in the output, where that can be cut back. */
void segment_undo(struct segment *s);
void segment_free(struct segment *s);

#endif
