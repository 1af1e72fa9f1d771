/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account.h - what was read of a source and what it lacks, as far as its records were
 * taken, however far its reader is ahead: for source.c, whose functions about that stand
 * in source.h.
 */
#ifndef EXECTRACE_ACCOUNT_H
#define EXECTRACE_ACCOUNT_H

#include "source.h"

/* Who tells for a part. */
static inline struct source *source_teller(struct source *s)
{
	return s->whole ? s->whole : s;
}

/* The segment at hand is left. */
void account_leave(struct source *s);
/* A record was reached. */
void account_take(struct source *s, const struct et_record *rec);
/* The reader's stats without what was settled, which comes at its own time. */
void account_note(const struct source *s, struct et_reader_stats *st);
/* Settling a chunk has changed them. */
void account_late(struct source *s, const struct et_reader_stats *before,
		  const struct et_reader_stats *after);
/* The reader is done with; another may follow. */
void account_past(struct source *s);

#endif
