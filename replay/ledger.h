/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - what was read of which segments, and what is missing of them.
 *
 * A segment may come more than once: the same file given twice, captures that overlap
 * because each holds what a recorder still had in memory, a copy that was made while
 * the segment was being written. By its file_id and the count of rows (SPEC.md 6.3)
 * each row is taken once, from the first copy that has it, so that one copy makes up
 * for what another lacks. There is a ledger of each capture, which is what is said of
 * it, and one of all that are read together, by which events are handed out.
 */
#ifndef EXECTRACE_LEDGER_H
#define EXECTRACE_LEDGER_H

#include <exectrace.h>

#include "losses.h"

/* So many are told apart, and as many holes in each; beyond that `over` is set. */
#define LEDGER_SEGMENTS 65536
#define LEDGER_HOLES 256
/* A segment that is not told apart. */
#define LEDGER_NONE SIZE_MAX

/* Rows that are missing, by their number in the segment. */
struct ledger_hole {
	uint64_t from, to;
	uint64_t at;		/* offset in the capture where that was found */
	uint64_t losses;	/* of them, rows of kind lost, as far as a head tells */
	int64_t first, last;	/* wall clock, ns, between which they lie; LOSS_NO_END: not known */
};

struct ledger_segment {
	uint8_t id[8];
	struct et_clock started;
	const void *owner;	/* who had it first */
	uint64_t end_at;	/* without END: where in the capture it ends */
	uint64_t next;		/* rows before this one were taken, or are holes */
	uint64_t losses;	/* rows of kind lost that were taken */
	struct ledger_counts *counts;	/* NULL: nothing was lost */
	struct ledger_hole *holes;
	unsigned n_holes, cap_holes;
	uint64_t missing;	/* rows in holes */
	uint64_t missing_losses; /* of them, of kind lost, as far as heads tell */
	uint64_t all_losses;	/* rows of kind lost that there are, where END says how many */
	int64_t first, edge;	/* wall clock, ns, of its beginning and of the latest row */
	bool has_first, has_edge;
	bool copied;		/* it came again when rows of it were taken */
	bool has_series, has_all, ended, not_ended, left, unread;
	uint8_t series[8];
	uint64_t number;
};

struct ledger {
	struct ledger_segment *v;
	size_t n, cap;
	uint32_t *sorted;	/* their indexes, by file_id */
	struct losses losses;	/* that rows told of */
	bool over;		/* something was not kept: what it says is not all */
};

/* What a row record says, for when its rows turn out not to be readable. */
struct ledger_rows {
	uint64_t seq, at;
	uint32_t rows;
	uint64_t losses;
	int64_t first, last;
};

/* Segments of a recording without a gap in their numbers (SERIES of SPEC.md 3.2). */
struct ledger_series {
	uint8_t id[8];
	uint64_t first, last;	/* numbers */
	const void *first_owner, *last_owner;
	uint64_t twice;		/* numbers that several segments have, as of a copy made anew */
	bool goes_on;		/* the next of the array is of the same recording, behind a gap */
};

struct ledger *ledger_new(void);	/* NULL: no memory */
void ledger_free(struct ledger *l);

/* A FILE_HEADER: the index of its segment from now on. owner is only handed back. */
size_t ledger_segment(struct ledger *l, const struct et_record *rec, const void *owner);
/*
 * A record of the segment, at that offset of its capture. jumped: what is before it was
 * passed over and is not missing. False: its rows were taken from another copy.
 */
bool ledger_record(struct ledger *l, size_t segment, const struct et_record *rec, uint64_t at,
		   bool jumped);
/* Rows that were taken cannot be read after all. */
void ledger_failed(struct ledger *l, size_t segment, const struct ledger_rows *rows);
/*
 * The rows of kind lost of a record that was taken; those are listed that may tell of some
 * moment from since on and before until.
 */
void ledger_losses(struct ledger *l, size_t segment, struct et_chunk *c, int64_t since,
		   int64_t until);
/* Nothing more comes of this copy; at: where it ends. unread: its rest was passed over. */
void ledger_left(struct ledger *l, size_t segment, uint64_t at, bool unread);

/* Fills in what is known here better: rows missing, lost, how many segments and how they ended. */
void ledger_stats(const struct ledger *l, struct et_reader_stats *st);
/*
 * All losses, those that only heads have counted too (LOST of SPEC.md 3.2): of these it
 * is only known in which segment they happened. -1: no memory.
 */
int ledger_all_losses(const struct ledger *l, struct losses *out);
/* By recording and number; *out is to be freed. -1: no memory. */
int ledger_series(const struct ledger *l, struct ledger_series **out, size_t *n);

#endif
