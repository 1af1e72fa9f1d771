/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h - which events a command is about.
 *
 * A filter is what the options say, and good for any capture: expressions (expr.h), one
 * for each option that is given, with all its values, and one for each --match and --where.
 * A scope is the same bound to one segment of one capture (plan.h): names turned into
 * numbers, times into wall times. It decides by a record's head whether the record can
 * hold a match (prune.c), and then over whole columns which rows do (select.c).
 *
 * All expressions have to hold. A lost event is about no process: what is asked of
 * processes lets it pass, as expr_match_gap does; --since and --until decide on it by all
 * of the time in which it can have happened, so that a gap is never hidden by a filter.
 */
#ifndef EXECTRACE_FILTER_H
#define EXECTRACE_FILTER_H

#include <exectrace.h>

#include "exprtree.h"
#include "moment.h"
#include "pids.h"
#include "plan.h"
#include "say.h"

/* Those whose values add up. */
enum filter_option {
	FILTER_UID,
	FILTER_GID,
	FILTER_PID,
	FILTER_PPID,
	FILTER_EXIT_CODE,
	FILTER_COMM,
	FILTER_EXE,
	FILTER_ARG,
	FILTER_KIND,
	FILTER_OUTCOME, /* --failed, --ok */
	FILTER_OPTIONS
};

struct filter {
	struct expr *options[FILTER_OPTIONS]; /* NULL: not given */
	struct expr **others; /* --match, --where */
	size_t n_others;
	uint32_t unasked; /* ET_KIND_BIT()s: left out unless an expression names them */
	bool keeps_lost; /* lost events pass all but --since and --until */
	bool has_since, has_until;
	struct moment since, until;
	struct pids descendants; /* --descendants-of; for input.h, which knows who descends from whom */
};

/* An empty filter, all zero, lets everything pass. */
void filter_free(struct filter *f);
/* Comma lists. -1 fills *why. */
int filter_add_numbers(struct filter *f, enum filter_option which, const char *list,
		       struct reason *why);
int filter_add_glob(struct filter *f, enum filter_option which, const char *glob,
		    struct reason *why);
int filter_add_kinds(struct filter *f, const char *list, struct reason *why);
/* One condition more: FIELD=LIST, or FIELD of a flag alone. */
int filter_add_match(struct filter *f, const char *text, struct reason *why);
/* An expression; also where it is wrong is in *why. */
int filter_add_where(struct filter *f, const char *text, struct reason *why);
/* --failed, --ok: OPERAND_FAILED or OPERAND_OK. */
int filter_add_outcome(struct filter *f, unsigned operand, struct reason *why);
/* The values given with an option; NULL: none were. */
const struct test *filter_values(const struct filter *f, enum filter_option which);

struct filter_scope {
	const struct filter *filter; /* borrowed; NULL: nothing is bound */
	struct plan plan;
	/*
	 * Wall times since <= t < until outside of which nothing matches, by all of the
	 * filter: of a lost event some of its time lies within.
	 */
	int64_t since, until;
	int64_t asked_since, asked_until; /* by --since and --until alone */
};

/*
 * What selecting rows needs besides the scope, which several threads may read at once:
 * each has one of its own. All zero is empty.
 */
struct filter_scratch {
	uint8_t *outcomes; /* what the nodes of the plan come to, by the head */
	size_t outcomes_cap;
	uint8_t *verdicts; /* memo per string id */
	size_t verdicts_cap;
	uint8_t *kinds; /* of the rows */
	uint8_t **masks; /* a byte a row: a stack of them */
	size_t masks_made, masks_used;
	size_t rows_cap; /* of kinds and each mask */
};

void scratch_free(struct filter_scratch *w);
void scope_free(struct filter_scope *s);
/* Binds numbers and names; again when the segment or its names have changed. -1: no memory. */
int scope_bind(struct filter_scope *s, const struct filter *f, const struct et_context *names);
/*
 * Binds times, once the rest is bound: the capture's start as a wall time, and its zone.
 * They stay when names are bound again.
 */
void scope_bind_times(struct filter_scope *s, const struct filter *f, int64_t start,
		      int32_t offset);
/* Whether a row of this record can match, by its head alone. */
bool scope_may_match(const struct filter_scope *s, const struct et_record *rec);
/* Whether every row of the record matches, by what the head says and reading holds to be so. */
bool scope_matches_all(const struct filter_scope *s, const struct et_record *rec);
/* Likewise for who only counts rows: statistics are believed too (SPEC.md 5.5). */
bool scope_counts_all(const struct filter_scope *s, const struct et_record *rec);
/*
 * Sets selected[row] to 1 where the row matches, else 0. Returns ET_OK or what
 * reading a column gave.
 */
int scope_select(const struct filter_scope *s, struct filter_scratch *w,
		 const struct et_record *rec, struct et_chunk *chunk, uint8_t *selected,
		 struct et_error *err);

#endif
