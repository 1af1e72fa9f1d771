/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - one capture being read: a file, standard input or a pipe, with what
 * it has said about itself so far and what was found wrong with it.
 */
#ifndef EXECTRACE_SOURCE_H
#define EXECTRACE_SOURCE_H

#include <exectrace.h>

#include "follow.h"
#include "ledger.h"
#include "say.h"

/* Faults told apart; more are only counted. */
#define SOURCE_FAULTS 5

/*
 * A record as the reader gave it, perhaps while those in front of it are still on their
 * way: what came with it counts from source_reach on.
 */
struct source_step {
	struct et_record rec;
	enum et_code code;	/* ET_OK; ET_EOF: no record, but the end; else why reading stopped */
	struct et_error error;
	struct et_reader_stats stats;
	struct et_error faults[SOURCE_FAULTS];
	uint64_t n_faults, fault_at;
	struct et_error failure; /* why learning from it has stopped reading behind it, or ET_OK */
};

struct source {
	char *name;		/* for messages */
	int fd;			/* the reader's */
	bool pipe;		/* bytes come in their own time */
	uint64_t size;		/* bytes of a regular file, else 0 */
	struct et_io io;	/* until source_release gives it away */
	bool capture;		/* it begins like one; */
	const char *guessed;	/* what it may be instead, or NULL */
	uint64_t origin;	/* where in it the capture begins */
	struct et_reader *reader;
	struct et_context *names;
	uint64_t boot;		/* the same in segments of one boot of a machine */

	struct et_column *extra; /* columns of this segment that no et_field describes */
	unsigned n_extra;
	uint64_t columns[4];	/* ids of the columns of this segment, a bit each */
	uint64_t left_out[4];	/* of those that only a later version can read */

	bool started;		/* start holds */
	bool rows;		/* there were rows: offset holds */
	int64_t start;		/* wall time of the capture's first moment */
	int32_t offset;		/* of local time there from UTC, seconds */

	struct et_error faults[SOURCE_FAULTS];
	uint64_t n_faults;
	uint64_t fault_at;	/* offset of the last */
	uint64_t unreadable;	/* rows of chunks that could not be decoded */
	uint64_t undecoded;	/* bits of the columns that some chunk has in a later coding */
	struct et_error failure; /* why reading stopped before the end, or ET_OK */
	bool ended;		/* read to its end */
	uint64_t shown;		/* events handed out */

	/* Of steps that were read and not reached. */
	unsigned n_ahead;
	struct source_step *step; /* that is being read; NULL: none */
	struct et_reader_stats seen; /* with the last step that was reached, but for late ones */
	struct et_reader_stats late; /* what source_settle has found */

	/* What was read of which segments: in this capture, and in all that are read together. */
	struct ledger *own;
	struct ledger *all;	/* borrowed; NULL: only this one is */
	size_t own_at, all_at;	/* the segment at hand */
	bool fresh;		/* the rows at hand are no copy of others of this capture; */
	bool wanted;		/* nor of others of all */
	struct ledger_rows last; /* the row record at hand */
	uint64_t missing_seen, unread_seen; /* by the reader, when the record came */
	uint64_t again[ET_KIND_END]; /* rows that are copies of others of this capture */
	unsigned again_segments;
	uint64_t elsewhere;	/* rows that another capture gave */
	char *gone;		/* segments of its recording that are missing, a clause; or NULL */

	/* A file as it grows, source_follow; its reader is NULL until there is a capture. */
	struct follow *follow;	/* NULL: not so */
	struct et_reader_stats past; /* of the files before this one */
	uint64_t next_at;	/* where the next record begins */
	bool closed;		/* END was the last that was read */
	bool stopped;		/* no more was wanted */

	/* Its segments, each a source, when they are read side by side: source_split. */
	struct source **parts;
	size_t n_parts;
	struct source *whole;	/* of a part: what it is a part of, and tells for it */
	uint64_t base;		/* of a part: its offset in the whole */
};

/*
 * Opens and reads nothing yet. name of "-": standard input. On -1 *out is NULL
 * and *why says why.
 */
