/* SPDX-License-Identifier: BSD-2-Clause */
/* print_ranking.c - the text, JSON and CSV of a ranking. */
#include "ranking.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "keyvalue.h"
#include "print.h"
#include "times.h"
#include "units.h"

/* A key does not widen its column over this: a longer one pushes its line to the right. */
#define KEY_WIDTH 32
/* Of a narrow terminal so much is left to the keys, and to the number of other groups. */
#define KEYS_LEAST 20

/* ---- Text -------------------------------------------------------------------------- */

struct cells {
	unsigned figures[FIGURES], n; /* that are shown, from left to right */
	unsigned widths[FIGURES];
	unsigned key_widths[KEYS_MAX];
};

static struct group *group_at(struct ranking *r, uint32_t i)
{
	return i < r->shown ? &r->groups->v[r->numbers[i]] : &r->rest;
}

static void put_figure(struct out *o, enum figure f, uint64_t u)
{
	char size[UNITS_TEXT];

	if (u == ET_NONE)
		out_char(o, '-');
	else if (figure_fields[f].unit == FIGURE_TIME)
		times_duration(o, u);
	else if (figure_fields[f].unit == FIGURE_BYTES)
		out_text(o, units_show_size(u, size));
	else
		out_uint(o, u);
}

static void widen(unsigned *width, size_t to)
{
	if (to > *width)
		*width = (unsigned)to;
}

/* Whether any of the lines has more to say of it than nothing. */
static bool measure(struct ranking *r, enum figure f, struct out *cell, unsigned *width)
{
	bool any = f == FIGURE_EVENTS || f == r->order.figure;

	*width = (unsigned)strlen(figure_fields[f].name);
	for (uint32_t i = 0; i < r->shown + r->any_rest; i++) {
		uint64_t u = group_figure(group_at(r, i), f);

		any |= u && u != ET_NONE;
		cell->len = 0;
		put_figure(cell, f, u);
		widen(width, cell->len);
	}
	return any;
}

static void measure_keys(struct ranking *r, struct cells *c, struct out *cell)
{
	for (unsigned i = 0; i < r->keys->n; i++)
		c->key_widths[i] = (unsigned)strlen(key_name(r->keys->ids[i]));
	for (uint32_t i = 0; i < r->shown; i++) {
		struct et_str key = keyset_get(&r->groups->keys, r->numbers[i]);

		for (unsigned k = 0; k < r->keys->n; k++) {
			struct key_value v = key_next(&key);
			size_t width;

			cell->len = 0;
			key_text(cell, r->keys->ids[k], &v);
			width = escape_width(cell->buf, cell->len);
			widen(&c->key_widths[k], width < KEY_WIDTH ? width : KEY_WIDTH);
		}
	}
}

/* Takes away from the right what leaves no room for the keys. */
static void fit(const struct ranking *r, struct cells *c, size_t width)
{
	size_t total = 0, least = 0;

	for (unsigned i = 0; i < r->keys->n; i++)
		least += c->key_widths[i] + (i ? 2 : 0);
	least = least < KEYS_LEAST && !r->any_rest ? least : KEYS_LEAST;
	for (unsigned i = 0; i < c->n; i++)
		total += c->widths[i] + 2;
	for (unsigned i = c->n; i-- > 1 && total + least > width;) {
		if (c->figures[i] == r->order.figure)
			continue;
		total -= c->widths[i] + 2;
		c->n--;
		memmove(c->figures + i, c->figures + i + 1, (c->n - i) * sizeof(*c->figures));
		memmove(c->widths + i, c->widths + i + 1, (c->n - i) * sizeof(*c->widths));
	}
}

static void put_title(struct out *o, const char *name)
{
	for (const char *p = name; *p; p++)
		out_char(o, (char)toupper((unsigned char)*p));
}

static void put_keys(struct ranking *r, const struct cells *c, struct out *line, uint32_t number)
{
	struct et_str key = keyset_get(&r->groups->keys, number);

	for (unsigned k = 0; k < r->keys->n; k++) {
		struct key_value v = key_next(&key);
		size_t begin = line->len;

		key_text(line, r->keys->ids[k], &v);
		if (k + 1 < r->keys->n)
			out_pad(line, (int)c->key_widths[k] + 2 -
					      (int)escape_width(line->buf + begin, line->len - begin));
	}
}

static void put_line(struct out *o, struct out *line, size_t width)
{
	size_t n = line->len;

	if (width > 1 && escape_width(line->buf, n) > width) {
		out_bytes(o, line->buf, escape_fit(line->buf, n, width - 1));
		out_text(o, "\xe2\x80\xa6");
	} else {
		out_bytes(o, line->buf, n);
	}
	out_char(o, '\n');
	if (line->error)
		o->error = line->error;
	line->len = 0;
}

