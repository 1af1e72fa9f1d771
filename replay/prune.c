/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prune.c - what a filter comes to by the head of a record alone (SPEC.md 5.5): none of its
 * rows, all, or some.
 */
#include "filter.h"

#include <string.h>

/* ---- Numbers ----------------------------------------------------------------------------- */

/* Of numbers of which nothing is known but that they lie from low to high. */
static unsigned ask_span(const struct leaf *l, uint64_t low, uint64_t high)
{
	size_t i = 0;
	bool in, out;

	while (i < l->n_ranges && l->ranges[i].high < low)
		i++;
	in = i < l->n_ranges && l->ranges[i].low <= high;
	/* Ranges do not touch: what lies between two is in none. */
	out = !in || l->ranges[i].low > low || l->ranges[i].high < high;
	if (l->inverted)
		return (in ? CAN_FAIL : 0) | (out ? CAN_HOLD : 0);
	return (in ? CAN_HOLD : 0) | (out ? CAN_FAIL : 0);
}

static unsigned outcome_of(bool holds)
{
	return holds ? CAN_HOLD : CAN_FAIL;
}

static bool has_one(const struct plan *p, const struct leaf *l, uint64_t v)
{
	return l->how == LEAF_NAME ? leaf_has_id(p, l, v) : leaf_has_number(l, v);
}

static unsigned ask_stat(const struct plan *p, const struct leaf *l, const struct et_stat *s)
{
	unsigned outcome = 0;

	for (unsigned i = 0; i < s->n; i++)
		outcome |= outcome_of(has_one(p, l, s->set[i]));
	if (!s->n && s->min <= s->max)
		outcome |= l->how == LEAF_NAME ? CAN_BOTH : ask_span(l, s->min, s->max);
	if (!s->complete || !outcome)
		outcome |= outcome_of(has_one(p, l, ET_NONE));
	return outcome;
}

static unsigned ask_number(const struct plan *p, const struct leaf *l,
			   const struct et_record *rec, enum plan_use use)
{
	int64_t low, high;
	unsigned outcome;

	/* What TIME says of the rows is checked when they are decoded, other than STATS. */
	if (l->number == ET_F_TS)
		return ask_span(l, rec->ts_min, rec->ts_max);
	if (l->number == OPERAND_TIME) {
		plan_wall_span(rec, &low, &high);
		return ask_span(l, plan_time(low), plan_time(high));
	}
	/* Behind the fields are operands here, and in a file columns of a later version. */
	if (l->number >= ET_FIELD_END)
		return CAN_BOTH;
	for (unsigned i = 0; i < rec->n_stats; i++) {
		if (rec->stats[i].column != l->number)
			continue;
		outcome = ask_stat(p, l, &rec->stats[i]);
		return outcome == CAN_HOLD && use != PLAN_COUNT ? CAN_BOTH : outcome;
	}
	return CAN_BOTH;
}

/* ---- Names of processes ------------------------------------------------------------------ */

/* Whether a text is looked for as it is. */
static bool is_plain(const struct test *t, const struct text *text)
{
	return t->op == TEST_TEXTS || (t->op == TEST_GLOB && !strpbrk(text->p, "*?[\\"));
}

static unsigned ask_comm(const struct leaf *l, const struct et_record *rec, enum plan_use use)
{
	const struct test *t = l->test;

	if (use == PLAN_READ || t->op == TEST_KNOWN || t->negated)
		return CAN_BOTH;
	for (size_t i = 0; i < t->n_texts; i++)
		if (!is_plain(t, &t->texts[i]) ||
		    et_record_has_comm(rec, t->texts[i].p, t->texts[i].len))
			return CAN_BOTH;
	return !l->negated ? CAN_FAIL : use == PLAN_COUNT ? CAN_HOLD : CAN_BOTH;
}

/* ---- The plan ---------------------------------------------------------------------------- */

struct question {
	const struct plan *p;
	const struct et_record *rec;
	uint32_t kinds;
	enum plan_use use;
	uint8_t *each;
};

static unsigned ask_leaf(const struct question *q, const struct leaf *l)
{
	unsigned outcome = 0;
	bool asks = false;

	for (unsigned k = 1; k < PLAN_KINDS; k++) {
		if (!(q->kinds >> k & 1))
			continue;
		asks |= l->of_kind[k] == LEAF_ASKS;
		if (l->of_kind[k] != LEAF_ASKS)
			outcome |= outcome_of(l->of_kind[k] == LEAF_HOLDS);
	}
	if (!asks)
		return outcome;
	if (l->how == LEAF_NUMBER || l->how == LEAF_NAME)
		return outcome | ask_number(q->p, l, q->rec, q->use);
	if (l->how == LEAF_TEXT && l->test->what.id == ET_F_COMM)
		return outcome | ask_comm(l, q->rec, q->use);
	return CAN_BOTH;
}

