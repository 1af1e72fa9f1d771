/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr.c - matching. A node is asked what it can come to: for an event that is there
 * that is one thing, for one of which only the kind is known it may be both.
 */
#include "expr.h"

#include <stdlib.h>
#include <string.h>

#include "exprtree.h"
#include "glob.h"

enum outcome { CAN_FAIL = 1, CAN_HOLD = 2, CAN_BOTH = 3 };

enum ask {
	ASK_EVENT,
	ASK_KIND, /* of the event only the kind is known */
	ASK_GAP,  /* a lost event: what it does not have may be anything */
};

struct question {
	const struct expr *e;
	enum ask ask;
	const struct et_event *ev;
	const struct expr_scope *scope;
};

/* ---- Tests -------------------------------------------------------------------------- */

/* Of paths a pattern without a / is of the last part. */
static bool is_path(unsigned id)
{
	return id == ET_F_EXE || id == ET_F_FILENAME || id == ET_F_INTERPRETER;
}

/* The first digits of an id, as engines show them. */
static bool is_short_id(const struct text *t)
{
	return t->len >= 12 && strspn(t->p, "0123456789abcdef") == t->len;
}

static bool is_text(const struct test *test, const struct text *t, struct et_str s)
{
	const char *equals;

	/* A name alone is that of a variable, whatever its value is. */
	if (test->id == ET_F_ENV && test->any && test->op != TEST_ERE && !strchr(t->p, '=')) {
		equals = s.len ? memchr(s.ptr, '=', s.len) : NULL;
		s.len = equals ? (uint32_t)(equals - s.ptr) : s.len;
	}
	if (test->id == OPERAND_CONTAINER && test->op == TEST_TEXTS && is_short_id(t) &&
	    s.len > t->len)
		s.len = (uint32_t)t->len;
	switch (test->op) {
	case TEST_GLOB:
		return is_path(test->id) ? glob_match_path(t->p, s.ptr, s.len)
					 : glob_match(t->p, s.ptr, s.len);
	case TEST_ERE:
		return ere_match(t->ere, s.ptr, s.len);
	default:
		return s.len == t->len && (!s.len || !memcmp(s.ptr, t->p, s.len));
	}
}

static bool is_one_of(const struct expr *e, const struct test *test, struct et_str s)
{
	for (unsigned i = 0; i < test->n_texts; i++)
		if (is_text(test, &e->texts[test->first_text + i], s))
			return true;
	return false;
}

static bool get_item(const struct et_list *l, int32_t index, struct et_str *out)
{
	int64_t n = index < 0 ? (int64_t)l->n + index : index;
	uint32_t at = 0;

	if (n < 0 || n >= l->n)
		return false;
	do {
		if (!et_list_next(l, &at, out))
			return false;
	} while (n--);
	return true;
}

static bool some_item(const struct expr *e, const struct test *test, const struct et_list *l)
{
	struct et_str s;
	uint32_t at = 0;

	while (et_list_next(l, &at, &s))
		if (is_one_of(e, test, s))
			return true;
	return false;
}

static bool text_holds(const struct question *q, const struct test *test)
{
	char buffer[OPERAND_BUFFER];
	struct et_str s;

	if (test->any || test->indexed) {
		const struct et_list *l = &q->ev->v[test->id].l;

		if (!ET_HAS(q->ev, test->id))
			return false;
		if (test->any)
			return some_item(q->e, test, l);
		if (!get_item(l, test->index, &s))
			return false;
	} else if (!operand_text(test->id, q->ev, q->scope, buffer, &s)) {
		return false;
	}
	return test->op == TEST_KNOWN || is_one_of(q->e, test, s) != test->negated;
}

static bool number_holds(const struct question *q, const struct test *test)
{
	uint64_t v = operand_number(test->id, q->ev, q->e->writing);
	bool in = false;
	char buffer[OPERAND_BUFFER];
	struct et_str name;

	if (v == ET_NONE || test->op == TEST_KNOWN)
		return v != ET_NONE;
	for (unsigned i = 0; i < test->n_ranges && !in; i++) {
		const struct range *r = &q->e->ranges[test->first_range + i];

		in = v >= r->low && v <= r->high;
	}
	if (!in && test->n_texts && operand_text(test->id, q->ev, q->scope, buffer, &name))
		in = is_one_of(q->e, test, name);
	return in != test->negated;
}

static bool in_time_range(const struct time_range *r, const struct expr_scope *scope,
			  int64_t wall)
{
	int64_t start = scope ? scope->start : 0, bound;
	int32_t offset = scope ? scope->offset : 0;

	if (r->has_low) {
		bound = moment_resolve(&r->low, start, offset);
		if (wall < bound || (r->low_step && wall == bound))
			return false;
	}
	if (r->has_high) {
		bound = moment_resolve(&r->high, start, offset);
		if (wall > bound || (r->high_step && wall == bound))
			return false;
	}
	return true;
}

