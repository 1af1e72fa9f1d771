/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exprparse.h - from the text of an expression to its tree: exprparse.c has the grammar
 * around tests, exprtest.c a test, exprvalue.c the values behind it.
 */
#ifndef EXECTRACE_EXPRPARSE_H
#define EXECTRACE_EXPRPARSE_H

#include "exprtree.h"

#define EXPR_DEPTH_MAX 50 /* of parentheses */
#define EXPR_TESTS_MAX 2000
#define EXPR_VALUES_MAX 20000 /* of all tests together */

struct parser {
	struct expr *e;
	const struct expr_options *opt;
	const char *text, *at, *end;
	unsigned depth;
	size_t n_values;
	struct expr_error *err;
};

/* The test at hand. */
struct subject {
	struct test t;
	struct operand o;
	enum comparison is;
};

/* As expr_parse, but for what follows from the whole. */
int exprparse(const char *text, const struct expr_options *opt, struct expr **out,
	      struct expr_error *err);
/* A test, from its operand on; the index of its node goes to *node. */
int parse_test(struct parser *p, uint16_t *node);
/* One value, or behind `in` several in parentheses: of numbers, of times, of text. */
int parse_numbers(struct parser *p, struct subject *s);
int parse_times(struct parser *p, struct subject *s);
int parse_texts(struct parser *p, struct subject *s);
/* yes or no, as the range of one of them. */
int parse_flag(struct parser *p, struct subject *s);

/* ---- What the parts share --------------------------------------------------------- */

/* Fills the error for a place in the text and returns -1. */
int parse_fail(struct parser *p, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int parse_fail_nomem(struct parser *p);
void parse_blanks(struct parser *p);
/* Letters, digits and _ at a place. */
size_t parse_word(const struct parser *p, const char *at);
/* Takes what stands there next: a word as a whole, or signs. */
bool parse_take(struct parser *p, const char *what);
/* Whether a text in quotes comes next. */
bool parse_at_quote(const struct parser *p);
/* What a message shows of a word. */
int parse_shown(size_t len);
/* "==", "in": as it is written. */
const char *comparison_sign(enum comparison is);

#endif
