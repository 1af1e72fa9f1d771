/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include <ctype.h>
#include <string.h>

#include "cells.h"
#include "escape.h"
#include "times.h"

/* A longer value pushes its line to the right. */
#define WIDTH_MAX 32
#define USER_MAX 16

#define GAP 2 /* blanks between columns */

/* A line being written, as wide as it may become. */
struct line {
	struct out *o;
	size_t room; /* columns that are left */
	bool colored;
};

void table_open(struct table *t, const struct columns *columns, const struct when *w)
{
	bool usual = !columns->n;

	*t = (struct table){ .columns = usual ? columns_of_table : *columns };
	out_open(&t->time, -1);
	for (unsigned i = 0; i < t->columns.n; i++) {
		unsigned id = t->columns.ids[i], width = columns_width(id);

		if (id == COLUMN_TIME) {
			t->timed = true;
			width = when_width(w);
		}
		t->widths[i] = width;
		/* In the usual table what stands behind the rare wide ones is not moved. */
		t->most[i] = !usual ? WIDTH_MAX : id == COLUMN_WHO ? USER_MAX : width;
		if (t->most[i] < width)
			t->most[i] = width;
	}
}

void table_close(struct table *t)
{
	out_close(&t->time);
}

static void put_blanks(struct line *l, size_t n)
{
	n = n < l->room ? n : l->room;
	out_pad(l->o, (int)n);
	l->room -= n;
}

/* Escaped text holds no control bytes, so it can be cut between any two characters. */
static void put_text(struct line *l, const char *text, const struct cell *cell)
{
	size_t len = cell->len;

	if (!l->room)
		return;
	if (cell->width > l->room) {
		len = escape_fit(text, len, l->room);
		l->room = 0;
	} else {
		l->room -= cell->width;
	}
	if (l->colored)
		color_begin(l->o, cell->color);
	out_bytes(l->o, text, len);
	if (l->colored)
		color_end(l->o, cell->color);
}

static size_t blanks(const struct table *t, unsigned i, const struct cell *cell)
{
	return cell->width < t->widths[i] ? t->widths[i] - cell->width : 0;
}

static bool to_the_right(const struct table *t, unsigned i, const struct when *w)
{
	unsigned id = t->columns.ids[i];

	return id == COLUMN_TIME ? when_counts(w) : columns_numeric(id);
}

/* The columns grow with it, and it is cut where the terminal ends. */
static void put_line(struct table *t, struct out *o, const char *const *texts,
		     const struct cell *cells, const struct when *w)
{
	struct line l = { o, SIZE_MAX, t->colored };
	unsigned n = t->columns.n;
	size_t total = 0;

	for (unsigned i = 0; i < n; i++) {
		bool last = i + 1 == n;

		if (cells[i].width > t->widths[i])
			t->widths[i] = cells[i].width < t->most[i] ? cells[i].width : t->most[i];
		total += cells[i].width + (last ? 0 : GAP);
		if (!last || to_the_right(t, i, w))
			total += blanks(t, i, &cells[i]);
	}
	if (t->screen > 1 && total > t->screen)
		l.room = t->screen - 1;
	for (unsigned i = 0; i < n; i++) {
		bool right = to_the_right(t, i, w), last = i + 1 == n;

		if (right)
			put_blanks(&l, blanks(t, i, &cells[i]));
		put_text(&l, texts[i], &cells[i]);
		if (!last)
			put_blanks(&l, GAP + (right ? 0 : blanks(t, i, &cells[i])));
	}
	if (t->screen > 1 && total > t->screen)
		out_bytes(o, "\xe2\x80\xa6", 3);
	out_char(o, '\n');
}

static void put_titles(struct table *t, struct out *o, const struct when *w)
{
	char titles[COLUMNS_MAX][32];
	const char *texts[COLUMNS_MAX];
	struct cell cells[COLUMNS_MAX];

	for (unsigned i = 0; i < t->columns.n; i++) {
		const char *name = columns_name(t->columns.ids[i]);
		unsigned n = 0;

		while (name[n] && n < sizeof(titles[i])) {
			titles[i][n] = (char)toupper((unsigned char)name[n]);
			n++;
		}
		texts[i] = titles[i];
		cells[i] = (struct cell){ .len = n, .width = n };
	}
	put_line(t, o, texts, cells, w);
}

/* Titles before the first line, and a line for each new day or zone. */
static void put_heading(struct table *t, struct out *o, const struct when *w, int64_t wall,
			int32_t offset)
{
	int64_t day = times_day(wall, offset);

	if (!t->begun)
		put_titles(t, o, w);
	/* A day is of the times of day below it. */
	if (t->timed && w->way == WHEN_ABSOLUTE &&
	    (!t->begun || offset != t->offset || (day != t->day && !w->date))) {
		times_date(o, wall, offset);
		out_char(o, ' ');
		times_zone(o, offset);
		out_char(o, '\n');
	}
	t->begun = true;
	t->day = day;
	t->offset = offset;
}

void table_line(struct table *t, struct out *o, const char *cells, const struct when *w,
		int64_t wall, int32_t offset)
{
	const char *texts[COLUMNS_MAX];
	struct cell of[COLUMNS_MAX];

	if (t->header)
		put_heading(t, o, w, wall, w->utc ? 0 : offset);
	if (t->timed) {
		t->time.len = 0;
		when_put(w, &t->time, wall, offset);
	}
	for (unsigned i = 0; i < t->columns.n; i++) {
		texts[i] = cells_next(&cells, &of[i]);
		if (of[i].time) {
			texts[i] = t->time.buf;
			of[i].len = of[i].width = (uint32_t)t->time.len;
		}
	}
	put_line(t, o, texts, of, w);
	if (t->time.error)
		o->error = t->time.error;
}

void table_end(struct table *t, struct out *o, const struct when *w)
{
	if (t->header && !t->begun)
		put_titles(t, o, w);
	t->begun = true;
}
