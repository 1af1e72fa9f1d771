/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h - which events a command is about.
 *
 * A filter is what the options say, and good for any capture. A scope is the
 * same bound to one segment of one capture: names turned into numbers, times
 * into wall times. It decides by a record's head whether the record can hold a
 * match, and then over whole columns which rows do; strings are looked at once
 * per distinct string of a chunk.
 *
 * Options combine with AND, several values of one with OR. A lost event is about
 * no process: what is asked of processes lets it pass, only --kind, --since, --until
 * and matches of fields that it has decide on it, times by all of the time in which it can have
 * happened, so that a gap is never hidden by a filter.
 */
#ifndef EXECTRACE_FILTER_H
#define EXECTRACE_FILTER_H

#include <exectrace.h>

#include "match.h"
#include "moment.h"
#include "say.h"
#include "where.h"

/* Tests of a number against a list. */
enum filter_number {
	FILTER_UID,
	FILTER_GID,
	FILTER_PID,
	FILTER_PPID,
	FILTER_EXIT_CODE,
	FILTER_NUMBERS
};

/* Tests of a string against patterns. */
enum filter_glob { FILTER_COMM, FILTER_EXE, FILTER_ARG, FILTER_GLOBS };

struct filter_terms {
	uint64_t *values;
	size_t n_values;
	char **names; /* owned; of users or groups, resolved per segment */
	size_t n_names;
};

struct filter_patterns {
	char **globs; /* owned */
	size_t n;
};

struct filter {
	struct filter_terms numbers[FILTER_NUMBERS];
	struct filter_patterns globs[FILTER_GLOBS];
	struct match *matches;	/* --match */
	size_t n_matches;
	struct expr **where;	/* --where */
	size_t n_where;
	uint32_t kinds;		/* --kind: ET_KIND_BIT()s; 0: any */
	uint32_t outcomes;	/* --failed, --ok: likewise */
	uint32_t unasked;	/* likewise: left out unless --kind asks for them */
	bool keeps_lost;	/* matches and expressions let lost events pass, whatever they ask */
	bool has_since, has_until;
	struct moment since, until;
};

/* An empty filter, all zero, lets everything pass. */
void filter_free(struct filter *f);
/* Comma lists. -1 fills *why. */
int filter_add_numbers(struct filter *f, enum filter_number which, const char *list,
		       struct reason *why);
int filter_add_glob(struct filter *f, enum filter_glob which, const char *glob,
		    struct reason *why);
int filter_add_match(struct filter *f, const char *text, struct reason *why);
/* An expression; also where it is wrong is in *why. */
int filter_add_where(struct filter *f, const char *text, struct reason *why);
int filter_add_kinds(struct filter *f, const char *list, struct reason *why);

struct filter_scope {
	const struct filter *filter;	/* borrowed */
	uint64_t *values[FILTER_NUMBERS]; /* ascending */
	size_t n_values[FILTER_NUMBERS];
	struct match_scope *matches;	/* one for each of the filter */
	size_t n_matches;
	struct where_scope where;
	int64_t since, until;		/* wall times: since <= t < until */
};

/*
 * What selecting rows needs besides the scope, which several threads may read at once:
 * each has one of its own. All zero is empty.
 */
struct filter_scratch {
	uint8_t *verdicts;		/* memo per string id */
	size_t verdicts_cap;
	struct where_scratch where;
};

void scratch_free(struct filter_scratch *w);
void scope_free(struct filter_scope *s);
/* Binds numbers and names; again when the segment or its names have changed. -1: no memory. */
int scope_bind(struct filter_scope *s, const struct filter *f, const struct et_context *names);
/* Binds times: the capture's start as a wall time, and its zone. */
void scope_bind_times(struct filter_scope *s, const struct filter *f, int64_t start,
		      int32_t offset);
/* Whether a row of this record can match, by its head alone. */
bool scope_may_match(const struct filter_scope *s, const struct et_record *rec);
/* Whether every row of the record matches, by its head alone. */
bool scope_matches_all(const struct filter_scope *s, const struct et_record *rec);
/*
 * Sets selected[row] to 1 where the row matches, else 0. Returns ET_OK or what
 * reading a column gave.
 */
int scope_select(const struct filter_scope *s, struct filter_scratch *w,
		 const struct et_record *rec, struct et_chunk *chunk, uint8_t *selected,
		 struct et_error *err);

#endif
