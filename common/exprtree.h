/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exprtree.h - what an expression is parsed into: tests of one operand each, joined by
 * nodes. Any plan of chunks and columns starts from these.
 */
#ifndef EXECTRACE_EXPRTREE_H
#define EXECTRACE_EXPRTREE_H

#include "ere.h"
#include "expr.h"
#include "moment.h"
#include "operand.h"

#define EXPR_DEPTH_MAX 50 /* of parentheses */
#define EXPR_TESTS_MAX 2000
#define EXPR_VALUES_MAX 20000 /* of all tests together */
#define EXPR_NONE UINT16_MAX

enum test_op {
	TEST_KNOWN,
	TEST_VALUES, /* numbers: in one of the ranges, or with one of the names in texts */
	TEST_TIMES,
	TEST_TEXTS, /* is one of them */
	TEST_GLOB,
	TEST_ERE,
};

struct test {
	uint8_t id; /* of et_field_id or operand_id */
	uint8_t op;
	bool negated; /* known, and not so */
	bool any;     /* of a list: some item */
	bool indexed; /* of a list: this one */
	int32_t index; /* below 0: from the back */
	uint16_t first_range, n_ranges; /* of ranges, or of times */
	uint16_t first_text, n_texts;
	uint32_t kinds;	 /* as in struct operand */
	uint64_t fields;
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

enum node_op { NODE_TEST, NODE_AND, NODE_OR };

struct node {
	uint8_t op;
	bool negated;
	uint16_t first; /* NODE_TEST: the test; else its first child */
	uint16_t next;	/* child of the same parent; EXPR_NONE: the last */
};

struct expr {
	struct node *nodes;
	struct test *tests;
	struct range *ranges;
	struct time_range *times;
	struct text *texts;
	size_t n_nodes, n_tests, n_ranges, n_times, n_texts;
	uint16_t root;
	bool writing;
	uint64_t fields;
	uint32_t kinds, kinds_named;
};

struct parser {
	struct expr *e;
	const struct expr_options *opt;
	const char *text, *at, *end;
	unsigned depth;
	struct expr_error *err;
};

/* Fills the error for a place in the text and returns -1. */
int parse_fail(struct parser *p, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int parse_fail_nomem(struct parser *p);
void parse_blanks(struct parser *p);
/* Letters, digits and _ at a place. */
size_t parse_word(const struct parser *p, const char *at);
/* Takes what stands there next: a word as a whole, or signs. */
bool parse_take(struct parser *p, const char *what);
/* An array that has n items, of this size each, with room for one more. NULL: no memory. */
void *parse_grow(void *items, size_t n, size_t size);

/* As expr_parse, but for what follows from the whole. */
int exprparse(const char *text, const struct expr_options *opt, struct expr **out,
	      struct expr_error *err);
/* A test, from its operand on; its index goes to *index. */
int parse_test(struct parser *p, uint16_t *index);

#endif