static void put_titles(struct ranking *r, const struct cells *c, struct out *line)
{
	for (unsigned i = 0; i < c->n; i++) {
		const char *name = figure_fields[c->figures[i]].name;

		out_pad(line, (int)c->widths[i] - (int)strlen(name));
		put_title(line, name);
		out_pad(line, 2);
	}
	for (unsigned k = 0; k < r->keys->n; k++) {
		put_title(line, key_name(r->keys->ids[k]));
		if (k + 1 < r->keys->n)
			out_pad(line, (int)c->key_widths[k] + 2 -
					      (int)strlen(key_name(r->keys->ids[k])));
	}
}

static void put_group(struct ranking *r, const struct cells *c, struct out *line, uint32_t i)
{
	struct out cell;

	out_open(&cell, -1);
	for (unsigned k = 0; k < c->n; k++) {
		cell.len = 0;
		put_figure(&cell, c->figures[k], group_figure(group_at(r, i), c->figures[k]));
		out_pad(line, (int)c->widths[k] - (int)cell.len);
		out_bytes(line, cell.buf, cell.len);
		out_pad(line, 2);
	}
	out_close(&cell);
	if (i < r->shown)
		put_keys(r, c, line, r->numbers[i]);
	else if (r->groups->any_other)
		out_text(line, "in many other groups");
	else
		out_printf(line, "in %u other group%s", r->n_rest, r->n_rest == 1 ? "" : "s");
}

void ranking_text(struct ranking *r, struct out *o, size_t width)
{
	struct cells c = { .n = 0 };
	struct out line;

	out_open(&line, -1);
	for (unsigned f = 0; f < FIGURES; f++) {
		c.figures[c.n] = f;
		c.n += measure(r, (enum figure)f, &line, &c.widths[c.n]);
	}
	measure_keys(r, &c, &line);
	if (width)
		fit(r, &c, width);
	line.len = 0;
	put_titles(r, &c, &line);
	put_line(o, &line, width);
	for (uint32_t i = 0; i < r->shown + r->any_rest; i++) {
		put_group(r, &c, &line, i);
		put_line(o, &line, width);
	}
	/* What every table may be wrong by is in the manual. */
	if (r->groups->pool.bits < QUANTILE_BITS)
		out_printf(o, "So many groups that P50 and P99 are right only to %.1f %%\n",
			   50.0 / (double)(1u << r->groups->pool.bits));
	out_close(&line);
}

/* ---- JSON ---------------------------------------------------------------------------- */

static void json_figures(struct out *o, const char *before, struct group *g)
{
	for (unsigned f = 0; f < FIGURES; f++) {
		uint64_t u = group_figure(g, (enum figure)f);

		if (u == ET_NONE)
			continue;
		json_uint(o, before, figure_fields[f].name, u);
		before = ",";
	}
}

static double error_of(struct ranking *r)
{
	double most = 0;

	for (uint32_t i = 0; i < r->shown + r->any_rest; i++) {
		double e = quantile_error(&group_at(r, i)->durations);

		most = e > most ? e : most;
	}
	return most;
}

void ranking_json(struct ranking *r, struct out *o)
{
	out_text(o, ",\"groups\":[");
	for (uint32_t i = 0; i < r->shown; i++) {
		struct et_str key = keyset_get(&r->groups->keys, r->numbers[i]);
		const char *before = i ? ",{" : "{";

		for (unsigned k = 0; k < r->keys->n; k++) {
			struct key_value v = key_next(&key);

			key_json(o, &before, r->keys->ids[k], &v);
		}
		json_figures(o, before, group_at(r, i));
		out_char(o, '}');
	}
	out_char(o, ']');
	if (r->any_rest) {
		out_text(o, ",\"other\":{");
		if (!r->groups->any_other)
			json_uint(o, "", "groups", r->n_rest);
		json_figures(o, r->groups->any_other ? "" : ",", &r->rest);
		out_char(o, '}');
	}
	out_printf(o, ",\"percentile_error\":%.6g", error_of(r));
}

/* ---- CSV ------------------------------------------------------------------------------ */

static void put_csv(struct ranking *r, struct out *line, uint32_t i)
{
	struct et_str key = keyset_get(&r->groups->keys, r->numbers[i]);

	for (unsigned k = 0; k < r->keys->n; k++) {
		struct key_value v = key_next(&key);

		key_csv(line, r->keys->ids[k], &v);
		out_char(line, ',');
	}
	for (unsigned f = 0; f < FIGURES; f++) {
		uint64_t u = group_figure(group_at(r, i), (enum figure)f);

		if (u != ET_NONE)
			out_uint(line, u);
		out_char(line, f + 1 < FIGURES ? ',' : '\n');
	}
}

void ranking_csv(struct ranking *r, struct out *o)
{
	struct out line;

	for (unsigned k = 0; k < r->keys->n; k++)
		out_printf(o, "%s,", key_name(r->keys->ids[k]));
	for (unsigned f = 0; f < FIGURES; f++)
		out_printf(o, "%s%c", figure_fields[f].name, f + 1 < FIGURES ? ',' : '\n');
	out_open(&line, -1);
	for (uint32_t i = 0; i < r->shown; i++) {
		line.len = 0;
		put_csv(r, &line, i);
		out_bytes(o, line.buf, line.len);
	}
	if (line.error)
		o->error = line.error;
	out_close(&line);
}
