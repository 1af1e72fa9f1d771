/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * overview.h - what summary tells of captures unless it is asked for something: how many
 * events of which kind, when, who executed what, what failed and how, what took longest.
 *
 * It takes chunks in any order. Several overviews, of several threads, are merged.
 */
#ifndef EXECTRACE_OVERVIEW_H
#define EXECTRACE_OVERVIEW_H

#include "certificate.h"
#include "chart.h"
#include "classes.h"
#include "lineage.h"
#include "longest.h"
#include "scan.h"
#include "tally.h"

enum overview_ranking {
	OVERVIEW_COMMANDS,
	OVERVIEW_USERS,
	OVERVIEW_EXITS,
	OVERVIEW_ERRORS,
	OVERVIEW_PATHS,
	OVERVIEW_FAILING,
	OVERVIEW_RANKINGS
};

/* What a ranking counts: rows of a kind by keys. */
struct overview_keys {
	unsigned kind;
	struct keys keys;
};

extern const struct overview_keys overview_keys[OVERVIEW_RANKINGS];

struct overview {
	uint64_t kinds[ET_KIND_END];
	uint64_t other_kinds;
	struct tally tallies[OVERVIEW_RANKINGS];
	bool any;
	int64_t first, last; /* wall times of what happened while it was recorded */
	struct chart chart;  /* of that */
	struct longest longest;
	struct lineage lineage;

	/* For the chunk at hand. */
	struct classes classes;
	struct out key;
	uint32_t *rows;
	size_t rows_cap;
};

/* What goes with it into the output. */
struct overview_context {
	const struct ledger *ledger;
	struct et_reader_stats stats; /* of all captures: what they lack */
	uint64_t lost;
	bool complete;
	int32_t offset; /* of the zone for times */
	uint32_t top;	/* of each ranking */
	size_t width;	/* of the terminal, or of what is like one */
	bool unicode;
};

/* Bits of the fields that are looked at. */
uint64_t overview_fields(void);
/* longest: how many of these to keep. NULL: no memory. */
struct overview *overview_new(uint32_t longest);
void overview_free(struct overview *v);
/* -1: no memory. */
int overview_take(struct overview *v, const struct scan_chunk *c);
/* Of one row. -1: no memory. */
int overview_row(struct overview *v, const struct input_row *row);
/* Whether it holds so much that it is to be merged, and cleared to go on. */
bool overview_large(const struct overview *v);
/* -1: no memory. */
int overview_merge(struct overview *v, const struct overview *from);
void overview_clear(struct overview *v);
/* Once all is merged. -1: no memory. */
int overview_end(struct overview *v);

/* All but lost ones. */
uint64_t overview_events(const struct overview *v);
/* A second, while it was recorded; 0 for less than two moments. */
double overview_rate(const struct overview *v);

void overview_text(const struct overview *v, const struct overview_context *ctx, struct out *o);
void overview_json(const struct overview *v, const struct overview_context *ctx, struct out *o);

#endif
