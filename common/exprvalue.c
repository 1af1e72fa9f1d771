/* SPDX-License-Identifier: BSD-2-Clause */
/* exprvalue.c - the values of a test of an expression: numbers, times, text in quotes. */
#include "exprparse.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

/* ---- Text in quotes ------------------------------------------------------------------- */

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
	if (parse_at_quote(p)) {
		int r = parse_quoted(p, owned, len);

		*value = *owned;
		return r;
	}
	*len = value_length(p);
	if (!*len)
		return parse_fail(p, p->at, "a value is missing behind %s", comparison_sign(s->is));
	p->at += *len;
	return 0;
}

/* Whether there is room for one value more. */
static int count_value(struct parser *p)
{
	if (p->n_values++ < EXPR_VALUES_MAX)
		return 0;
	return parse_fail(p, p->at, "an expression has %u values at most", EXPR_VALUES_MAX);
}

static int add_text(struct parser *p, struct subject *s, const char *text, size_t len,
		    struct ere *ere)
{
	if (count_value(p)) {
		ere_free(ere);
		return -1;
	}
	return test_add_text(&s->t, text, len, ere) ? parse_fail_nomem(p) : 0;
}

static int add_range(struct parser *p, struct subject *s, uint64_t low, uint64_t high)
{
	if (count_value(p))
		return -1;
	return test_add_range(&s->t, low, high) ? parse_fail_nomem(p) : 0;
}

static int add_time_range(struct parser *p, struct subject *s, const struct time_range *r)
{
	if (count_value(p))
		return -1;
	return test_add_times(&s->t, r) ? parse_fail_nomem(p) : 0;
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
static int take_number(struct parser *p, const struct subject *s, uint64_t *out, char **name)
{
	const char *from = p->at, *value;
	bool quoted = parse_at_quote(p);
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
		r = parse_fail(p, from, "%s: '%.*s' is not %s", s->o.name, parse_shown(len), value,
			       value_wanted(s->o.unit));
	} else if (s->is != COMPARE_EQ && s->is != COMPARE_NE && s->is != COMPARE_IN) {
		r = parse_fail(p, from, "names have no order: %s needs a number behind %s",
			       s->o.name, comparison_sign(s->is));
	} else if (!(p->opt->names & EXPR_USERS)) {
		r = parse_fail(p, from, "names of users and groups are not known here: "
					"compare %s with a number", s->o.name);
	} else {
		*name = strndup(value, len);
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
	case COMPARE_LT:
		return v ? add_range(p, s, 0, v - 1) : add_range(p, s, 1, 0);
	case COMPARE_LE:
		return add_range(p, s, 0, v);
	case COMPARE_GT:
		return v < VALUE_MAX ? add_range(p, s, v + 1, VALUE_MAX) : add_range(p, s, 1, 0);
	case COMPARE_GE:
		return add_range(p, s, v, VALUE_MAX);
	default:
		return add_range(p, s, v, v);
	}
}

/* A value, or in a set LOW..HIGH, LOW.. or ..HIGH. */
static int parse_number(struct parser *p, struct subject *s)
{
	const char *from = p->at;
	uint64_t low = 0, high = VALUE_MAX;
	char *name = NULL;
	bool open = at_dots(p), named;
	int r;

	if (!open && take_number(p, s, &low, &name))
		return -1;
	if (name) {
		r = add_text(p, s, name, strlen(name), NULL);
		free(name);
		return r;
	}
	if (!at_dots(p) || s->is != COMPARE_IN) {
		if (at_dots(p))
			return parse_fail(p, from, "a range stands behind in: %s in 1..5",
					  s->o.name);
		return add_compared(p, s, low);
	}
	p->at += 2;
	if (value_length(p) || parse_at_quote(p)) {
		if (take_number(p, s, &high, &name))
			return -1;
		named = name != NULL;
		free(name);
		if (named)
			return parse_fail(p, from, "names have no order, and no range");
	} else if (open) {
		return parse_fail(p, from, "a range needs an end: ..5, 1.. or 1..5");
	}
	if (low > high)
		return parse_fail(p, from, "the range ends before it begins");
	return add_range(p, s, low, high);
}

/* The same for times. */
static int parse_time(struct parser *p, struct subject *s)
{
	struct time_range r = { .has_low = true, .has_high = true };
	const char *from = p->at;
	bool open = at_dots(p);

	if (!open && take_moment(p, s, &r.low))
		return -1;
	if (!at_dots(p) || s->is != COMPARE_IN) {
		if (at_dots(p))
			return parse_fail(p, from, "a range stands behind in: %s in "
						   "09:00..09:30", s->o.name);
		r.high = r.low;
		r.has_low = s->is != COMPARE_LT && s->is != COMPARE_LE;
		r.has_high = s->is != COMPARE_GT && s->is != COMPARE_GE;
		r.low_step = s->is == COMPARE_GT;
		r.high_step = s->is == COMPARE_LT;
		return add_time_range(p, s, &r);
	}
	p->at += 2;
	r.has_low = !open;
	r.has_high = value_length(p) || parse_at_quote(p);
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
				  comparison_sign(s->is));
	if (*p->at >= '0' && *p->at <= '9')
		return parse_fail(p, p->at, "'%s' is text and cannot be compared with %.*s",
				  s->o.name, parse_shown(len), p->at);
	return parse_fail(p, p->at, "text stands in quotes: \"%.*s\"", parse_shown(len), p->at);
}

static int parse_text(struct parser *p, struct subject *s)
{
	const char *from = p->at, *why = NULL;
	struct ere *ere = NULL;
	size_t len;
	char *text;
	int r;

	if (!parse_at_quote(p))
		return fail_no_quotes(p, s);
	if (parse_quoted(p, &text, &len))
		return -1;
	if (s->t.op == TEST_ERE)
		ere = ere_compile(text, len, &why);
	if (s->t.op == TEST_ERE && !ere)
		r = why ? parse_fail(p, from, "%s", why) : parse_fail_nomem(p);
	else
		r = add_text(p, s, text, len, ere);
	free(text);
	return r;
}

static int parse_values(struct parser *p, struct subject *s,
			int (*parse)(struct parser *p, struct subject *s))
{
	const char *open;

	parse_blanks(p);
	open = p->at;
	if (s->is != COMPARE_IN || !parse_take(p, "("))
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

int parse_numbers(struct parser *p, struct subject *s)
{
	return parse_values(p, s, parse_number);
}

int parse_times(struct parser *p, struct subject *s)
{
	return parse_values(p, s, parse_time);
}

int parse_texts(struct parser *p, struct subject *s)
{
	return parse_values(p, s, parse_text);
}

int parse_flag(struct parser *p, struct subject *s)
{
	uint64_t yes = 1;
	char *none;

	if (s->is != COMPARE_NONE && take_number(p, s, &yes, &none))
		return -1;
	return add_range(p, s, yes != 0, yes ? VALUE_MAX : 0);
}
