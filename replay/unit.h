/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - a record of a source on its way through a feed, with what was made of its
 * rows. Where a crew reads ahead, its threads make it before the feed comes to it; else
 * the feed's own makes it then.
 */
#ifndef EXECTRACE_UNIT_H
#define EXECTRACE_UNIT_H

#include "crew.h"
#include "event.h"
#include "filter.h"
#include "scan.h"
#include "source.h"

/* What a worker has of its own. All zero is empty. */
struct worker {
	struct filter_scratch scratch;
	struct et_decoder *decoder; /* NULL: none yet, or no memory */
	void *state;		/* of scan_calls */
};

/* What the units of an input have in common, and nobody changes while one is under way. */
struct unit_shared {
	const struct scan_calls *calls;	/* NULL: rows are handed on by the feed, and checked; */
	bool every;			/* also those that are not selected */
	struct worker *workers;		/* crew_size of them */
};

struct unit {
	struct source_step step;
	struct unit *next;
	const struct unit_shared *shared;
	const struct filter_scope *scope;
	struct source *source;
	char *comms;		/* what step.rec.comms points to; NULL: still the reader's */
	bool has_may, may;	/* whether a row may match, by the head; */
	bool all;		/* whether all do */
	bool check;		/* only the body is to be checked */
	bool learned;		/* its names were taken */
	bool waits;		/* for room among the crew's jobs */
	bool added;		/* to the crew, and it is not known to be done */
	bool stays;		/* the reader may not move on before it was taken */

	struct job job;
	/* What making it has given. */
	struct et_chunk *chunk;	/* NULL: it is not asked for, or not yet */
	bool unread, loaded;	/* its body is still to be read; was, by unit_load */
	bool made;		/* what follows holds */
	uint8_t *selected;	/* a byte for each row */
	uint32_t n_selected;
	int code;		/* ET_OK, or why there are no rows: */
	struct et_error error;
	int columns_code;	/* ET_OK, or why not all columns that are due can be read: */
	struct et_error columns_error;
	struct event_columns left_out;
};

struct unit *unit_new(void);	/* NULL: no memory */
/* It is not the crew's any more. */
void unit_free(struct unit *u);
/* Reads and checks the body of a chunk of et_reader_later; what is wrong et_reader_settle tells. */
void unit_load(struct unit *u);
/* Decodes, selects, and hands on to calls. */
void unit_make(struct unit *u, struct worker *w);
/* Both, as a job. */
void unit_run(void *arg, unsigned worker);

#endif