static unsigned ask_branch(const struct question *q, uint32_t i)
{
	const struct branch *b = &q->p->branches[i];
	unsigned settled = b->op == NODE_AND ? CAN_FAIL : CAN_HOLD;
	unsigned outcome = outcome_negate(settled);

	if (b->op == NODE_TEST)
		outcome = ask_leaf(q, &q->p->leaves[b->first]);
	/* All are asked where each is to be known. */
	for (uint32_t c = b->op == NODE_TEST ? PLAN_NONE : b->first;
	     c != PLAN_NONE && (q->each || outcome != settled); c = q->p->branches[c].next) {
		unsigned child = ask_branch(q, c);

		if (outcome != settled)
			outcome = outcome_join(settled, outcome, child);
	}
	if (q->each)
		q->each[i] = (uint8_t)outcome;
	return outcome;
}

unsigned plan_ask(const struct plan *p, const struct et_record *rec, uint32_t kinds,
		  enum plan_use use, uint8_t *each)
{
	const struct question q = { p, rec, kinds, use, each };

	return p->n_branches ? ask_branch(&q, (uint32_t)p->n_branches - 1) : CAN_HOLD;
}

uint32_t plan_kinds(const struct et_record *rec)
{
	uint64_t known = 0;
	uint32_t kinds = 0;

	for (unsigned k = 1; k < ET_KIND_END; k++) {
		known += rec->kinds[k];
		kinds |= rec->kinds[k] ? ET_KIND_BIT(k) : 0;
	}
	/* Those of a later version are not among the counts. */
	if (known < rec->rows)
		kinds |= (1u << PLAN_KINDS) - ET_KIND_BIT(ET_KIND_END);
	return kinds;
}

/* ---- Scopes -------------------------------------------------------------------------------- */

void plan_wall_span(const struct et_record *rec, int64_t *low, int64_t *high)
{
	*low = INT64_MAX;
	*high = INT64_MIN;
	for (unsigned i = 0; i < rec->n_clocks && rec->clocks[i].ts <= rec->ts_max; i++) {
		bool last = i + 1 == rec->n_clocks || rec->clocks[i + 1].ts > rec->ts_max;
		uint64_t end = last ? rec->ts_max : rec->clocks[i + 1].ts - 1;
		int64_t first_wall = et_clock_wall(rec->clocks[i]);
		int64_t end_wall = et_clock_wall((struct et_clock){ end, rec->clocks[i].offset });

		*low = first_wall < *low ? first_wall : *low;
		*high = end_wall > *high ? end_wall : *high;
	}
}

static bool times_allow(const struct filter_scope *s, const struct et_record *rec)
{
	int64_t low, high;

	if (!s->filter->has_since && !s->filter->has_until)
		return true;
	plan_wall_span(rec, &low, &high);
	return low < s->asked_until && (high >= s->asked_since || rec->kinds[ET_LOST]);
}

static bool times_hold_all(const struct filter_scope *s, const struct et_record *rec)
{
	int64_t low, high;

	if (!s->filter->has_since && !s->filter->has_until)
		return true;
	plan_wall_span(rec, &low, &high);
	return low >= s->asked_since && high < s->asked_until;
}

bool scope_may_match(const struct filter_scope *s, const struct et_record *rec)
{
	uint32_t kinds = plan_kinds(rec) & s->plan.kinds;

	if (!rec->rows || !times_allow(s, rec))
		return false;
	/* One by one: what holds for one kind may not for another. */
	for (unsigned k = 1; k < PLAN_KINDS; k++)
		if (kinds >> k & 1 && plan_ask(&s->plan, rec, 1u << k, PLAN_PASS, NULL) & CAN_HOLD)
			return true;
	return false;
}

static bool holds_all(const struct filter_scope *s, const struct et_record *rec,
		      enum plan_use use)
{
	uint32_t kinds = plan_kinds(rec);

	if (kinds & ~s->plan.kinds || !times_hold_all(s, rec))
		return false;
	for (unsigned k = 1; k < PLAN_KINDS; k++)
		if (kinds >> k & 1 && plan_ask(&s->plan, rec, 1u << k, use, NULL) != CAN_HOLD)
			return false;
	return true;
}

bool scope_matches_all(const struct filter_scope *s, const struct et_record *rec)
{
	return holds_all(s, rec, PLAN_PASS);
}

bool scope_counts_all(const struct filter_scope *s, const struct et_record *rec)
{
	return holds_all(s, rec, PLAN_COUNT);
}
