/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr.c - matching. A node is asked what it can come to: for an event that is there
 * that is one thing, for one of which only the kind is known it may be both.
 */
#include "exprparse.h"

enum ask {
	ASK_EVENT,
	ASK_KIND, /* of the event only the kind is known */
	ASK_GAP, /* a lost event: what it does not have may be anything */
};

struct question {
	const struct expr *e;
	enum ask ask;
	const struct et_event *ev;
	const struct expr_scope *scope;
};

/* ---- Tests -------------------------------------------------------------------------- */

static bool get_item(const struct side *s, const struct et_event *ev, struct et_str *out)
{
	const struct et_list *l = &ev->v[s->id].l;
	uint32_t at = 0, n;

	if (!ET_HAS(ev, s->id) || !side_index(s, l->n, &n))
		return false;
	do {
		if (!et_list_next(l, &at, out))
			return false;
	} while (n--);
	return true;
}

static bool get_text(const struct question *q, const struct side *s, char buffer[OPERAND_BUFFER],
		     struct et_str *out)
{
	return s->indexed ? get_item(s, q->ev, out)
			  : operand_text(s->id, q->ev, q->scope, buffer, out);
}

static bool some_item(const struct question *q, const struct test *test)
{
	struct et_str s;
	uint32_t at = 0;

	if (!ET_HAS(q->ev, test->what.id))
		return false;
	while (et_list_next(&q->ev->v[test->what.id].l, &at, &s))
		if (test_has_text(test, s))
			return true;
	return false;
}

static bool text_holds(const struct question *q, const struct test *test)
{
	char buffer[OPERAND_BUFFER];
	struct et_str s;

	if (test->any)
		return some_item(q, test);
	if (!get_text(q, &test->what, buffer, &s))
		return false;
	return test->op == TEST_KNOWN || test_has_text(test, s) != test->negated;
}

static bool number_holds(const struct question *q, const struct test *test)
{
	uint64_t v = operand_number(test->what.id, q->ev, q->e->writing);
	char buffer[OPERAND_BUFFER];
	struct et_str name;
	bool in;

	if (v == ET_NONE || test->op == TEST_KNOWN)
		return v != ET_NONE;
	in = test_has_number(test, v);
	if (!in && test->n_texts && operand_text(test->what.id, q->ev, q->scope, buffer, &name))
		in = test_has_text(test, name);
	return in != test->negated;
}

static bool time_holds(const struct question *q, const struct test *test)
{
	int64_t start = q->scope ? q->scope->start : 0, low, high, wall;
	int32_t offset = q->scope ? q->scope->offset : 0;
	const struct et_event *ev = q->ev;
	bool in = false;

	if (!ET_HAS(ev, ET_F_TS) || test->op == TEST_KNOWN)
		return ET_HAS(ev, ET_F_TS);
	wall = et_clock_wall((struct et_clock){ ev->v[ET_F_TS].u, ev->realtime });
	for (size_t i = 0; i < test->n_times && !in; i++)
		in = time_range_resolve(&test->times[i], start, offset, &low, &high) &&
		     wall >= low && wall <= high;
	return in != test->negated;
}

static bool fields_hold(const struct question *q, const struct test *test)
{
	struct operand o = operand_get(test->what.id);
	char buffers[2][OPERAND_BUFFER];
	struct et_str s, t;
	uint64_t a, b;

	if (o.type != OPERAND_NUMBER)
		return get_text(q, &test->what, buffers[0], &s) &&
		       get_text(q, &test->other, buffers[1], &t) &&
		       test_compare_texts(test, s, t);
	a = operand_number(test->what.id, q->ev, q->e->writing);
	b = operand_number(test->other.id, q->ev, q->e->writing);
	return a != ET_NONE && b != ET_NONE && test_compare(test, o.unit, a, b);
}

static bool test_holds(const struct question *q, const struct test *test)
{
	struct operand o;

	switch (test->op) {
	case TEST_VALUES:
		return number_holds(q, test);
	case TEST_TIMES:
		return time_holds(q, test);
	case TEST_FIELDS:
		return fields_hold(q, test);
	case TEST_KNOWN:
		o = operand_get(test->what.id);
		if (o.type == OPERAND_NUMBER)
			return number_holds(q, test);
		if (o.type == OPERAND_MOMENT)
			return time_holds(q, test);
		if (o.type == OPERAND_LIST && !test->what.indexed)
			return ET_HAS(q->ev, test->what.id);
		return text_holds(q, test);
	default:
		return text_holds(q, test);
	}
}

static unsigned ask_test(const struct question *q, const struct test *test)
{
	uint64_t kind = q->ev->v[ET_F_KIND].u;

	if (q->ask == ASK_KIND)
		return test_by_kind(test, (unsigned)kind);
	if (q->ask == ASK_GAP && !(test->kinds & ET_KIND_BIT(ET_LOST)))
		return CAN_BOTH;
	if (kind >= 32 || !(test->kinds >> kind & 1))
		return CAN_FAIL;
	return test_holds(q, test) ? CAN_HOLD : CAN_FAIL;
}

/* ---- Nodes -------------------------------------------------------------------------- */

/* No deeper than the parser allows, twice: an and in an or in each parenthesis. */
static unsigned ask_node(const struct question *q, uint16_t i)
{
	const struct node *node = &q->e->nodes[i];
	unsigned settled = node->op == NODE_AND ? CAN_FAIL : CAN_HOLD;
	unsigned outcome = outcome_negate(settled);

	if (node->op == NODE_TEST) {
		outcome = ask_test(q, &q->e->tests[node->first]);
		return node->negated ? outcome_negate(outcome) : outcome;
	}
	for (i = node->first; i != EXPR_NONE && outcome != settled; i = q->e->nodes[i].next)
		outcome = outcome_join(settled, outcome, ask_node(q, i));
	return node->negated ? outcome_negate(outcome) : outcome;
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

/* Kinds that a test names, as kind == proc does. */
static uint32_t kinds_named(const struct test *t)
{
	uint32_t kinds = 0;

	if (t->what.id != ET_F_KIND || t->op != TEST_VALUES || t->negated)
		return 0;
	for (size_t i = 0; i < t->n_ranges; i++)
		if (t->ranges[i].low == t->ranges[i].high && t->ranges[i].low < 32)
			kinds |= ET_KIND_BIT(t->ranges[i].low);
	return kinds;
}

void expr_settle(struct expr *e)
{
	struct et_event ev = { .known = 1ull << ET_F_KIND };
	const struct question q = { e, ASK_KIND, &ev, NULL };

	e->fields = 1ull << ET_F_KIND;
	e->kinds = e->kinds_named = 0;
	for (size_t i = 0; i < e->n_tests; i++) {
		e->fields |= e->tests[i].fields;
		e->kinds_named |= kinds_named(&e->tests[i]);
	}
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
	expr_settle(*out);
	return 0;
}
