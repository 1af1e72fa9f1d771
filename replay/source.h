/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - one capture being read: a file, standard input or a pipe, with what
 * it has said about itself so far and what was found wrong with it.
 */
#ifndef EXECTRACE_SOURCE_H
#define EXECTRACE_SOURCE_H

#include <exectrace.h>

#include "say.h"

/* Faults told apart; more are only counted. */
#define SOURCE_FAULTS 5

struct source {
	char *name;		/* for messages */
	int fd;			/* the reader's */
	bool pipe;		/* bytes come in their own time */
	uint64_t size;		/* bytes of a regular file, else 0 */
	struct et_reader *reader;
	struct et_context *names;

	struct et_column *extra; /* columns of this segment that no et_field describes */
	unsigned n_extra;

	bool started;		/* start and offset hold */
	int64_t start;		/* wall time of the capture's first moment */
	int32_t offset;		/* of local time there from UTC, seconds */

	struct et_error faults[SOURCE_FAULTS];
	uint64_t n_faults;
	uint64_t fault_at;	/* offset of the last */
	uint64_t unreadable;	/* rows of chunks that could not be decoded */
	struct et_error failure; /* why reading stopped before the end, or ET_OK */
	bool ended;		/* read to its end */
	uint64_t shown;		/* events handed out */
};

/* name of "-": standard input. On -1 *out is NULL and *why says why. */
int source_open(const char *name, struct source **out, struct reason *why);
/* As source_open, on a descriptor, which it then owns. */
int source_open_fd(int fd, const char *name, struct source **out, struct reason *why);
void source_close(struct source *s);

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
/* Notes that the record at hand could not be decoded. */
void source_fault(struct source *s, const struct et_record *rec, const struct et_error *err);
/*
 * Waits until there is something to read, at most so many milliseconds (-1: for
 * ever). False when there is not.
 */
bool source_wait(const struct source *s, int milliseconds);

#endif
