/* SPDX-License-Identifier: BSD-2-Clause */
#include "chart.h"

#include <string.h>

#include "print.h"
#include "times.h"

#define MS 1000000ll
#define S (1000 * MS)
#define H (3600 * S)
#define D (24 * H)

/* Each divides the next; 1024 of the last are all the time there is. */
static const int64_t lengths[] = {
	MS,	2 * MS, 10 * MS, 20 * MS, 100 * MS, 200 * MS, S,      2 * S,   10 * S,
	20 * S, 60 * S, 120 * S, 600 * S, 1200 * S, H,	      2 * H,  6 * H,   12 * H,
	D,	2 * D,	10 * D,	 20 * D,  100 * D,  200 * D,  1000 * D,
};

/* ---- Counting ---------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Where a span begins; no time lies before the earliest. */
static int64_t begin_of(int64_t number, int64_t length)
{
	return number < INT64_MIN / length ? INT64_MIN : number * length;
}

static void coarsen(struct chart *c)
{
	int64_t factor = lengths[c->step + 1] / lengths[c->step];
	int64_t base = floor_div(c->first, factor);
	uint64_t counts[CHART_SPANS] = { 0 };

	for (int64_t i = c->first; c->any && i <= c->last; i++)
		counts[floor_div(i, factor) - base] += c->counts[i - c->base];
	memcpy(c->counts, counts, sizeof(counts));
	c->base = c->first = base;
	c->last = floor_div(c->last, factor);
	c->step++;
	c->at = NULL;
}

/* Moves what is counted so that low to high have a place. */
static void move(struct chart *c, int64_t low, int64_t high)
{
	uint64_t counts[CHART_SPANS] = { 0 };

	if (low >= c->base && high < c->base + CHART_SPANS)
		return;
	for (int64_t i = c->first; i <= c->last; i++)
		counts[i - low] = c->counts[i - c->base];
	memcpy(c->counts, counts, sizeof(counts));
	c->base = low;
}

void chart_grow(struct chart *c, int64_t wall, uint64_t n)
{
	int64_t number, low, high, into;

	for (;; coarsen(c)) {
		number = floor_div(wall, lengths[c->step]);
		if (!c->any)
			c->base = c->first = c->last = number;
		c->any = true;
		low = number < c->first ? number : c->first;
		high = number > c->last ? number : c->last;
		if (high - low < CHART_SPANS)
			break;
	}
	move(c, low, high);
	c->first = low;
	c->last = high;
	c->at = &c->counts[number - c->base];
	*c->at += n;
	/* The ends of time may cut a span short. */
	into = wall % lengths[c->step] + (wall % lengths[c->step] < 0 ? lengths[c->step] : 0);
	c->from = begin_of(number, lengths[c->step]);
	c->until = wall > INT64_MAX - lengths[c->step] ? INT64_MAX
						       : wall + (lengths[c->step] - into);
}

void chart_merge(struct chart *c, const struct chart *from)
{
	while (c->step < from->step)
		coarsen(c);
	for (int64_t i = from->first; from->any && i <= from->last; i++)
		if (from->counts[i - from->base])
			chart_grow(c, begin_of(i, lengths[from->step]),
				   from->counts[i - from->base]);
}

/* ---- Columns ------------------------------------------------------------------------- */

unsigned chart_columns(const struct chart *c, unsigned most, uint64_t *counts, uint64_t *length,
		       int64_t *first)
{
	int64_t spans = 1, base, n;

	if (!c->any)
		return 0;
	while (floor_div(c->last, spans) - floor_div(c->first, spans) >= most)
		spans++;
	base = floor_div(c->first, spans);
	n = floor_div(c->last, spans) - base + 1;
	memset(counts, 0, (size_t)n * sizeof(*counts));
	for (int64_t i = c->first; i <= c->last; i++)
		counts[floor_div(i, spans) - base] += c->counts[i - c->base];
	*length = (uint64_t)(spans * lengths[c->step]);
	*first = begin_of(base, spans * lengths[c->step]);
	return (unsigned)n;
}

#define HEIGHT 5
#define EIGHTHS 8
#define COLUMNS_LEAST 8 /* of less it says nothing */
#define COLUMNS_MOST 240
#define LABEL 11 /* columns to the left of the bars */
#define CLOCK 15 /* a time of the day */

/* How much of the line at that height a bar fills, in eighths; something if there is any. */
static unsigned filled(uint64_t count, uint64_t most, unsigned height)
{
	double eighths = (double)count * HEIGHT * EIGHTHS / (double)most;
	unsigned n = (unsigned)eighths, under = height * EIGHTHS;

	n += n < eighths;
	return n <= under ? 0 : n - under > EIGHTHS ? EIGHTHS : n - under;
}

static void put_line(struct out *o, const uint64_t *counts, unsigned n, uint64_t most,
		     unsigned height, bool unicode)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { " ", ".", ".", ".", ":", ":", ":", ":", "#" };

	while (n && !filled(counts[n - 1], most, height))
		n--;
	for (unsigned i = 0; i < n; i++)
		out_text(o, (unicode ? blocks : ascii)[filled(counts[i], most, height)]);
	out_char(o, '\n');
}

/* The rate of the highest bar, to the left of it, and 0 below. */
static void put_label(struct out *o, uint64_t most, uint64_t length, unsigned height)
{
	double rate = (double)most * 1e9 / (double)length;

	if (height == HEIGHT - 1)
		out_printf(o, "%*.*f ", LABEL - 1, rate < 100 ? 1 : 0, rate);
	else
		out_printf(o, "%*s ", LABEL - 1, height ? "" : "0");
}

/* Where the last column ends, as far as there is time. */
static int64_t end_of(int64_t first, unsigned n, uint64_t length)
{
	uint64_t left = (uint64_t)INT64_MAX - (uint64_t)first;

	return length > left / n ? INT64_MAX : (int64_t)((uint64_t)first + n * length);
}

void chart_text(const struct chart *c, struct out *o, int32_t offset, size_t width, bool unicode)
{
	uint64_t counts[COLUMNS_MOST], length, most = 0;
	unsigned n, room = COLUMNS_MOST;
	int64_t first;

	if (width < LABEL + COLUMNS_LEAST)
		return;
	if (width - LABEL < room)
		room = (unsigned)width - LABEL;
	n = chart_columns(c, room, counts, &length, &first);
	if (n < COLUMNS_LEAST)
		return;
	for (unsigned i = 0; i < n; i++)
		most = counts[i] > most ? counts[i] : most;
	out_text(o, "\nEvents a second, a column is ");
	times_duration(o, length);
	out_char(o, '\n');
	for (unsigned height = HEIGHT; height-- > 0;) {
		put_label(o, most, length, height);
		put_line(o, counts, n, most, height, unicode);
	}
	out_pad(o, LABEL);
	times_clock(o, first, offset);
	if (n >= 2 * CLOCK + 2) {
		out_pad(o, (int)n - 2 * CLOCK);
		times_clock(o, end_of(first, n, length), offset);
	}
	out_char(o, '\n');
}

#define JSON_COLUMNS 60

void chart_json(const struct chart *c, struct out *o)
{
	uint64_t counts[JSON_COLUMNS], length;
	int64_t first;
	unsigned n = chart_columns(c, JSON_COLUMNS, counts, &length, &first);

	if (!n)
		return;
	json_time(o, ",\"histogram\":{", "start", first);
	json_uint(o, ",", "width", length);
	out_text(o, ",\"events\":[");
	for (unsigned i = 0; i < n; i++) {
		out_text(o, i ? "," : "");
		out_uint(o, counts[i]);
	}
	out_text(o, "]}");
}
