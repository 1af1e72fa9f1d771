/* SPDX-License-Identifier: BSD-2-Clause */
#include "leaf.h"

#include <stdlib.h>
#include <string.h>

#include "derive.h"
#include "lanes.h"

int selection_fail_nomem(const struct selection *sel)
{
	*sel->err = (struct et_error){ ET_NOMEM, 0, 0, "out of memory" };
	return ET_NOMEM;
}

/* ---- Numbers ------------------------------------------------------------------------------ */

/* Rows for which what follows from several columns is put together at a time. */
#define BLOCK 1024u

/* A number of each row: a column, or what follows from these. */
struct numbers {
	unsigned id;
	struct et_stored columns[4];
};

static int numbers_open(const struct selection *sel, unsigned id, struct numbers *n)
{
	static const struct {
		uint8_t id, n, columns[4];
	} derived[] = {
		{ OPERAND_TIME, 1, { ET_F_TS } },
		{ OPERAND_EXIT, 2, { ET_F_EXIT_CODE, ET_F_SIGNAL } },
		{ OPERAND_DURATION, 4, { ET_F_KIND, ET_F_TS, ET_F_EXEC_TS, ET_F_START } },
		{ OPERAND_FAILED, 1, { ET_F_KIND } },
		{ OPERAND_OK, 1, { ET_F_KIND } },
	};
	size_t k = 0;
	int r = ET_OK;

	n->id = id;
	if (id < ET_FIELD_END)
		return et_chunk_stored(sel->chunk, id, &n->columns[0], sel->err);
	while (derived[k].id != id)
		k++;
	for (unsigned i = 0; !r && i < derived[k].n; i++)
		r = et_chunk_stored(sel->chunk, derived[k].columns[i], &n->columns[i], sel->err);
	return r;
}

static uint64_t number_at(const struct selection *sel, const struct numbers *n, uint32_t row)
{
	const struct et_stored *c = n->columns;
	uint64_t v = et_stored_number(&c[0], row);

	switch (n->id) {
	case OPERAND_TIME:
		return plan_time(et_chunk_wall(sel->chunk, v));
	case OPERAND_EXIT:
		return derive_status_of(v, et_stored_number(&c[1], row));
	case OPERAND_DURATION:
		return derive_duration_of(v, et_stored_number(&c[1], row),
					  et_stored_number(&c[2], row),
					  et_stored_number(&c[3], row));
	case OPERAND_FAILED:
		return v == ET_FAIL;
	case OPERAND_OK:
		return v == ET_EXEC;
	default:
		return v;
	}
}

static int select_numbers(const struct selection *sel, const struct leaf *l, uint8_t *mask)
{
	uint64_t buffer[BLOCK];
	const struct et_stored block = { .v = buffer, .width = 8 };
	struct numbers v;
	int r = numbers_open(sel, l->number, &v);

	if (!r && l->number < ET_FIELD_END) {
		lanes_in_ranges(&v.columns[0], sel->rows, l->ranges, l->n_ranges, l->inverted,
				mask);
		return ET_OK;
	}
	for (uint32_t at = 0, n; !r && at < sel->rows; at += n) {
		n = sel->rows - at < BLOCK ? sel->rows - at : BLOCK;
		for (uint32_t i = 0; i < n; i++)
			buffer[i] = mask[at + i] ? number_at(sel, &v, at + i) : 0;
		lanes_in_ranges(&block, n, l->ranges, l->n_ranges, l->inverted, mask + at);
	}
	return r;
}

/* Ids that have been asked for lately, by their lower bits. */
#define ASKED 256u

static int select_names(const struct selection *sel, const struct leaf *l, uint8_t *mask)
{
	struct {
		uint64_t id;
		bool set, holds;
	} asked[ASKED] = { 0 };
	struct et_stored ids;
	int r = et_chunk_stored(sel->chunk, l->number, &ids, sel->err);

	for (uint32_t i = 0; !r && i < sel->rows; i++) {
		uint64_t id = et_stored_number(&ids, i);
		unsigned at = (unsigned)(id ^ id >> 8) % ASKED;

		if (!mask[i])
			continue;
		if (!asked[at].set || asked[at].id != id) {
			asked[at].id = id;
			asked[at].set = true;
			asked[at].holds = leaf_has_id(sel->plan, l, id);
		}
		mask[i] = asked[at].holds;
	}
	return r;
}

/* ---- Strings ------------------------------------------------------------------------------ */

enum verdict { UNSEEN, NO, YES };

/* A zero for each string id, and in front of them for that of none. */
static int clear_verdicts(const struct selection *sel, uint32_t *strings)
{
	struct filter_scratch *w = sel->scratch;
	int r = et_chunk_strings(sel->chunk, strings, sel->err);

	if (r)
		return r;
	if (w->verdicts_cap <= *strings) {
		free(w->verdicts);
		w->verdicts_cap = 0;
		w->verdicts = malloc((size_t)*strings + 1);
		if (!w->verdicts)
			return selection_fail_nomem(sel);
		w->verdicts_cap = (size_t)*strings + 1;
	}
	memset(w->verdicts, UNSEEN, (size_t)*strings + 1);
	return ET_OK;
}

/* Whether the test holds for a string that is known. */
static bool holds_for(const struct leaf *l, struct et_str s)
{
	return l->test->op == TEST_KNOWN || test_has_text(l->test, s) != l->test->negated;
}

