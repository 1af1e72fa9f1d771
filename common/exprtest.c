/* SPDX-License-Identifier: BSD-2-Clause */
/* exprtest.c - one test of an expression: an operand, a comparison, and its values. */
#include "exprparse.h"

#include "value.h"

/* Those that begin like others come in front of them. */
static const struct {
	const char *sign;
	enum comparison is;
} comparisons[] = {
	{ "==", COMPARE_EQ }, { "!=", COMPARE_NE },   { "<=", COMPARE_LE }, { ">=", COMPARE_GE },
	{ "=~", COMPARE_ERE }, { "<", COMPARE_LT },   { ">", COMPARE_GT },  { "~", COMPARE_GLOB },
	{ "in", COMPARE_IN },  { "has", COMPARE_HAS },
};

const char *comparison_sign(enum comparison is)
{
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		if (comparisons[i].is == is)
			return comparisons[i].sign;
	return "";
}

/* ---- Operands ----------------------------------------------------------------------------- */

static int fail_operand(struct parser *p, size_t len)
{
	const char *like = operand_like(p->at, len);

	if (p->at == p->end)
		return parse_fail(p, p->at, "a test is missing here, such as exit != 0");
	if (!len || (*p->at >= '0' && *p->at <= '9'))
		return parse_fail(p, p->at,
				  "a test begins with the name of a field, as in exit != 0");
	if (like)
		return parse_fail(p, p->at, "unknown field '%.*s' (did you mean '%s'?)",
				  parse_shown(len), p->at, like);
	return parse_fail(p, p->at, "unknown field '%.*s' (exectrace replay --columns help "
				    "lists them)", parse_shown(len), p->at);
}

static int parse_index(struct parser *p, struct side *side)
{
	const char *open = p->at - 1;
	bool back;
	int32_t n = 0;
	const char *digits;

	parse_blanks(p);
	back = p->at < p->end && *p->at == '-';
	p->at += back;
	for (digits = p->at; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
		if (n > 99999999)
			return parse_fail(p, open, "no list is so long");
		n = n * 10 + (*p->at - '0');
	}
	if (p->at == digits || (back && !n))
		return parse_fail(p, open, "an index is 0, 1 and so on, or -1 for the last");
	if (!parse_take(p, "]"))
		return parse_fail(p, open, "this [ is not closed");
	side->indexed = true;
	side->index = back ? -n : n;
	return 0;
}

static int parse_operand(struct parser *p, struct side *side, struct operand *o)
{
	const char *at;
	size_t len;

	parse_blanks(p);
	at = p->at;
	len = parse_word(p, at);
	side->id = (uint8_t)operand_find(at, len);
	if (!side->id)
		return fail_operand(p, len);
	*o = operand_get(side->id);
	if (o->names & ~p->opt->names)
		return parse_fail(p, at, "'%s' is not known here: %s", o->name,
				  o->names & EXPR_USERS ? "names of users and groups are not"
							: "paths of cgroups are not");
	p->at += len;
	if (!parse_take(p, "["))
		return 0;
	if (o->type != OPERAND_LIST)
		return parse_fail(p, p->at - 1, "'%s' is no list", o->name);
	return parse_index(p, side);
}

/* ---- Comparisons ------------------------------------------------------------------------- */

static int fail_comparison(struct parser *p, const char *at, const struct subject *s)
{
	const char *name = s->o.name, *sign = comparison_sign(s->is);

	if (s->o.type == OPERAND_LIST && !s->t.what.indexed)
		return parse_fail(p, at, "'%s' is a list: ask %s has \"...\" or %s[0] == \"...\"",
				  name, name, name);
	if (s->is == COMPARE_HAS)
		return parse_fail(p, at, "'%s' is no list: has is of argv and env", name);
	if (s->o.type == OPERAND_MOMENT || s->o.type == OPERAND_NUMBER)
		return parse_fail(p, at, "'%s' is a %s: %s is not of such", name,
				  s->o.type == OPERAND_MOMENT ? "time"
				  : s->o.unit == ET_FLAG      ? "flag"
							      : "number",
				  sign);
	return parse_fail(p, at, "'%s' is text, which has no order: %s is of numbers and times",
			  name, sign);
}

static const char *type_name(const struct operand *o)
{
	static const char *const units[] = {
		[ET_PLAIN] = "a number",	[ET_NS_BOOT] = "a time of the boot clock",
		[ET_NS] = "a duration",		[ET_BYTES] = "a size",
		[ET_FLAG] = "a flag",		[ET_UID] = "a user's number",
		[ET_GID] = "a group's number",	[ET_CGROUP_ID] = "a cgroup",
		[ET_KIND_ID] = "a kind",	[ET_CAUSE_ID] = "a cause",
		[ET_ERRNO_ID] = "an error",	[ET_SIGNAL_ID] = "a signal",
		[ET_DEV] = "a device",
	};

	return o->type == OPERAND_TEXT || o->type == OPERAND_LIST ? "text"
	       : o->type == OPERAND_MOMENT ? "a time"
					   : units[o->unit];
}

/*
 * Whether another field comes next, to compare with. A word that is a value is no field,
 * and behind a user or a group only the fields of such are: others can be names.
 */
static bool at_field(struct parser *p, const struct subject *s)
{
	struct operand o;
	uint64_t value;
	unsigned id;
	size_t len;

	parse_blanks(p);
	len = parse_word(p, p->at);
	id = s->is <= COMPARE_GE ? operand_find(p->at, len) : 0;
	if (!id || s->o.type != OPERAND_NUMBER)
		return id;
	o = operand_get(id);
	if (s->o.unit == ET_UID || s->o.unit == ET_GID)
		return o.type == OPERAND_NUMBER && o.unit == s->o.unit;
	return !value_parse(s->o.unit, p->at, len, &value);
}