int source_open(const char *name, struct source **out, struct reason *why);
/* As source_open, on a descriptor, which it then owns. */
int source_open_fd(int fd, const char *name, struct source **out, struct reason *why);
/* Reads the first FILE_HEADER, to be done once and first. On -1 only source_close is due. */
int source_begin(struct source *s, struct reason *why);
/* Instead of it, for those who read bytes: the io is the caller's. */
void source_release(struct source *s, struct et_io *io);
/* Fills *why with what a failure to begin means; returns -1. */
int source_refuse(const struct source *s, const struct et_error *err, struct reason *why);
/*
 * Opens and begins on an io, which it then owns; what it reads is no pipe. fd: a file
 * with the same bytes, borrowed, to tell what else it may be if it is no capture; -1:
 * it is one for certain.
 */
int source_open_io(const struct et_io *io, int fd, const char *name, struct source **out,
		   struct reason *why);
/*
 * As source_open, but goes on when the file grows or another takes its name. What
 * is no regular file, and does not grow by itself, is opened as ever.
 */
int source_follow(const char *name, follow_tell *tell, struct source **out, struct reason *why);
void source_close(struct source *s);
/* Why a regular file is no capture; NULL when it begins like one or cannot be told. */
const char *source_guess(int fd, bool *capture);

/*
 * The next record. False at the end, also when reading failed (.failure). The
 * caller passes each record on to source_take before it asks for the next.
 */
bool source_next(struct source *s, struct et_record *rec);
/*
 * Learns what the record says about the capture. A FILE_HEADER forgets the
 * names of the segment before, so hand that segment's events out first.
 */
void source_take(struct source *s, const struct et_record *rec);

/*
 * The same in steps, of a source that does not follow, for reading ahead: source_advance for
 * several records; then source_reach for each, in their order, and source_account. Of
 * records of names source_learn is due before the next is read.
 */
void source_advance(struct source *s, struct source_step *step);
/* As source_next, of the step that was read first. */
bool source_reach(struct source *s, const struct source_step *step);
/* The names that the record read last tells, if it is one of names. step: if not reached yet. */
void source_learn(struct source *s, const struct et_record *rec, struct source_step *step);
void source_account(struct source *s, const struct et_record *rec);
/* What loading a chunk of et_reader_later has found, which counts now: ET_OK or what is wrong. */
int source_settle(struct source *s, struct et_chunk *c, struct et_error *err);
/* Whether rows of the segment at hand came before already: then some may be copies. */
bool source_is_copy(const struct source *s);
/* What its reader had met when the record that was reached last came. */
void source_reader_stats(const struct source *s, struct et_reader_stats *out);
/* The record's chunk could not be had: its rows are missing. */
void source_failed(struct source *s);
/* Notes what the rows of kind lost of the record at hand tell of that time, wall clock. */
void source_losses(struct source *s, struct et_chunk *c, int64_t since, int64_t until);
/* Notes an event that was handed out. */
void source_shown(struct source *s);
/* The one handed out last is not shown after all. */
void source_hidden(struct source *s);
/* What its reader has met, or those of its parts; of copies of a segment, what all have together. */
void source_stats(const struct source *s, struct et_reader_stats *out);
/* Notes that columns, a bit for each id, where the segment has them, are shown of no row of some chunk. */
void source_leave_out(struct source *s, const uint64_t columns[4]);
/* Notes that the record at hand could not be decoded. */
void source_fault(struct source *s, const struct et_record *rec, const struct et_error *err);
/*
 * Of a pipe, when the record at hand is done with: waits until there is something
 * to read, at most so many milliseconds (-1: for ever). False when there is not.
 */
bool source_wait(struct source *s, int milliseconds);

/*
 * Opens the segments of a regular file as parts, if the times of some of them
 * overlap, so that their events can be merged. They belong to s, which from then
 * on is only for names and reports. It stays without parts where that changes
 * nothing or cannot be done: then it is to be read in order. -1: no memory.
 */
int source_split(struct source *s);
/* For source_split. Takes the io over. ET_OK or why not. */
int source_open_part(struct source *s, const struct et_io *io, uint64_t base);
/* Forgets the parts: s is to be read in order, from its beginning. */
void source_unsplit(struct source *s);

#endif
