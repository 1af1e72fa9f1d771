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
	const struct input_options *opt;
	const struct scan_calls *calls;	/* NULL: rows are handed on by the feed, and checked; */
	bool renders;			/* and rendered at once */
	uint32_t text_max;		/* bytes of them, of a chunk; what is more is not rendered */
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
	/* By unit_render: of each row before n_text that is handed out, up to ends[row]. */
	bool rendered;
	struct out text;
	uint32_t *ends;
	uint32_t n_text;
};

struct unit *unit_new(void);	/* NULL: no memory */
/* Memory that it takes at most, once its chunk is there, bytes. */
uint64_t unit_cost(const struct unit *u);
/* It is not the crew's any more. */
void unit_free(struct unit *u);
/* Reads and checks the body of a chunk of et_reader_later; what is wrong et_reader_settle tells. */
void unit_load(struct unit *u);
/* Decodes, selects, and hands on to calls. */
void unit_make(struct unit *u, struct worker *w);
/*
 * Has the rows rendered as they would be now, if they were not yet: those for which there
 * is room. For chunks of which all columns can be read.
 */
void unit_render(struct unit *u);
/* What is rendered of a row; NULL: it is not. */
const char *unit_text(const struct unit *u, uint32_t row, size_t *len);
/* All, as a job. */
void unit_run(void *arg, unsigned worker);

#endif