static int select_texts(const struct selection *sel, const struct leaf *l, uint8_t *mask)
{
	const uint32_t *ids;
	uint32_t strings;
	uint8_t *verdicts;
	int r = clear_verdicts(sel, &strings);

	if (!r)
		r = et_chunk_ids(sel->chunk, l->test->what.id, &ids, sel->err);
	if (r)
		return r;
	verdicts = sel->scratch->verdicts;
	lanes_touch(ids, sel->rows, mask, verdicts);
	for (uint32_t id = 1; id <= strings; id++)
		if (verdicts[id])
			verdicts[id] = holds_for(l, et_chunk_str(sel->chunk, id)) != l->negated;
	verdicts[0] = l->negated;
	lanes_by_id(ids, sel->rows, verdicts, mask);
	return ET_OK;
}

static bool string_holds(const struct selection *sel, const struct leaf *l, uint32_t id)
{
	uint8_t *verdict = &sel->scratch->verdicts[id];

	if (*verdict == UNSEEN)
		*verdict = holds_for(l, et_chunk_str(sel->chunk, id)) ? YES : NO;
	return *verdict == YES;
}

static bool list_holds(const struct selection *sel, const struct leaf *l, struct et_span span,
		       const uint32_t *ids)
{
	uint32_t at;

	if (span.n == UINT32_MAX)
		return false;
	if (l->how == LEAF_ITEM)
		return side_index(&l->test->what, span.n, &at) &&
		       string_holds(sel, l, ids[span.first + at]);
	if (l->test->op == TEST_KNOWN)
		return true;
	for (uint32_t k = 0; k < span.n; k++)
		if (string_holds(sel, l, ids[span.first + k]))
			return true;
	return false;
}

static int select_lists(const struct selection *sel, const struct leaf *l, uint8_t *mask)
{
	const struct et_span *spans;
	const uint32_t *ids;
	uint32_t strings;
	int r = clear_verdicts(sel, &strings);

	if (!r)
		r = et_chunk_lists(sel->chunk, l->test->what.id, &spans, &ids, sel->err);
	for (uint32_t i = 0; !r && i < sel->rows; i++)
		if (mask[i])
			mask[i] = list_holds(sel, l, spans[i], ids) != l->negated;
	return r;
}

/* ---- Two fields --------------------------------------------------------------------------- */

static int compare_numbers(const struct selection *sel, const struct leaf *l, uint8_t *mask)
{
	const struct test *t = l->test;
	unsigned unit = operand_get(t->what.id).unit;
	struct numbers one, other;
	int r = numbers_open(sel, t->what.id, &one);

	if (!r)
		r = numbers_open(sel, t->other.id, &other);
	for (uint32_t i = 0; !r && i < sel->rows; i++) {
		uint64_t a, b;

		if (!mask[i])
			continue;
		a = number_at(sel, &one, i);
		b = number_at(sel, &other, i);
		mask[i] = (a != ET_NONE && b != ET_NONE && test_compare(t, unit, a, b)) !=
			  l->negated;
	}
	return r;
}

/* A text of each row; which members count follows from the side. */
struct texts {
	struct side side;
	bool named;
	struct et_stored numbers; /* named: names of these */
	const uint32_t *ids;
	const struct et_span *spans;
};

static int texts_open(const struct selection *sel, struct side side, struct texts *t)
{
	unsigned field = plan_name_field(side.id);
	uint32_t strings;
	int r;

	*t = (struct texts){ .side = side, .named = field };
	if (field)
		return et_chunk_stored(sel->chunk, field, &t->numbers, sel->err);
	r = et_chunk_strings(sel->chunk, &strings, sel->err);
	if (r)
		return r;
	return side.indexed ? et_chunk_lists(sel->chunk, side.id, &t->spans, &t->ids, sel->err)
			    : et_chunk_ids(sel->chunk, side.id, &t->ids, sel->err);
}

static bool texts_at(const struct selection *sel, const struct texts *t, uint32_t row,
		     char buffer[OPERAND_BUFFER], struct et_str *out)
{
	uint32_t id, at;

	if (t->named)
		return plan_name(sel->plan, t->side.id, et_stored_number(&t->numbers, row), buffer,
				 out);
	if (t->spans) {
		if (t->spans[row].n == UINT32_MAX || !side_index(&t->side, t->spans[row].n, &at))
			return false;
		id = t->ids[t->spans[row].first + at];
	} else {
		id = t->ids[row];
	}
	*out = et_chunk_str(sel->chunk, id);
	return id;
}

static int compare_texts(const struct selection *sel, const struct leaf *l, uint8_t *mask)
{
	char buffers[2][OPERAND_BUFFER];
	struct texts one, other;
	int r = texts_open(sel, l->test->what, &one);

	if (!r)
		r = texts_open(sel, l->test->other, &other);
	for (uint32_t i = 0; !r && i < sel->rows; i++) {
		struct et_str a, b;

		if (mask[i])
			mask[i] = (texts_at(sel, &one, i, buffers[0], &a) &&
				   texts_at(sel, &other, i, buffers[1], &b) &&
				   test_compare_texts(l->test, a, b)) != l->negated;
	}
	return r;
}

int leaf_select(const struct selection *sel, const struct leaf *l, uint8_t *mask)
{
	switch ((enum leaf_how)l->how) {
	case LEAF_NUMBER:
		return select_numbers(sel, l, mask);
	case LEAF_NAME:
		return select_names(sel, l, mask);
	case LEAF_TEXT:
		return select_texts(sel, l, mask);
	case LEAF_ITEM:
	case LEAF_LIST:
		return select_lists(sel, l, mask);
	case LEAF_FIELDS:
		if (operand_get(l->test->what.id).type == OPERAND_NUMBER)
			return compare_numbers(sel, l, mask);
		return compare_texts(sel, l, mask);
	case LEAF_KIND:
		break;
	}
	return ET_OK;
}
