/* SPDX-License-Identifier: BSD-2-Clause */
#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "escape.h"
#include "expr.h"

/* ---- Parsing ------------------------------------------------------------------------ */

struct parser {
	const char *text, *at;
	struct template *t;
	struct reason *why;
};

static int mistake(struct parser *p, const char *at, const char *what)
{
	struct expr_error where = { .at = (size_t)(at - p->text) };

	reason_set(p->why, EXIT_USAGE, "--format: %s", what);
	expr_point(p->text, &where, p->why->line, p->why->caret);
	return -1;
}

static void put(struct template *t, char c)
{
	t->text[t->len++] = c;
}

static int parse_escape(struct parser *p)
{
	static const char letters[] = "nt\\", signs[] = "\n\t\\";
	const char *letter = p->at[1] ? strchr(letters, p->at[1]) : NULL;

	if (!letter)
		return mistake(p, p->at, "behind \\ comes n, t or \\");
	put(p->t, signs[letter - letters]);
	p->at += 2;
	return 0;
}

/* Moves *at behind a number, of which there is a digit. */
static int parse_width(struct parser *p, unsigned *width)
{
	const char *begin = p->at;

	*width = 0;
	for (; *p->at >= '0' && *p->at <= '9' && *width <= TEMPLATE_WIDTH_MAX; p->at++)
		*width = *width * 10 + (unsigned)(*p->at - '0');
	if (*width > TEMPLATE_WIDTH_MAX)
		return mistake(p, begin, "that is too wide: 1000 columns are the most");
	return 0;
}

/* What is behind the colon. */
static int parse_spec(struct parser *p, struct template_slot *slot)
{
	static const char places[] = "<^>";
	const char *place = *p->at ? strchr(places, *p->at) : NULL;

	if (place) {
		slot->place = TEMPLATE_LEFT + (enum template_place)(place - places);
		p->at++;
	}
	if (parse_width(p, &slot->width))
		return -1;
	if (*p->at != '.')
		return 0;
	p->at++;
	if (*p->at < '1' || *p->at > '9')
		return mistake(p, p->at, "behind the dot comes how many columns it may take");
	return parse_width(p, &slot->most);
}

static int parse_column(struct parser *p)
{
	struct template *t = p->t;
	struct template_slot *slot;
	const char *open = p->at++, *name = p->at;
	unsigned id;

	p->at += strcspn(p->at, ":{}");
	if (!*p->at)
		return mistake(p, open, "this { is not closed; {{ is one itself");
	if (p->at == name)
		return mistake(p, name, "a column's name is missing here");
	id = columns_find(name, (size_t)(p->at - name));
	if (!id)
		return mistake(p, name, "there is no such column (--columns help lists them)");
	if (t->columns.n == COLUMNS_MAX)
		return mistake(p, open, "more than 64 columns");
	slot = &t->slots[t->columns.n];
	*slot = (struct template_slot){ .text = t->len };
	t->columns.ids[t->columns.n++] = (uint8_t)id;
	if (*p->at == ':') {
		p->at++;
		if (parse_spec(p, slot))
			return -1;
	}
	if (*p->at != '}')
		return mistake(p, p->at,
			       "not understood: it is {name:>WIDTH.MOST}, with < or ^ for >");
	p->at++;
	return 0;
}

/* Whether what was parsed so far ends a line. */
static bool ends_line(const struct template *t)
{
	unsigned n = t->columns.n;

	return t->len && t->text[t->len - 1] == '\n' && !(n && t->slots[n - 1].text == t->len);
}

static int parse(struct parser *p)
{
	while (*p->at) {
		bool twice = p->at[1] == *p->at;

		if (*p->at == '\\') {
			if (parse_escape(p))
				return -1;
		} else if ((*p->at == '{' || *p->at == '}') && twice) {
			put(p->t, *p->at);
			p->at += 2;
		} else if (*p->at == '{') {
			if (parse_column(p))
				return -1;
		} else if (*p->at == '}') {
			return mistake(p, p->at, "this } closes nothing; }} is one itself");
		} else {
			put(p->t, *p->at++);
		}
	}
	if (!p->t->columns.n)
		return mistake(p, p->text, "there is no column in it, such as {pid}");
	if (!ends_line(p->t))
		put(p->t, '\n');
	return 0;
}

struct template *template_parse(const char *text, struct reason *why)
{
	struct parser p = { text, text, calloc(1, sizeof(*p.t)), why };

	/* Nothing is longer parsed than written, and a newline. */
	if (p.t)
		p.t->text = malloc(strlen(text) + 1);
	if (!p.t || !p.t->text)
		reason_set(why, EXIT_FAILED, "out of memory");
	else if (!parse(&p))
		return p.t;
	template_free(p.t);
	return NULL;
}

void template_free(struct template *t)
{
	if (t)
		free(t->text);
	free(t);
}

/* ---- Lines -------------------------------------------------------------------------- */

static void put_slot(struct out *o, const struct template_slot *slot, bool right,
		     const char *text, const struct cell *cell)
{
	size_t width = cell->width, before = 0, blanks;

	if (slot->most && width > slot->most)
		width = slot->most;
	blanks = width < slot->width ? slot->width - width : 0;
	if (slot->place == TEMPLATE_RIGHT || (slot->place == TEMPLATE_USUAL && right))
		before = blanks;
	else if (slot->place == TEMPLATE_MIDDLE)
		before = blanks / 2;
	out_pad(o, (int)before);
	if (width < cell->width) {
		size_t len = escape_fit(text, cell->len, width - 1);

		out_bytes(o, text, len);
		out_bytes(o, "\xe2\x80\xa6", 3);
		/* A character of two columns has left one. */
		blanks += width - 1 - escape_width(text, len);
	} else {
		out_bytes(o, text, cell->len);
	}
	out_pad(o, (int)(blanks - before));
}

void template_line(const struct template *t, struct out *o, const char *cells,
		   const struct when *w, int64_t wall, int32_t offset, struct out *scratch)
{
	size_t at = 0;

	for (unsigned i = 0; i < t->columns.n; i++) {
		const struct template_slot *slot = &t->slots[i];
		struct cell cell;
		const char *text = cells_next(&cells, &cell);
		bool right = columns_numeric(t->columns.ids[i]);

		if (cell.time) {
			scratch->len = 0;
			when_put(w, scratch, wall, offset);
			text = scratch->buf;
			cell.len = cell.width = (uint32_t)scratch->len;
			right = when_counts(w);
		}
		out_bytes(o, t->text + at, slot->text - at);
		at = slot->text;
		put_slot(o, slot, right, text, &cell);
	}
	out_bytes(o, t->text + at, t->len - at);
}