static bool time_holds(const struct question *q, const struct test *test)
{
	const struct et_event *ev = q->ev;
	bool in = false;
	int64_t wall;

	if (!ET_HAS(ev, ET_F_TS) || test->op == TEST_KNOWN)
		return ET_HAS(ev, ET_F_TS);
	wall = et_clock_wall((struct et_clock){ ev->v[ET_F_TS].u, ev->realtime });
	for (unsigned i = 0; i < test->n_ranges && !in; i++)
		in = in_time_range(&q->e->times[test->first_range + i], q->scope, wall);
	return in != test->negated;
}

static bool test_holds(const struct question *q, const struct test *test)
{
	struct operand o;

	switch (test->op) {
	case TEST_VALUES:
		return number_holds(q, test);
	case TEST_TIMES:
		return time_holds(q, test);
	case TEST_KNOWN:
		o = operand_get(test->id);
		if (o.type == OPERAND_NUMBER)
			return number_holds(q, test);
		if (o.type == OPERAND_MOMENT)
			return time_holds(q, test);
		if (o.type == OPERAND_LIST && !test->indexed)
			return ET_HAS(q->ev, test->id);
		return text_holds(q, test);
	default:
		return text_holds(q, test);
	}
}

static unsigned ask_test(const struct question *q, const struct test *test)
{
	uint64_t kind = q->ev->v[ET_F_KIND].u;
	bool carried = kind < 32 && test->kinds >> kind & 1;

	if (q->ask == ASK_GAP && !(test->kinds & ET_KIND_BIT(ET_LOST)))
		return CAN_BOTH;
	if (!carried)
		return CAN_FAIL;
	if (q->ask == ASK_KIND && test->fields != 1ull << ET_F_KIND)
		return CAN_BOTH;
	return test_holds(q, test) ? CAN_HOLD : CAN_FAIL;
}

/* ---- Nodes -------------------------------------------------------------------------- */

static unsigned negate(unsigned outcome)
{
	return (outcome & CAN_FAIL ? CAN_HOLD : 0) | (outcome & CAN_HOLD ? CAN_FAIL : 0);
}

/* No deeper than EXPR_DEPTH_MAX, twice: an and in an or in each parenthesis. */
static unsigned ask_node(const struct question *q, uint16_t i)
{
	const struct node *node = &q->e->nodes[i];
	unsigned settled = node->op == NODE_AND ? CAN_FAIL : CAN_HOLD;
	unsigned outcome = negate(settled);

	if (node->op == NODE_TEST) {
		outcome = ask_test(q, &q->e->tests[node->first]);
		return node->negated ? negate(outcome) : outcome;
	}
	for (i = node->first; i != EXPR_NONE && outcome != settled; i = q->e->nodes[i].next) {
		unsigned child = ask_node(q, i);

		/* It can go one way if any can, and the other only if all can. */
		if (child == settled)
			outcome = settled;
		else
			outcome |= child & settled;
	}
	return node->negated ? negate(outcome) : outcome;
}

static uint64_t kind_of(const struct et_event *ev)
{
	return ET_HAS(ev, ET_F_KIND) ? ev->v[ET_F_KIND].u : 0;
}

bool expr_match(const struct expr *e, const struct et_event *ev,
		const struct expr_scope *scope)
{
	const struct question q = { e, ASK_EVENT, ev, scope };

	return kind_of(ev) && ask_node(&q, e->root) == CAN_HOLD;
}

bool expr_match_gap(const struct expr *e, const struct et_event *ev,
		    const struct expr_scope *scope)
{
	const struct question q = { e, ASK_GAP, ev, scope };

	return kind_of(ev) && ask_node(&q, e->root) & CAN_HOLD;
}

uint64_t expr_fields(const struct expr *e)
{
	return e->fields;
}

uint32_t expr_kinds(const struct expr *e)
{
	return e->kinds;
}

uint32_t expr_kinds_named(const struct expr *e)
{
	return e->kinds_named;
}

bool expr_is_futile(const struct expr *e)
{
	/* A later version's kinds may have any field, but nobody asks for these by that. */
	uint32_t known = ET_KIND_BIT(ET_KIND_END) - 1;

	return !(e->kinds & (known | e->kinds_named));
}

/* What follows from the whole, once it is parsed. */
static void sum_up(struct expr *e)
{
	struct et_event ev = { .known = 1ull << ET_F_KIND };
	const struct question q = { e, ASK_KIND, &ev, NULL };

	e->fields = 1ull << ET_F_KIND;
	for (size_t i = 0; i < e->n_tests; i++)
		e->fields |= e->tests[i].fields;
	for (unsigned kind = 1; kind < 16; kind++) {
		ev.v[ET_F_KIND].u = kind;
		if (ask_node(&q, e->root) & CAN_HOLD)
			e->kinds |= ET_KIND_BIT(kind);
	}
}

int expr_parse(const char *text, const struct expr_options *opt, struct expr **out,
	       struct expr_error *err)
{
	static const struct expr_options plain;

	if (exprparse(text, opt ? opt : &plain, out, err))
		return -1;
	sum_up(*out);
	return 0;
}

void expr_free(struct expr *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n_texts; i++) {
		free(e->texts[i].p);
		ere_free(e->texts[i].ere);
	}
	free(e->texts);
	free(e->times);
	free(e->ranges);
	free(e->tests);
	free(e->nodes);
	free(e);
}
