/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match.h - a test of one field of an event, whatever the field is: what can be asked
 * of it follows from its type and unit in et_fields[].
 *
 * A match is what the option says, good for any capture; a scope is the same bound to
 * the names of one segment.
 */
#ifndef EXECTRACE_MATCH_H
#define EXECTRACE_MATCH_H

#include <exectrace.h>

#include "say.h"

/* Fields that no column has, but that follow from others; ids behind those of columns. */
enum match_derived {
	MATCH_CONTAINER = ET_FIELD_END, /* of cgroup */
	MATCH_DURATION,                 /* of an exit */
};

struct match_range {
	uint64_t low, high;
};

struct match {
	unsigned field;             /* enum et_field_id or match_derived */
	struct match_range *ranges; /* numbers; owned */
	size_t n_ranges;
	char **texts; /* patterns, or names of users and groups; owned */
	size_t n_texts;
};

/* NAME=LIST, or NAME of a flag alone. -1 fills *why; match_free is due in any case. */
int match_parse(struct match *m, const char *text, struct reason *why);
void match_free(struct match *m);

struct match_scope {
	const struct match *match;      /* borrowed */
	const struct et_context *names; /* borrowed */
	struct match_range *ranges;     /* with those of names */
	size_t n_ranges;
};

void match_unbind(struct match_scope *s);
/* Again when the names have changed. -1: no memory. */
int match_bind(struct match_scope *s, const struct match *m, const struct et_context *names);
/* Whether a row of the record that is about a process can match, by its head alone. */
bool match_may(const struct match_scope *s, const struct et_record *rec);
/* Whether a row of kind lost is asked as well. */
bool match_asks_lost(const struct match *m);
/*
 * Clears selected[row] where the row does not match and is not exempt; NULL: none is.
 * verdicts: a byte for each string of the chunk and one more, for the call's own use.
 */
int match_select(const struct match_scope *s, struct et_chunk *chunk, const uint8_t *exempt,
		 uint8_t *selected, uint8_t *verdicts, struct et_error *err);

#endif
