/* SPDX-License-Identifier: BSD-2-Clause */
/* exprtest.c - one test of an expression: an operand, a comparison, and its values. */
#include "exprtree.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

enum comparison { EQ, NE, LT, LE, GT, GE, GLOB, ERE, IN, HAS, ALONE };

/* Those that begin like others come in front of them. */
static const struct {
	const char *sign;
	enum comparison is;
} comparisons[] = {
	{ "==", EQ }, { "!=", NE }, { "<=", LE }, { ">=", GE }, { "=~", ERE },
	{ "<", LT },  { ">", GT },  { "~", GLOB }, { "in", IN }, { "has", HAS },
};

static const char *sign_of(enum comparison c)
{
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		if (comparisons[i].is == c)
			return comparisons[i].sign;
	return "";
}

/* The test at hand. */
struct subject {
	struct test t;
	struct operand o;
	enum comparison is;
};

/* ---- Text in quotes ------------------------------------------------------------------- */

static bool at_quote(const struct parser *p)
{
	return p->at < p->end && (*p->at == '"' || *p->at == '\'');
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Behind a backslash; a byte of the text, or the backslash where it means none. */
static char take_escape(struct parser *p)
{
	static const char names[] = "ntr\\\"'", bytes[] = "\n\t\r\\\"'";
	const char *name = p->at < p->end ? memchr(names, *p->at, sizeof(names) - 1) : NULL;

	if (name) {
		p->at++;
		return bytes[name - names];
	}
	if (p->end - p->at >= 3 && *p->at == 'x' && hex_digit(p->at[1]) >= 0 &&
	    hex_digit(p->at[2]) >= 0) {
		p->at += 3;
		return (char)(hex_digit(p->at[-2]) << 4 | hex_digit(p->at[-1]));
	}
	return '\\';
}

/* *out is the caller's. */
static int parse_quoted(struct parser *p, char **out, size_t *len)
{
	const char *open = p->at++;
	char *text = malloc((size_t)(p->end - open) + 1);
	size_t n = 0;
	int r = 0;

	*out = text;
	if (!text)
		return parse_fail_nomem(p);
	while (!r && p->at < p->end && *p->at != *open) {
		const char *at = p->at;
		char c = *p->at++;

		text[n] = c == '\\' ? take_escape(p) : c;
		if (!text[n++])
			r = parse_fail(p, at, "no text of an event holds a NUL");
	}
	if (!r && p->at == p->end)
		r = parse_fail(p, open, "this %c is not closed", *open);
	p->at++;
	text[n] = '\0';
	*len = n;
	if (!r)
		return 0;
	free(text);
	*out = NULL;
	return -1;
}

/* ---- Values ----------------------------------------------------------------------------- */

/* What a message shows of a word. */
static int shown(size_t len)
{
	return (int)(len < 40 ? len : 40);
}

/* A value that is no text in quotes: up to a blank, a sign or "..". */
static size_t value_length(const struct parser *p)
{
	static const char signs[] = "_.:+-@";
	const char *end = p->at;

	for (; end < p->end; end++) {
		bool letter = (*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z') ||
			      (*end >= '0' && *end <= '9');

		if (!letter && !memchr(signs, *end, sizeof(signs) - 1))
			break;
		if (p->end - end >= 2 && end[0] == '.' && end[1] == '.')
			break;
	}
	return (size_t)(end - p->at);
}

static bool at_dots(const struct parser *p)
{
	return p->end - p->at >= 2 && p->at[0] == '.' && p->at[1] == '.';
}

/* What a value is: the word there, or what is in quotes; *owned is the caller's. */
static int take_value(struct parser *p, const struct subject *s, const char **value,
		      size_t *len, char **owned)
{
	*owned = NULL;
	*value = p->at;
	if (at_quote(p)) {
		int r = parse_quoted(p, owned, len);

		*value = *owned;
		return r;
	}
	*len = value_length(p);
	if (!*len)
		return parse_fail(p, p->at, "a value is missing behind %s", sign_of(s->is));
	p->at += *len;
	return 0;
}

static int too_many(struct parser *p)
{
	return parse_fail(p, p->at, "an expression has %u values at most", EXPR_VALUES_MAX);
}

/* Takes the text over. */
static int add_text(struct parser *p, struct subject *s, char *text, size_t len,
		    struct ere *ere)
{
	struct expr *e = p->e;
	struct text *more = NULL;
	bool many = e->n_texts == EXPR_VALUES_MAX;

	if (!many)
		more = parse_grow(e->texts, e->n_texts, sizeof(*more));
	if (!more) {
		free(text);
		ere_free(ere);
		return many ? too_many(p) : parse_fail_nomem(p);
	}
	e->texts = more;
	more[e->n_texts++] = (struct text){ text, len, ere };
	s->t.n_texts++;
	return 0;
}

static int add_range(struct parser *p, struct subject *s, uint64_t low, uint64_t high)
{
	struct expr *e = p->e;
	struct range *more;

	if (e->n_ranges == EXPR_VALUES_MAX)
		return too_many(p);
	more = parse_grow(e->ranges, e->n_ranges, sizeof(*more));
	if (!more)
		return parse_fail_nomem(p);
	e->ranges = more;
	more[e->n_ranges++] = (struct range){ low, high };
	s->t.n_ranges++;
	return 0;
}

static int add_time_range(struct parser *p, struct subject *s, const struct time_range *r)
{
	struct expr *e = p->e;
	struct time_range *more;

	if (e->n_times == EXPR_VALUES_MAX)
		return too_many(p);
	more = parse_grow(e->times, e->n_times, sizeof(*more));
	if (!more)
		return parse_fail_nomem(p);
	e->times = more;
	more[e->n_times++] = *r;
	s->t.n_ranges++;
	return 0;
}

static bool is_named(const struct subject *s)
{
	return s->o.unit == ET_UID || s->o.unit == ET_GID;
}

/* Out of quotes a name begins with a letter, or it would be a mistaken number. */
static bool may_be_name(const char *s, size_t len, bool quoted)
{
	return len && (quoted || *s == '_' || (*s >= 'a' && *s <= 'z') ||
		       (*s >= 'A' && *s <= 'Z'));
}

/* A number. *name: that of a user or a group instead, the caller's; else NULL. */
static int take_number(struct parser *p, const struct subject *s, uint64_t *out, char **name,
		       size_t *name_len)
{
	const char *from = p->at, *value;
	bool quoted = at_quote(p);
	size_t len;
	char *owned;
	int r = 0;

	*name = NULL;
	if (quoted && (s->o.unit == ET_PLAIN || s->o.unit == ET_NS_BOOT))
		return parse_fail(p, from, "'%s' is a number and cannot be compared with text",
				  s->o.name);
	if (take_value(p, s, &value, &len, &owned))
		return -1;
	if (value_parse(s->o.unit, value, len, out))
		goto out;
	if (!is_named(s) || !may_be_name(value, len, quoted)) {
		r = parse_fail(p, from, "%s: '%.*s' is not %s", s->o.name, shown(len), value,
			       value_wanted(s->o.unit));
	} else if (s->is != EQ && s->is != NE && s->is != IN) {
		r = parse_fail(p, from, "names have no order: %s needs a number behind %s",
			       s->o.name, sign_of(s->is));
	} else if (!(p->opt->names & EXPR_USERS)) {
		r = parse_fail(p, from, "names of users and groups are not known here: "
					"compare %s with a number", s->o.name);
	} else {
		*name = strndup(value, len);
		*name_len = len;
		if (!*name)
			r = parse_fail_nomem(p);
	}
out:
	free(owned);
	return r;
}

static int take_moment(struct parser *p, const struct subject *s, struct moment *out)
{
	const char *from = p->at, *value;
	size_t len;
	char *owned, text[64];
	bool ok = false;

	if (take_value(p, s, &value, &len, &owned))
		return -1;
	if (len < sizeof(text)) {
		memcpy(text, value, len);
		text[len] = '\0';
		ok = moment_parse(text, out);
	}
	free(owned);
	if (!ok)
		return parse_fail(p, from, "this is not a time such as 09:00, "
					   "\"2026-11-20 09:00:00\", 2026-11-20T08:00Z or +1m30s");
	if (!(p->opt->names & EXPR_CLOCK) && (out->form != MOMENT_WALL || !out->zoned))
		return parse_fail(p, from, "only a date with a zone says which time is meant here, "
					   "as in 2026-11-20T08:00Z");
	return 0;
}

/* The numbers that compare so with v; 1..0 are none. */
static int add_compared(struct parser *p, struct subject *s, uint64_t v)
{
	switch (s->is) {
	case LT:
		return v ? add_range(p, s, 0, v - 1) : add_range(p, s, 1, 0);
	case LE:
		return add_range(p, s, 0, v);
	case GT:
		return v < VALUE_MAX ? add_range(p, s, v + 1, VALUE_MAX) : add_range(p, s, 1, 0);
	case GE:
		return add_range(p, s, v, VALUE_MAX);
	default:
		return add_range(p, s, v, v);
	}
}

/* A value, or in a set LOW..HIGH, LOW.. or ..HIGH. */
static int parse_numbers(struct parser *p, struct subject *s)
{
	const char *from = p->at;
	uint64_t low = 0, high = VALUE_MAX;
	size_t len;
	char *name = NULL;
	bool open = at_dots(p);

	if (!open && take_number(p, s, &low, &name, &len))
		return -1;
	if (name)
		return add_text(p, s, name, len, NULL);
	if (!at_dots(p) || s->is != IN) {
		if (at_dots(p))
			return parse_fail(p, from, "a range stands behind in: %s in 1..5",
					  s->o.name);
		if (s->o.unit == ET_KIND_ID && low < 32 && (s->is == EQ || s->is == IN))
			p->e->kinds_named |= ET_KIND_BIT(low);
		return add_compared(p, s, low);
	}
	p->at += 2;
	if (value_length(p) || at_quote(p)) {
		if (take_number(p, s, &high, &name, &len))
			return -1;
		free(name);
		if (name)
			return parse_fail(p, from, "names have no order, and no range");
	} else if (open) {
		return parse_fail(p, from, "a range needs an end: ..5, 1.. or 1..5");
	}
	if (low > high)
		return parse_fail(p, from, "the range ends before it begins");
	return add_range(p, s, low, high);
}

/* The same for times. */
static int parse_times(struct parser *p, struct subject *s)
{
	struct time_range r = { .has_low = true, .has_high = true };
	const char *from = p->at;
	bool open = at_dots(p);

	if (!open && take_moment(p, s, &r.low))
		return -1;
	if (!at_dots(p) || s->is != IN) {
		if (at_dots(p))
			return parse_fail(p, from, "a range stands behind in: %s in "
						   "09:00..09:30", s->o.name);
		r.high = r.low;
		r.has_low = s->is != LT && s->is != LE;
		r.has_high = s->is != GT && s->is != GE;
		r.low_step = s->is == GT;
		r.high_step = s->is == LT;
		return add_time_range(p, s, &r);
	}
	p->at += 2;
	r.has_low = !open;
	r.has_high = value_length(p) || at_quote(p);
	if (r.has_high && take_moment(p, s, &r.high))
		return -1;
	if (!r.has_high && open)
		return parse_fail(p, from, "a range needs an end: ..09:30, 09:00.. or "
					   "09:00..09:30");
	return add_time_range(p, s, &r);
}

static int fail_no_quotes(struct parser *p, const struct subject *s)
{
	size_t len = value_length(p);

	if (!len)
		return parse_fail(p, p->at, "a text in quotes is missing behind %s",
				  sign_of(s->is));
	if (*p->at >= '0' && *p->at <= '9')
		return parse_fail(p, p->at, "'%s' is text and cannot be compared with %.*s",
				  s->o.name, shown(len), p->at);
	return parse_fail(p, p->at, "text stands in quotes: \"%.*s\"", shown(len), p->at);
}

static int parse_text(struct parser *p, struct subject *s)
{
	const char *from = p->at, *why;
	struct ere *ere = NULL;
	size_t len;
	char *text;

	if (!at_quote(p))
		return fail_no_quotes(p, s);
	if (parse_quoted(p, &text, &len))
		return -1;
	if (s->t.op == TEST_ERE) {
		ere = ere_compile(text, len, &why);
		if (!ere) {
			free(text);
			return why ? parse_fail(p, from, "%s", why) : parse_fail_nomem(p);
		}
	}
	return add_text(p, s, text, len, ere);
}

/* One value, or behind `in` several in parentheses. */
static int parse_values(struct parser *p, struct subject *s,
			int (*parse)(struct parser *p, struct subject *s))
{
	const char *open;

	parse_blanks(p);
	open = p->at;
	if (s->is != IN || !parse_take(p, "("))
		return parse(p, s);
	do {
		parse_blanks(p);
		if (parse(p, s))
			return -1;
	} while (parse_take(p, ","));
	if (parse_take(p, ")"))
		return 0;
	return p->at == p->end ? parse_fail(p, open, "this ( is not closed")
			       : parse_fail(p, p->at, ", or ) is missing here");
}

/* ---- Comparisons ------------------------------------------------------------------------- */

static int fail_comparison(struct parser *p, const char *at, const struct subject *s)
{
	const char *name = s->o.name, *sign = sign_of(s->is);

	if (s->o.type == OPERAND_LIST && !s->t.indexed)
		return parse_fail(p, at, "'%s' is a list: ask %s has \"...\" or %s[0] == \"...\"",
				  name, name, name);
	if (s->is == HAS)
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

static int parse_number_test(struct parser *p, const char *at, struct subject *s)
{
	uint64_t yes;

	if (s->is == GLOB || s->is == ERE || s->is == HAS)
		return fail_comparison(p, at, s);
	s->t.op = TEST_VALUES;
	if (s->o.unit != ET_FLAG)
		return parse_values(p, s, parse_numbers);
	if (s->is == ALONE)
		return add_range(p, s, 1, VALUE_MAX);
	if (s->is != EQ && s->is != NE)
		return fail_comparison(p, at, s);
	parse_blanks(p);
	if (take_number(p, s, &yes, &(char *){ NULL }, &(size_t){ 0 }))
		return -1;
	return add_range(p, s, yes != 0, yes ? VALUE_MAX : 0);
}

static int parse_text_test(struct parser *p, const char *at, struct subject *s)
{
	if (s->is == LT || s->is == LE || s->is == GT || s->is == GE || s->is == HAS)
		return fail_comparison(p, at, s);
	s->t.op = s->is == GLOB ? TEST_GLOB : s->is == ERE ? TEST_ERE : TEST_TEXTS;
	return parse_values(p, s, parse_text);
}

static int parse_list_test(struct parser *p, const char *at, struct subject *s)
{
	if (s->is != HAS)
		return fail_comparison(p, at, s);
	s->t.any = true;
	s->t.op = parse_take(p, "=~") ? TEST_ERE : parse_take(p, "~") ? TEST_GLOB : TEST_TEXTS;
	return parse_values(p, s, parse_text);
}

/* Behind the operand. */
static int parse_comparison(struct parser *p, struct subject *s)
{
	const char *at;

	parse_blanks(p);
	at = p->at;
	s->is = ALONE;
	for (size_t i = 0; s->is == ALONE && i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		if (parse_take(p, comparisons[i].sign))
			s->is = comparisons[i].is;
	s->t.negated = s->is == NE;
	if (s->is == ALONE && p->at < p->end && *p->at == '=')
		return parse_fail(p, at, "= compares nothing: write == or =~");
	if (s->is == ALONE && p->end - p->at > 1 && p->at[0] == '!' && p->at[1] == '~')
		return parse_fail(p, at, "write !(%s ~ \"...\")", s->o.name);
	if (s->is == ALONE && (s->o.type != OPERAND_NUMBER || s->o.unit != ET_FLAG))
		return parse_fail(p, at, "'%s' alone is neither true nor false: compare it, or "
					 "write known(%s)", s->o.name, s->o.name);
	if (s->o.type == OPERAND_MOMENT) {
		s->t.op = TEST_TIMES;
		return s->is == GLOB || s->is == ERE || s->is == HAS
			       ? fail_comparison(p, at, s)
			       : parse_values(p, s, parse_times);
	}
	if (s->o.type == OPERAND_LIST && !s->t.indexed)
		return parse_list_test(p, at, s);
	return s->o.type == OPERAND_NUMBER ? parse_number_test(p, at, s)
					   : parse_text_test(p, at, s);
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
				  shown(len), p->at, like);
	return parse_fail(p, p->at, "unknown field '%.*s' (exectrace replay --columns help "
				    "lists them)", shown(len), p->at);
}

static int parse_index(struct parser *p, struct subject *s)
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
	s->t.indexed = true;
	s->t.index = back ? -n : n;
	return 0;
}

static int parse_operand(struct parser *p, struct subject *s)
{
	const char *at;
	size_t len;

	parse_blanks(p);
	at = p->at;
	len = parse_word(p, at);
	s->t.id = (uint8_t)operand_find(at, len);
	if (!s->t.id)
		return fail_operand(p, len);
	s->o = operand_get(s->t.id);
	if (s->o.names & ~p->opt->names)
		return parse_fail(p, at, "'%s' is not known here: %s", s->o.name,
				  s->o.names & EXPR_USERS ? "names of users and groups are not"
							  : "paths of cgroups are not");
	s->t.fields = s->o.fields;
	s->t.kinds = s->o.kinds;
	p->at += len;
	if (!parse_take(p, "["))
		return 0;
	if (s->o.type != OPERAND_LIST)
		return parse_fail(p, p->at - 1, "'%s' is no list", s->o.name);
	return parse_index(p, s);
}

/* Behind `known`. */
static int parse_known(struct parser *p, struct subject *s)
{
	s->t.op = TEST_KNOWN;
	if (!parse_take(p, "("))
		return parse_fail(p, p->at, "a ( is missing: known(exe)");
	if (parse_operand(p, s))
		return -1;
	return parse_take(p, ")") ? 0 : parse_fail(p, p->at, "a ) is missing: known(exe)");
}

int parse_test(struct parser *p, uint16_t *index)
{
	struct expr *e = p->e;
	struct subject s = { 0 };
	struct test *more;

	if (e->n_tests == EXPR_TESTS_MAX)
		return parse_fail(p, p->at, "an expression has %u tests at most",
				  EXPR_TESTS_MAX);
	s.t.first_text = (uint16_t)e->n_texts;
	s.t.first_range = (uint16_t)e->n_ranges;
	if (parse_take(p, "known")) {
		if (parse_known(p, &s))
			return -1;
	} else {
		if (parse_operand(p, &s))
			return -1;
		if (s.o.type == OPERAND_MOMENT)
			s.t.first_range = (uint16_t)e->n_times;
		if (parse_comparison(p, &s))
			return -1;
	}
	more = parse_grow(e->tests, e->n_tests, sizeof(*more));
	if (!more)
		return parse_fail_nomem(p);
	e->tests = more;
	more[e->n_tests] = s.t;
	*index = (uint16_t)e->n_tests++;
	return 0;
}
