/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed.h - the events of one source that a filter lets through, in the order of
 * time.
 *
 * Within a capture events come in the order of the recorder's ring, where CPUs
 * step over each other by microseconds; a feed sorts them through a bounded
 * window. Where the boot clock starts anew, between two segments, the order of
 * the file stands.
 */
#ifndef EXECTRACE_FEED_H
#define EXECTRACE_FEED_H

#include "crew.h"
#include "filter.h"
#include "input.h"
#include "progress.h"
#include "rows.h"
#include "source.h"
#include "unit.h"

/*
 * Chunks kept for rows that wait; rather than pile up more, rows are handed out
 * early. Of the recorder's chunks two reach over the window at its busiest. What a
 * chunk decodes to is bounded by its rows and by the format, at the most to some
 * 128 MiB, and with one of as many rows as can be no more than one other is kept.
 */
#define FEED_HELD_MAX 4
#define FEED_HELD_ROWS 262144u

struct feed_held {
	struct unit *unit; /* NULL: free */
	uint32_t left;     /* rows of it that wait */
	bool checked;      /* all its columns can be read */
};

/* What the feeds of an input have in common. */
struct feed_shared {
	struct input_options opt;
	struct crew *crew;
	struct unit_shared unit;
	bool in_turn;      /* nothing is to be read ahead */
	struct progress progress;
	struct rows spare; /* for sorting */
};

/* Zero but for shared and source, which is borrowed, it is ready for use. */
struct feed {
	struct feed_shared *shared;
	struct source *source;
	struct filter_scope scope;

	int64_t head; /* time of the row that is next, while one is ready: input_options.one_boot */

	/* The rest is the feed's own, and that of ahead.h. */
	struct unit *first, *last; /* records that were read, and not taken */
	unsigned n_units;
	uint64_t at;               /* where the last that was taken ends, for progress */
	struct rows rows;
	struct feed_held held[FEED_HELD_MAX];
	unsigned n_held;
	uint64_t held_rows; /* of these chunks, also those that do not wait */
	uint64_t newest;    /* highest ts of the segment so far */
	uint64_t release;   /* rows up to this ts may go */
	struct feed_held *lent; /* its row was handed out last; NULL: none */

	struct unit *stalled; /* a FILE_HEADER that waits for the rows before it; or NULL */
	bool unbound, timed; /* names came since the scope was bound; it has its times */
	bool ranged;         /* the reader knows them, of this segment */
	bool ended;
};

void feed_free(struct feed *f);
/* Reads until a row is ready or the source has no more. ET_OK or ET_NOMEM. */
int feed_fill(struct feed *f, bool *ready);
/*
 * Hands out the row that is ready: ET_OK, ET_NOMEM, or ET_CORRUPT when its chunk
 * cannot be read, which then is gone with all its rows. *row is borrowed until
 * feed_give_back.
 */
int feed_take(struct feed *f, struct input_row *row);
void feed_give_back(struct feed *f);
/*
 * Reads the source to its end, or until *count is limit or more, and adds the events to
 * *count; what is to be done with them is in shared->unit. Not for a feed that was
 * filled. ET_OK or ET_NOMEM.
 */
int feed_scan(struct feed *f, uint64_t limit, uint64_t *count);

#endif
