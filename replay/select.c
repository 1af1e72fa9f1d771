/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select.c - which rows of a chunk a filter lets through: first by their kinds, then leaf
 * by leaf, each only for the rows that are left, and no column is read that they do not need.
 */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "leaf.h"

void scratch_free(struct filter_scratch *w)
{
	for (size_t i = 0; i < w->masks_made; i++)
		free(w->masks[i]);
	free(w->masks);
	free(w->kinds);
	free(w->verdicts);
	free(w->outcomes);
	*w = (struct filter_scratch){ 0 };
}

/* ---- Masks --------------------------------------------------------------------------------- */

/* A mask is asked for once for each level of an OR at most, and given back behind it. */
static uint8_t *push_mask(struct filter_scratch *w)
{
	uint8_t **more;

	if (w->masks_used == w->masks_made) {
		more = expr_grow(w->masks, w->masks_made, sizeof(*more));
		if (!more)
			return NULL;
		w->masks = more;
		more[w->masks_made] = malloc(w->rows_cap);
		if (!more[w->masks_made])
			return NULL;
		w->masks_made++;
	}
	return w->masks[w->masks_used++];
}

/* Room for so many rows and branches. */
static bool make_room(struct filter_scratch *w, size_t rows, size_t branches)
{
	uint8_t *more;

	if (w->rows_cap < rows) {
		for (size_t i = 0; i < w->masks_made; i++)
			free(w->masks[i]);
		w->masks_made = w->rows_cap = 0;
		free(w->kinds);
		w->kinds = malloc(rows);
		if (!w->kinds)
			return false;
		w->rows_cap = rows;
	}
	w->masks_used = 0;
	if (w->outcomes_cap >= branches)
		return true;
	more = realloc(w->outcomes, branches);
	if (!more)
		return false;
	w->outcomes = more;
	w->outcomes_cap = branches;
	return true;
}

/* ---- Kinds ------------------------------------------------------------------------------- */

static int read_kinds(const struct selection *sel)
{
	struct et_stored kinds;
	int r = et_chunk_stored(sel->chunk, ET_F_KIND, &kinds, sel->err);

	if (!r)
		lanes_narrow(&kinds, sel->rows, sel->scratch->kinds);
	return r;
}

/* The kinds as a table of which 1 stands for yes. */
static void make_table(uint32_t kinds, uint8_t table[PLAN_KINDS])
{
	for (unsigned k = 0; k < PLAN_KINDS; k++)
		table[k] = kinds >> k & 1;
}

static uint32_t kinds_of(const struct leaf *l, enum leaf_of_kind is)
{
	uint32_t kinds = 0;

	for (unsigned k = 1; k < PLAN_KINDS; k++)
		kinds |= (uint32_t)(l->of_kind[k] == is) << k;
	return kinds;
}

/* ---- The plan ------------------------------------------------------------------------------ */

/* live: kinds of the rows that are left. */
static int select_leaf(const struct selection *sel, const struct leaf *l, uint32_t live,
		       uint8_t *mask)
{
	uint8_t asks[PLAN_KINDS], holds[PLAN_KINDS], *asked;
	struct filter_scratch *w = sel->scratch;
	int r;

	if (!(live & ~kinds_of(l, LEAF_ASKS)))
		return leaf_select(sel, l, mask);
	r = read_kinds(sel);
	if (r)
		return r;
	make_table(kinds_of(l, LEAF_ASKS), asks);
	make_table(kinds_of(l, LEAF_HOLDS), holds);
	if (!(live & kinds_of(l, LEAF_ASKS))) {
		lanes_of_kind(w->kinds, sel->rows, holds, mask, mask);
		return ET_OK;
	}
	asked = push_mask(w);
	if (!asked)
		return selection_fail_nomem(sel);
	lanes_of_kind(w->kinds, sel->rows, asks, mask, asked);
	r = leaf_select(sel, l, asked);
	lanes_of_kind(w->kinds, sel->rows, holds, mask, mask);
	for (uint32_t i = 0; i < sel->rows; i++)
		mask[i] |= asked[i];
	w->masks_used--;
	return r;
}

static int select_branch(const struct selection *sel, uint32_t i, uint32_t live, uint8_t *mask);

static int select_and(const struct selection *sel, uint32_t child, uint32_t live, uint8_t *mask)
{
	int r = ET_OK;

	for (; !r && child != PLAN_NONE; child = sel->plan->branches[child].next) {
		r = select_branch(sel, child, live, mask);
		if (!lanes_any(mask, sel->rows))
			break;
	}
	return r;
}

