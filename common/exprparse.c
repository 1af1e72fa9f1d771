/* SPDX-License-Identifier: BSD-2-Clause */
/* exprparse.c - the grammar of expressions: and, or, not and parentheses around tests. */
#include "exprparse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What the parts share --------------------------------------------------------- */

int parse_fail(struct parser *p, const char *at, const char *fmt, ...)
{
	va_list ap;

	p->err->at = (size_t)(at - p->text);
	va_start(ap, fmt);
	vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
	va_end(ap);
	return -1;
}

int parse_fail_nomem(struct parser *p)
{
	return parse_fail(p, p->at, "out of memory");
}

void parse_blanks(struct parser *p)
{
	while (p->at < p->end && strchr(" \t\r\n", *p->at))
		p->at++;
}

size_t parse_word(const struct parser *p, const char *at)
{
	const char *end = at;

	while (end < p->end &&
	       ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z') ||
		(*end >= '0' && *end <= '9') || *end == '_'))
		end++;
	return (size_t)(end - at);
}

bool parse_take(struct parser *p, const char *what)
{
	size_t len = strlen(what), word;

	parse_blanks(p);
	word = parse_word(p, p->at);
	if ((size_t)(p->end - p->at) < len || memcmp(p->at, what, len) || (word && word != len))
		return false;
	p->at += len;
	return true;
}

bool parse_at_quote(const struct parser *p)
{
	return p->at < p->end && (*p->at == '"' || *p->at == '\'');
}

int parse_shown(size_t len)
{
	return (int)(len < 40 ? len : 40);
}

/* ---- Nodes -------------------------------------------------------------------------- */

static int parse_or(struct parser *p, uint16_t *index);

static int parse_group(struct parser *p, uint16_t *index)
{
	const char *open = p->at - 1;

	if (++p->depth > EXPR_DEPTH_MAX)
		return parse_fail(p, open, "parentheses lie more than %u deep in each other",
				  EXPR_DEPTH_MAX);
	if (parse_or(p, index))
		return -1;
	if (!parse_take(p, ")"))
		return p->at == p->end ? parse_fail(p, open, "this ( is not closed")
				       : parse_fail(p, p->at, "&& or || or ) is missing here");
	p->depth--;
	return 0;
}

static int parse_not(struct parser *p, uint16_t *index)
{
	bool negated = false;
	int r;

	while (parse_take(p, "!") || parse_take(p, "not"))
		negated = !negated;
	if (parse_take(p, "("))
		r = parse_group(p, index);
	else
		r = parse_test(p, index);
	if (!r && negated)
		p->e->nodes[*index].negated ^= true;
	return r ? -1 : 0;
}

/* Takes what joins: &&, and; ||, or. */
static bool take_joint(struct parser *p, enum node_op op)
{
	return op == NODE_AND ? parse_take(p, "&&") || parse_take(p, "and")
			      : parse_take(p, "||") || parse_take(p, "or");
}

/* One or several, joined by op. */
static int parse_joined(struct parser *p, enum node_op op,
			int (*parse)(struct parser *p, uint16_t *index), uint16_t *index)
{
	uint16_t last, next;

	if (parse(p, index))
		return -1;
	if (!take_joint(p, op))
		return 0;
	last = *index;
	if (expr_add_node(p->e, op, last, index))
		return parse_fail_nomem(p);
	do {
		if (parse(p, &next))
			return -1;
		p->e->nodes[last].next = next;
		last = next;
	} while (take_joint(p, op));
	return 0;
}

static int parse_and(struct parser *p, uint16_t *index)
{
	return parse_joined(p, NODE_AND, parse_not, index);
}

static int parse_or(struct parser *p, uint16_t *index)
{
	return parse_joined(p, NODE_OR, parse_and, index);
}

static int fail_rest(struct parser *p)
{
	size_t word = parse_word(p, p->at);

	if (*p->at == ')')
		return parse_fail(p, p->at, "there is no ( for this )");
	if (*p->at == '&' || *p->at == '|')
		return parse_fail(p, p->at, "%c alone joins nothing: write %c%c", *p->at,
				  *p->at, *p->at);
	if (word)
		return parse_fail(p, p->at, "&& or || is missing in front of '%.*s'",
				  parse_shown(word), p->at);
	return parse_fail(p, p->at, "this has no meaning here");
}

int exprparse(const char *text, const struct expr_options *opt, struct expr **out,
	      struct expr_error *err)
{
	size_t len = strlen(text);
	struct parser p = { .opt = opt, .text = text, .at = text, .end = text + len, .err = err };
	int r;

	*out = NULL;
	p.e = calloc(1, sizeof(*p.e));
	if (!p.e)
		return parse_fail_nomem(&p);
	p.e->writing = opt->writing;
	if (len > EXPR_LENGTH_MAX)
		r = parse_fail(&p, text + EXPR_LENGTH_MAX, "an expression has %u bytes at most",
			       EXPR_LENGTH_MAX);
	else
		r = parse_or(&p, &p.e->root);
	parse_blanks(&p);
	if (!r && p.at < p.end)
		r = fail_rest(&p);
	if (r)
		expr_free(p.e);
	else
		*out = p.e;
	return r;
}

/* ---- Where an error is ---------------------------------------------------------------- */

/* Whether a byte goes on with a character of UTF-8. */
static bool is_inner(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void expr_point(const char *text, const struct expr_error *err, char line[EXPR_LINE],
		char caret[EXPR_LINE])
{
	const size_t before = EXPR_LINE / 2;
	size_t len = strlen(text), first = err->at > before ? err->at - before : 0, n = 0, to = 0;

	while (first < len && is_inner(text[first]))
		first++;
	for (; first + n < len && n < EXPR_LINE - 1; n++) {
		char c = text[first + n];

		line[n] = iscntrl((unsigned char)c) ? ' ' : c;
		if (first + n < err->at && !is_inner(c))
			caret[to++] = ' ';
	}
	while (first + n < len && n && is_inner(text[first + n]))
		n--;
	line[n] = '\0';
	caret[to++] = '^';
	caret[to] = '\0';
}