static int parse_field(struct parser *p, struct subject *s)
{
	const char *from = p->at;
	struct operand o;

	if (parse_operand(p, &s->t.other, &o))
		return -1;
	if (o.type == OPERAND_LIST && !s->t.other.indexed)
		return parse_fail(p, from, "'%s' is a list: compare with an item, as %s[0]", o.name,
				  o.name);
	if (o.type == OPERAND_LIST)
		o.type = OPERAND_TEXT;
	if ((s->o.type == OPERAND_NUMBER) != (o.type == OPERAND_NUMBER) ||
	    o.type == OPERAND_MOMENT || (o.type == OPERAND_NUMBER && o.unit != s->o.unit))
		return parse_fail(p, from, "'%s' is %s and '%s' %s: only fields of one type are "
					   "compared", s->o.name, type_name(&s->o), o.name,
				  type_name(&o));
	s->t.op = TEST_FIELDS;
	s->t.compared = (uint8_t)s->is;
	s->t.negated = false;
	s->t.fields |= o.fields;
	s->t.kinds &= o.kinds;
	return 0;
}

static int parse_number_test(struct parser *p, const char *at, struct subject *s)
{
	if (s->is == COMPARE_GLOB || s->is == COMPARE_ERE || s->is == COMPARE_HAS)
		return fail_comparison(p, at, s);
	if (s->o.unit == ET_FLAG && s->is != COMPARE_NONE && s->is != COMPARE_EQ &&
	    s->is != COMPARE_NE)
		return fail_comparison(p, at, s);
	if (at_field(p, s))
		return parse_field(p, s);
	s->t.op = TEST_VALUES;
	return s->o.unit == ET_FLAG ? parse_flag(p, s) : parse_numbers(p, s);
}

static int parse_text_test(struct parser *p, const char *at, struct subject *s)
{
	if (s->is == COMPARE_LT || s->is == COMPARE_LE || s->is == COMPARE_GT ||
	    s->is == COMPARE_GE || s->is == COMPARE_HAS)
		return fail_comparison(p, at, s);
	if (at_field(p, s))
		return parse_field(p, s);
	s->t.op = s->is == COMPARE_GLOB  ? TEST_GLOB
		  : s->is == COMPARE_ERE ? TEST_ERE
					 : TEST_TEXTS;
	return parse_texts(p, s);
}

static int parse_list_test(struct parser *p, const char *at, struct subject *s)
{
	if (s->is != COMPARE_HAS)
		return fail_comparison(p, at, s);
	s->t.any = true;
	s->t.op = parse_take(p, "=~") ? TEST_ERE : parse_take(p, "~") ? TEST_GLOB : TEST_TEXTS;
	return parse_texts(p, s);
}

/* Behind the operand. */
static int parse_comparison(struct parser *p, struct subject *s)
{
	const char *at;

	parse_blanks(p);
	at = p->at;
	s->is = COMPARE_NONE;
	for (size_t i = 0; s->is == COMPARE_NONE && i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		if (parse_take(p, comparisons[i].sign))
			s->is = comparisons[i].is;
	s->t.negated = s->is == COMPARE_NE;
	if (s->is == COMPARE_NONE && p->at < p->end && *p->at == '=')
		return parse_fail(p, at, "= compares nothing: write == or =~");
	if (s->is == COMPARE_NONE && p->end - p->at > 1 && p->at[0] == '!' && p->at[1] == '~')
		return parse_fail(p, at, "write !(%s ~ \"...\")", s->o.name);
	if (s->is == COMPARE_NONE && (s->o.type != OPERAND_NUMBER || s->o.unit != ET_FLAG))
		return parse_fail(p, at, "'%s' alone is neither true nor false: compare it, or "
					 "write known(%s)", s->o.name, s->o.name);
	if (s->o.type == OPERAND_MOMENT) {
		s->t.op = TEST_TIMES;
		return s->is == COMPARE_GLOB || s->is == COMPARE_ERE || s->is == COMPARE_HAS
			       ? fail_comparison(p, at, s)
			       : parse_times(p, s);
	}
	if (s->o.type == OPERAND_LIST && !s->t.what.indexed)
		return parse_list_test(p, at, s);
	return s->o.type == OPERAND_NUMBER ? parse_number_test(p, at, s)
					   : parse_text_test(p, at, s);
}

/* ---- Tests -------------------------------------------------------------------------------- */

static int parse_subject(struct parser *p, struct subject *s)
{
	if (parse_operand(p, &s->t.what, &s->o))
		return -1;
	s->t.fields = s->o.fields;
	s->t.kinds = s->o.kinds;
	return 0;
}

/* Behind `known`. */
static int parse_known(struct parser *p, struct subject *s)
{
	s->t.op = TEST_KNOWN;
	if (!parse_take(p, "("))
		return parse_fail(p, p->at, "a ( is missing: known(exe)");
	if (parse_subject(p, s))
		return -1;
	return parse_take(p, ")") ? 0 : parse_fail(p, p->at, "a ) is missing: known(exe)");
}

int parse_test(struct parser *p, uint16_t *node)
{
	struct subject s = { 0 };
	int r;

	if (p->e->n_tests == EXPR_TESTS_MAX)
		return parse_fail(p, p->at, "an expression has %u tests at most",
				  EXPR_TESTS_MAX);
	if (parse_take(p, "known"))
		r = parse_known(p, &s);
	else
		r = parse_subject(p, &s) || parse_comparison(p, &s);
	if (r) {
		test_free(&s.t);
		return -1;
	}
	return expr_add_test(p->e, &s.t, node) ? parse_fail_nomem(p) : 0;
}
