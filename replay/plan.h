/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.h - the expressions of a filter, bound to a capture and in the form in which heads
 * and columns are asked: leaves, which are a test or its negation, under nodes that join
 * them. No node is negated, so that a leaf that may go either way counts as holding, for a
 * lost event, wherever it stands.
 *
 * What is asked of a number is a set of numbers: names of users and groups have become
 * those, and a time the number that sorts as it does. Children stand in the order of what
 * they cost.
 */
#ifndef EXECTRACE_PLAN_H
#define EXECTRACE_PLAN_H

#include <exectrace.h>

#include "exprtree.h"

#define PLAN_KINDS 16 /* kinds that a row can have are below */
#define PLAN_NONE UINT32_MAX

enum leaf_how {
	LEAF_KIND, /* the kind of a row says all */
	LEAF_NUMBER, /* a number that is in the ranges, or not */
	LEAF_NAME, /* a number, by the name that it has */
	LEAF_TEXT, /* a string */
	LEAF_ITEM, /* a string of a list, by its place */
	LEAF_LIST, /* some string of a list, or the list */
	LEAF_FIELDS, /* two of these */
};

/* What a leaf is of an event of a kind, before anything else is known. */
enum leaf_of_kind { LEAF_ASKS, LEAF_FAILS, LEAF_HOLDS };

struct leaf {
	const struct test *test; /* borrowed */
	bool negated;
	uint8_t how;
	uint8_t of_kind[PLAN_KINDS];
	/*
	 * LEAF_NUMBER: of a field or an operand that is a number, or of OPERAND_TIME as
	 * plan_time(); in one of the ranges, which ascend and do not touch, or if inverted
	 * in none. ET_NONE is a number like others. LEAF_NAME: of this field, too.
	 */
	uint8_t number;
	bool inverted;
	bool named; /* LEAF_NUMBER or, where they are too many, LEAF_NAME: by names of now */
	struct range *ranges; /* owned */
	size_t n_ranges;
};

struct branch {
	uint8_t op; /* enum node_op */
	uint8_t cost;
	uint32_t first; /* NODE_TEST: the leaf; else its first child */
	uint32_t next; /* child of the same parent; PLAN_NONE: the last */
};

struct plan {
	struct leaf *leaves;
	struct branch *branches; /* children before their parents */
	size_t n_leaves, n_branches; /* the last is above all others; none: all holds */
	uint32_t kinds; /* bits of the kinds that are not left out */
	const struct et_context *names; /* borrowed */
};

void plan_free(struct plan *p);
/*
 * The AND of the expressions, which it borrows; unbound. lost_pass: lost events hold
 * everywhere. -1: no memory.
 */
int plan_make(struct plan *p, const struct expr *const *exprs, size_t n, bool lost_pass);
/* Binds what depends on names, which have to stay. -1: no memory. */
int plan_bind(struct plan *p, const struct et_context *names);
void plan_bind_times(struct plan *p, int64_t start, int32_t offset);

/* The wall times between which all that holds lies: low to high. False: nothing does. */
bool plan_times(const struct plan *p, int64_t *low, int64_t *high);

/* A wall time as a number that sorts likewise. */
static inline uint64_t plan_time(int64_t wall)
{
	return (uint64_t)wall ^ 1ull << 63;
}

/* Whether the number is what the leaf asks for: LEAF_NUMBER. */
bool leaf_has_number(const struct leaf *l, uint64_t v);
/* Whether the leaf holds for the name of an id: LEAF_NAME. */
bool leaf_has_id(const struct plan *p, const struct leaf *l, uint64_t id);
/* The name that a text operand takes from this id of its field. */
bool plan_name(const struct plan *p, unsigned operand, uint64_t id, char buffer[OPERAND_BUFFER],
	       struct et_str *out);
/* The field whose numbers have the names that an operand is; 0: it is no name. */
unsigned plan_name_field(unsigned operand);

/* What a head is asked for. */
enum plan_use {
	PLAN_PASS, /* whether to pass over the record: what statistics rule out is believed */
	PLAN_COUNT, /* whether all match: that all hold is believed too */
	PLAN_READ, /* its chunk was read: as PLAN_PASS, but the list of names is gone with that */
};

/*
 * What the plan can come to for the rows of these kinds, by the head of their record:
 * bits of enum outcome. each, NULL or a byte for each branch: what these come to.
 */
unsigned plan_ask(const struct plan *p, const struct et_record *rec, uint32_t kinds,
		  enum plan_use use, uint8_t *each);
/* Bits of the kinds that rows of the record can have. */
uint32_t plan_kinds(const struct et_record *rec);
/* The wall times between which all rows of the record lie, but for the ends of lost ones. */
void plan_wall_span(const struct et_record *rec, int64_t *low, int64_t *high);

#endif
