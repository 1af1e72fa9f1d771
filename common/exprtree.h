/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exprtree.h - what an expression is: tests of one operand each, joined by nodes. Text is
 * parsed into it (exprparse.h), options are put together as it (exprbuild.c), and events
 * are matched by it one by one (expr.c); any plan of chunks and columns starts from it.
 * What a test means of one value is here, and nowhere else.
 */
#ifndef EXECTRACE_EXPRTREE_H
#define EXECTRACE_EXPRTREE_H

#include "ere.h"
#include "expr.h"
#include "moment.h"
#include "operand.h"

#define EXPR_NONE UINT16_MAX

enum test_op {
	TEST_KNOWN,
	TEST_VALUES, /* numbers: in one of the ranges, or with one of the names in texts */
	TEST_TIMES,
	TEST_TEXTS, /* is one of them */
	TEST_GLOB,
	TEST_ERE,
	TEST_FIELDS, /* compares so with another operand, of the same type */
};

/* The first six are also what TEST_FIELDS asks. */
enum comparison {
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_GT,
	COMPARE_GE,
	COMPARE_GLOB,
	COMPARE_ERE,
	COMPARE_IN,
	COMPARE_HAS,
	COMPARE_NONE, /* the operand alone */
};

/* What of an event is looked at. Whose event it is, should it be another's, belongs here. */
struct side {
	uint8_t id; /* of et_field_id or operand_id */
	bool indexed; /* of a list: this one */
	int32_t index; /* below 0: from the back */
};

struct range {
	uint64_t low, high;
};

/* Bounds belong to it; step moves one by a ns: > and <. */
struct time_range {
	bool has_low, has_high;
	int8_t low_step, high_step;
	struct moment low, high;
};

struct text {
	char *p; /* with a NUL behind it; owned */
	size_t len;
	struct ere *ere; /* of a regular expression; owned */
};

struct test {
	struct side what;
	uint8_t op;
	bool negated; /* known, and not so */
	bool any; /* of a list: some item */
	uint8_t compared; /* TEST_FIELDS: how, with other */
	struct side other;
	uint32_t kinds; /* as in struct operand, of both sides */
	uint64_t fields;
	struct range *ranges; /* all owned */
	struct time_range *times;
	struct text *texts;
	size_t n_ranges, n_times, n_texts;
};

enum node_op { NODE_TEST, NODE_AND, NODE_OR };

struct node {
	uint8_t op;
	bool negated;
	uint16_t first; /* NODE_TEST: the test; else its first child */
	uint16_t next; /* child of the same parent; EXPR_NONE: the last */
};

struct expr {
	struct node *nodes;
	struct test *tests;
	size_t n_nodes, n_tests;
	uint16_t root;
	bool writing;
	uint64_t fields;
	uint32_t kinds, kinds_named;
};

/* ---- Building: exprbuild.c. -1: no memory, and nothing was changed ------------------ */

/* An array that has n items, of this size each, with room for one more. NULL: no memory. */
void *expr_grow(void *items, size_t n, size_t size);
/* A test of an operand, without values yet. */
struct test test_of(unsigned id, enum test_op op);
int test_add_range(struct test *t, uint64_t low, uint64_t high);
int test_add_times(struct test *t, const struct time_range *r);
/* A copy of the text. Takes ere over, also when it fails. */
int test_add_text(struct test *t, const char *text, size_t len, struct ere *ere);
void test_free(struct test *t);
/* A node of the test; takes what the test owns over, also when it fails. */
int expr_add_test(struct expr *e, const struct test *t, uint16_t *node);
/* A node above first and those that follow it. */
int expr_add_node(struct expr *e, enum node_op op, uint16_t first, uint16_t *node);
/* What follows from the whole, once it is all there: in expr.c. */
void expr_settle(struct expr *e);

/* ---- Meaning: exprmean.c ---------------------------------------------------------------- */

/* What something can come to of an event of which not all is known. */
enum outcome { CAN_FAIL = 1, CAN_HOLD = 2, CAN_BOTH = 3 };

unsigned outcome_negate(unsigned outcome);
/*
 * What nodes that are joined come to, with one more: of AND settled is CAN_FAIL, of OR
 * CAN_HOLD, and before the first they come to the other.
 */
unsigned outcome_join(unsigned settled, unsigned outcome, unsigned child);
/* Of an event of which only the kind is known. */
unsigned test_by_kind(const struct test *t, unsigned kind);
/* Of a number that is known, whether it is in one of the ranges. */
bool test_has_number(const struct test *t, uint64_t v);
/* Of a text that is known, whether it is one of the texts. */
bool test_has_text(const struct test *t, struct et_str s);
/* Of two numbers that are known and of this unit. */
bool test_compare(const struct test *t, unsigned unit, uint64_t a, uint64_t b);
bool test_compare_texts(const struct test *t, struct et_str a, struct et_str b);
/* The wall times that belong to it, from *low to *high. False: none do. */
bool time_range_resolve(const struct time_range *r, int64_t start, int32_t offset, int64_t *low,
			int64_t *high);
/* Where an index leads in a list of n items. False: nowhere. */
bool side_index(const struct side *s, uint32_t n, uint32_t *at);

#endif
