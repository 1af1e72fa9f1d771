/* SPDX-License-Identifier: BSD-2-Clause */
/* exprmean.c - what the test of an expression means, of one value at a time. */
#include "exprtree.h"

#include <string.h>

#include "glob.h"

/* ---- Outcomes -------------------------------------------------------------------------- */

unsigned outcome_negate(unsigned outcome)
{
	return (outcome & CAN_FAIL ? CAN_HOLD : 0) | (outcome & CAN_HOLD ? CAN_FAIL : 0);
}

unsigned outcome_join(unsigned settled, unsigned outcome, unsigned child)
{
	/* It can go one way if any can, and the other only if all can. */
	return child == settled ? settled : outcome | (child & settled);
}

/* Whether the kind alone says what becomes of it. */
static bool is_of_kind(const struct test *t)
{
	return t->fields == 1ull << ET_F_KIND;
}

unsigned test_by_kind(const struct test *t, unsigned kind)
{
	struct et_event ev = { .known = 1ull << ET_F_KIND, .v[ET_F_KIND].u = kind };
	uint64_t v;

	if (kind >= 32 || !(t->kinds >> kind & 1))
		return CAN_FAIL;
	if (!is_of_kind(t))
		return CAN_BOTH;
	v = operand_number(t->what.id, &ev, false);
	if (t->op == TEST_VALUES && test_has_number(t, v) == t->negated)
		return CAN_FAIL;
	if (t->op == TEST_FIELDS &&
	    !test_compare(t, operand_get(t->what.id).unit, v,
			  operand_number(t->other.id, &ev, false)))
		return CAN_FAIL;
	return CAN_HOLD;
}

/* ---- Numbers and times ------------------------------------------------------------------- */

bool test_has_number(const struct test *t, uint64_t v)
{
	for (size_t i = 0; i < t->n_ranges; i++)
		if (v >= t->ranges[i].low && v <= t->ranges[i].high)
			return true;
	return false;
}

static bool is_so(unsigned compared, int order)
{
	switch (compared) {
	case COMPARE_EQ:
		return !order;
	case COMPARE_NE:
		return order;
	case COMPARE_LT:
		return order < 0;
	case COMPARE_LE:
		return order <= 0;
	case COMPARE_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

bool test_compare(const struct test *t, unsigned unit, uint64_t a, uint64_t b)
{
	/* Of flags any number but 0 is a yes. */
	if (unit == ET_FLAG) {
		a = a != 0;
		b = b != 0;
	}
	return is_so(t->compared, a < b ? -1 : a > b);
}

bool time_range_resolve(const struct time_range *r, int64_t start, int32_t offset, int64_t *low,
			int64_t *high)
{
	*low = r->has_low ? moment_resolve(&r->low, start, offset) : INT64_MIN;
	*high = r->has_high ? moment_resolve(&r->high, start, offset) : INT64_MAX;
	if ((r->low_step && *low == INT64_MAX) || (r->high_step && *high == INT64_MIN))
		return false;
	*low += r->low_step != 0;
	*high -= r->high_step != 0;
	return *low <= *high;
}

/* ---- Texts ------------------------------------------------------------------------------- */

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
	if (test->what.id == ET_F_ENV && test->any && test->op != TEST_ERE && !strchr(t->p, '=')) {
		equals = s.len ? memchr(s.ptr, '=', s.len) : NULL;
		s.len = equals ? (uint32_t)(equals - s.ptr) : s.len;
	}
	if (test->what.id == OPERAND_CONTAINER && test->op != TEST_ERE && is_short_id(t) &&
	    s.len > t->len)
		s.len = (uint32_t)t->len;
	switch (test->op) {
	case TEST_GLOB:
		return is_path(test->what.id) ? glob_match_path(t->p, s.ptr, s.len)
					      : glob_match(t->p, s.ptr, s.len);
	case TEST_ERE:
		return ere_match(t->ere, s.ptr, s.len);
	default:
		return s.len == t->len && (!s.len || !memcmp(s.ptr, t->p, s.len));
	}
}

bool test_has_text(const struct test *t, struct et_str s)
{
	for (size_t i = 0; i < t->n_texts; i++)
		if (is_text(t, &t->texts[i], s))
			return true;
	return false;
}

bool test_compare_texts(const struct test *t, struct et_str a, struct et_str b)
{
	bool same = a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));

	return is_so(t->compared, !same);
}

bool side_index(const struct side *s, uint32_t n, uint32_t *at)
{
	int64_t i = s->index < 0 ? (int64_t)n + s->index : s->index;

	*at = (uint32_t)i;
	return i >= 0 && i < n;
}