static int select_or(const struct selection *sel, uint32_t child, uint32_t live, uint8_t *mask)
{
	struct filter_scratch *w = sel->scratch;
	uint8_t *left = push_mask(w), *one = push_mask(w);
	int r = ET_OK;

	if (!left || !one)
		return selection_fail_nomem(sel);
	/* Each is asked for the rows for which none before it holds. */
	memcpy(left, mask, sel->rows);
	for (; !r && child != PLAN_NONE; child = sel->plan->branches[child].next) {
		memcpy(one, left, sel->rows);
		r = select_branch(sel, child, live, one);
		lanes_without(left, one, sel->rows);
		if (!lanes_any(left, sel->rows))
			break;
	}
	lanes_without(mask, left, sel->rows);
	w->masks_used -= 2;
	return r;
}

static int select_branch(const struct selection *sel, uint32_t i, uint32_t live, uint8_t *mask)
{
	const struct branch *b = &sel->plan->branches[i];

	switch (sel->scratch->outcomes[i]) {
	case CAN_HOLD:
		return ET_OK;
	case CAN_FAIL:
		memset(mask, 0, sel->rows);
		return ET_OK;
	}
	if (b->op == NODE_TEST)
		return select_leaf(sel, &sel->plan->leaves[b->first], live, mask);
	return b->op == NODE_AND ? select_and(sel, b->first, live, mask)
				 : select_or(sel, b->first, live, mask);
}

/* ---- --since and --until ------------------------------------------------------------------ */

static int select_times(const struct filter_scope *s, const struct et_record *rec,
			const struct selection *sel, uint8_t *mask)
{
	struct et_stored ts, until = { .value = ET_NONE };
	int64_t low, high;
	int r;

	plan_wall_span(rec, &low, &high);
	if (low >= s->asked_since && high < s->asked_until)
		return ET_OK;
	r = et_chunk_stored(sel->chunk, ET_F_TS, &ts, sel->err);
	if (!r && rec->kinds[ET_LOST])
		r = et_chunk_stored(sel->chunk, ET_F_UNTIL, &until, sel->err);
	for (uint32_t i = 0; !r && i < sel->rows; i++) {
		uint64_t at = et_stored_number(&ts, i), to = et_stored_number(&until, i);
		int64_t first = et_chunk_wall(sel->chunk, at), last = first;

		if (to != ET_NONE && to > at)
			last = et_chunk_wall(sel->chunk, to);
		mask[i] &= last >= s->asked_since && first < s->asked_until;
	}
	return r;
}

/* ---- All of it ------------------------------------------------------------------------------ */

/* Starts from the rows of kinds that may match: live. */
static int select_kinds(const struct selection *sel, const struct et_record *rec, uint32_t live,
			uint8_t *mask)
{
	uint8_t table[PLAN_KINDS];
	int r;

	memset(mask, 1, sel->rows);
	if (!(plan_kinds(rec) & ~live))
		return ET_OK;
	make_table(live, table);
	r = read_kinds(sel);
	if (!r)
		lanes_of_kind(sel->scratch->kinds, sel->rows, table, mask, mask);
	return r;
}

int scope_select(const struct filter_scope *s, struct filter_scratch *w,
		 const struct et_record *rec, struct et_chunk *chunk, uint8_t *selected,
		 struct et_error *err)
{
	const struct selection sel = { &s->plan, w, chunk, et_chunk_rows(chunk), err };
	uint32_t kinds = plan_kinds(rec) & s->plan.kinds, live = 0;
	int r;

	for (unsigned k = 1; k < PLAN_KINDS; k++)
		if (kinds >> k & 1 && plan_ask(&s->plan, rec, 1u << k, PLAN_READ, NULL) & CAN_HOLD)
			live |= 1u << k;
	if (!live) {
		memset(selected, 0, sel.rows);
		return ET_OK;
	}
	if (!make_room(w, (size_t)sel.rows + 1, s->plan.n_branches))
		return selection_fail_nomem(&sel);
	r = select_kinds(&sel, rec, live, selected);
	if (!r && s->plan.n_branches) {
		plan_ask(&s->plan, rec, live, PLAN_READ, w->outcomes);
		r = select_branch(&sel, (uint32_t)s->plan.n_branches - 1, live, selected);
	}
	if (!r && (s->filter->has_since || s->filter->has_until))
		r = select_times(s, rec, &sel, selected);
	return r;
}
