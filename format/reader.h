/* SPDX-License-Identifier: BSD-2-Clause */
/* reader.h - the reader's state, shared by reader.c and resync.c. */
#ifndef ET_READER_H
#define ET_READER_H

#include "head.h"
#include "seek.h"
#include "source.h"

struct et_reader {
	struct source src;
	et_fault_fn *fault;
	void *fault_ctx;
	struct et_reader_stats stats;

	/* The segment at hand */
	uint8_t file_id[8];
	uint64_t segment_at;	/* its offset in the input */
	struct schema schema;
	uint64_t seq;		/* expected of the next record */
	bool ended;		/* END was met */
	bool foreign;		/* of a later format: its records are passed over */
	uint64_t lost[ET_CAUSE_END], lost_other;	/* cumulative, as last said */
	struct seek *seek;	/* NULL: everything is wanted */
	bool jumped;		/* the next record was not behind the one before */

	/* The record at hand */
	struct frame frame;
	struct buf head_bytes;
	struct head head;
	bool body_pending;
	bool counted;		/* its rows are in stats */
	struct buf body;
	bool lost_way;		/* no valid frame since damage */
	/*
	 * Bytes that may be read once more, in search of records within one that is not
	 * whole. 0: such a record is passed over. For recovery; needs an input that seeks.
	 */
	uint64_t doubt;
	bool at_end;
};

/* Tells of a fault that is passed over and counts the bytes. */
void reader_fault(struct et_reader *r, enum et_code code, uint64_t at, const char *what,
		  uint64_t bytes);

/*
 * Tells that the input ends in the midst of something; nothing follows. ours: of the
 * segment at hand, of which behind END there is only what can be done without.
 */
void reader_truncated(struct et_reader *r, uint64_t at, bool ours, const char *what);

/*
 * The record at offset at is not whole. With doubt left, goes back to look for others
 * within the bytes that it says are its own.
 */
void reader_doubt(struct et_reader *r, uint64_t at);

/*
 * After damage at offset at: fixed holds what was read of the would-be record.
 * Finds the next place where a record may begin (SPEC.md 6.2)
 * and stands there. ET_EOF: there is none.
 */
int reader_resync(struct et_reader *r, uint64_t at, const uint8_t *fixed, size_t fixed_len,
		  const char *what, struct et_error *err);

#endif
