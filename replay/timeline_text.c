/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeline_text.c - timelines in lines of text: a name in front, and behind it the time
 * from one side of the line to the other.
 */
#include "timeline.h"

#include "codes.h"
#include "escape.h"
#include "times.h"

#define EIGHTHS 8 /* of a column */
#define LEVELS 8  /* of how much ran in a column */

struct picture {
	const struct timeline_shown *shown;
	const struct timeline_style *style;
	struct out *o;
	size_t name_width; /* of the longest that is shown */
	size_t columns;    /* for the time */
};

/* A distance in time as one on the line, in parts of a column. */
static double scale(const struct picture *p, uint64_t ns, unsigned parts)
{
	uint64_t all = (uint64_t)p->shown->until - (uint64_t)p->shown->from;

	return (double)ns / (double)all * (double)(p->columns * parts);
}

/* ---- What stands in front ------------------------------------------------------------- */

static size_t name_of(struct out *to, const char *comm, uint8_t len)
{
	to->len = 0;
	escape_name(to, comm, len);
	return escape_width(to->buf, to->len);
}

static void put_name(const struct picture *p, const char *comm, uint8_t len)
{
	struct out name;
	size_t width;

	out_open(&name, -1);
	width = name_of(&name, comm, len);
	out_text(p->o, "  ");
	out_bytes(p->o, name.buf, name.len);
	out_pad(p->o, (int)(p->name_width - width));
	out_close(&name);
}

static void put_duration(const struct picture *p, uint64_t ns)
{
	struct out text;

	out_open(&text, -1);
	times_duration(&text, ns);
	out_pad(p->o, 9 - (int)text.len);
	out_bytes(p->o, text.buf, text.len);
	out_close(&text);
}

/* Five columns: nothing for one that succeeded. */
static void put_result(const struct picture *p, const struct timeline_bar *b)
{
	const char *name = NULL;
	struct out text;

	out_open(&text, -1);
	if (b->result == TIMELINE_RUNS)
		name = "runs";
	else if (b->result == TIMELINE_UNKNOWN)
		name = "?";
	else if (b->result == TIMELINE_SIGNAL)
		name = signal_name(b->code);
	/* Without SIG. */
	if (name && b->result == TIMELINE_SIGNAL)
		name += 3;
	if (name)
		out_text(&text, name);
	else if (b->code)
		out_printf(&text, "%s%u", b->result == TIMELINE_SIGNAL ? "#" : "", b->code);
	if (text.len > 5)
		text.len = 5;
	out_text(p->o, "  ");
	out_bytes(p->o, text.buf, text.len);
	out_pad(p->o, 5 - (int)text.len);
	out_text(p->o, "  ");
	out_close(&text);
}

/* ---- The ruler ------------------------------------------------------------------------ */

/* A round time such as 0, 250ms, 1m30s, 2h. */
static void put_round(struct out *o, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = { { 86400000000000, "d" },
		      { 3600000000000, "h" },
		      { 60000000000, "m" },
		      { 1000000000, "s" },
		      { 1000000, "ms" },
		      { 1000, "us" },
		      { 1, "ns" } };
	/* Below a second one unit is enough, of which it is a multiple. */
	unsigned i = 4;

	if (!ns)
		out_char(o, '0');
	for (unsigned k = 0; k < 4 && ns; k++) {
		if (ns / units[k].ns) {
			out_uint(o, ns / units[k].ns);
			out_text(o, units[k].name);
		}
		ns %= units[k].ns;
	}
	while (i < 6 && ns % units[i].ns)
		i++;
	if (ns) {
		out_uint(o, ns / units[i].ns);
		out_text(o, units[i].name);
	}
}

/* The least round time that is at least so many columns. */
static uint64_t step_of(const struct picture *p, size_t columns)
{
	static const uint64_t longer[] = { 15,   30,   60,   120,   300,   600,   900,
					   1800, 3600, 7200, 14400, 21600, 43200, 86400 };
	uint64_t ns = 1;

	/* 1, 2, 5, 10, ... to ten seconds, then as clocks have it, then days. */
	for (unsigned i = 0; ns < 10000000000u; i++) {
		if (scale(p, ns, 1) >= (double)columns)
			return ns;
		ns = i % 3 == 1 ? ns / 2 * 5 : ns * 2;
	}
	for (unsigned i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
		if (scale(p, ns, 1) >= (double)columns)
			return ns;
		ns = longer[i] * 1000000000u;
	}
	while (scale(p, ns, 1) < (double)columns && ns < UINT64_MAX / 2)
		ns *= 2;
	return ns;
}

static void put_ruler(const struct picture *p)
{
	uint64_t all = (uint64_t)p->shown->until - (uint64_t)p->shown->from;
	uint64_t step = step_of(p, 9);
	size_t column = 0;

	for (uint64_t at = 0; at < all; at += step) {
		size_t place = (size_t)scale(p, at, 1);
		struct out label;

		out_open(&label, -1);
		out_char(&label, '|');
		put_round(&label, at);
		if (place + label.len <= p->columns) {
			out_pad(p->o, (int)(place - column));
			out_bytes(p->o, label.buf, label.len);
			column = place + label.len;
		}
		out_close(&label);
		if (at > all - step)
			break;
	}
	out_char(p->o, '\n');
}

/* ---- Bars ----------------------------------------------------------------------------- */

/* What of a column is filled, from one eighth to another. */
static void put_cell(const struct picture *p, unsigned from, unsigned to)
{
	static const char *const left[] = { "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };

	if (to <= from)
		out_char(p->o, ' ');
	else if (p->style->ascii)
		out_char(p->o, '#');
	else if (!from)
		out_text(p->o, left[to - 1]);
	else if (to == EIGHTHS)
		out_text(p->o, from < EIGHTHS / 2 ? "█" : "▐");
	else
		out_text(p->o, "│");
}

static unsigned within_cell(uint64_t at, uint64_t cell)
{
	return at <= cell * EIGHTHS            ? 0
	       : at - cell * EIGHTHS > EIGHTHS ? EIGHTHS
					       : (unsigned)(at - cell * EIGHTHS);
}

static void put_bar(const struct picture *p, const struct timeline_bar *b)
{
	uint64_t from = (uint64_t)p->shown->from, limit = p->columns * EIGHTHS;
	double begin = scale(p, (uint64_t)b->begin - from, EIGHTHS);
	double end = scale(p, (uint64_t)b->end - from, EIGHTHS);
	uint64_t x = (uint64_t)begin, y = (uint64_t)end + ((double)(uint64_t)end < end);

	/* Also the shortest is there. */
	if (x >= limit)
		x = limit - 1;
	if (y <= x)
		y = x + 1;
	out_uint_right(p->o, b->pid, 7);
	put_name(p, b->comm, b->len);
	put_duration(p, (uint64_t)b->end - (uint64_t)b->begin);
	put_result(p, b);
	for (uint64_t cell = 0; cell * EIGHTHS < y && cell < p->columns; cell++)
		put_cell(p, within_cell(x, cell), within_cell(y, cell));
	out_char(p->o, '\n');
}

/* ---- Lanes ---------------------------------------------------------------------------- */

/* How many ran at once in a column, on average. */
static double busy_in(const struct picture *p, const struct timeline_lane *l, size_t column)
{
	uint64_t all = (uint64_t)p->shown->until - (uint64_t)p->shown->from;
	double width = (double)all / (double)p->columns, slot = (double)p->shown->slot;
	double from = (double)column * width, to = from + width, busy = 0;

	for (uint64_t i = (uint64_t)(from / slot); i < TIMELINE_SLOTS; i++) {
		double begin = (double)i * slot, end = begin + slot;
		double part = (end < to ? end : to) - (begin > from ? begin : from);

		if (begin >= to)
			break;
		busy += (double)l->slots[i] * part / slot;
	}
	return busy / width;
}

static double most_busy(const struct picture *p)
{
	double most = 0;

	for (size_t i = 0; i < p->shown->n; i++) {
		for (size_t c = 0; c < p->columns; c++) {
			double busy = busy_in(p, p->shown->lanes[i], c);

			most = busy > most ? busy : most;
		}
	}
	return most;
}

static void put_lane(const struct picture *p, const struct timeline_lane *l, double most)
{
	static const char *const blocks[LEVELS + 1] = { " ", "▁", "▂", "▃", "▄",
							"▅", "▆", "▇", "█" };
	static const char signs[LEVELS + 2] = " .:-=+*%#";

	out_uint_right(p->o, l->count, 7);
	if (l->len)
		put_name(p, l->comm, l->len);
	else
		put_name(p, "(others)", 8);
	put_duration(p, l->time);
	out_text(p->o, "  ");
	for (size_t c = 0; c < p->columns; c++) {
		double level = most > 0 ? busy_in(p, l, c) / most * LEVELS : 0;
		unsigned n = (unsigned)level + ((double)(unsigned)level < level);

		n = n > LEVELS ? LEVELS : n;
		if (p->style->ascii)
			out_char(p->o, signs[n]);
		else
			out_text(p->o, blocks[n]);
	}
	out_char(p->o, '\n');
}

/* ---- All ------------------------------------------------------------------------------ */

static int64_t wall_of(const struct timeline_shown *s, int64_t place)
{
	return (int64_t)((uint64_t)s->zero + (uint64_t)place);
}

static void put_header(const struct picture *p, double most)
{
	const struct timeline_shown *s = p->shown;
	unsigned long long processes = s->processes;

	times_moment(p->o, wall_of(s, s->from), s->offset);
	out_char(p->o, ' ');
	times_zone(p->o, s->offset);
	out_text(p->o, ", ");
	times_duration(p->o, (uint64_t)s->until - (uint64_t)s->from);
	if (s->lanes) {
		out_printf(p->o, ", %llu process%s", processes, processes == 1 ? "" : "es");
		if (s->n < s->commands)
			out_printf(p->o, ", %zu of %zu commands", s->n, s->commands);
		out_printf(p->o, ", a full column is %.2f at once\n", most);
		out_text(p->o, "      N  COMMAND");
	} else {
		if (s->n < processes)
			out_printf(p->o, ", the %zu longest of", s->n);
		else
			out_char(p->o, ',');
		out_printf(p->o, " %llu process%s\n", processes, processes == 1 ? "" : "es");
		out_text(p->o, "    PID  COMMAND");
	}
	out_pad(p->o, (int)p->name_width - 7);
	out_text(p->o, s->lanes ? "     TIME  " : "     TIME  EXIT   ");
	put_ruler(p);
}

static size_t widest_name(const struct timeline_shown *s)
{
	size_t widest = strlen("COMMAND"), width;
	struct out name;

	out_open(&name, -1);
	for (size_t i = 0; i < s->n; i++) {
		width = s->lanes ? name_of(&name, s->lanes[i]->comm, s->lanes[i]->len)
				 : name_of(&name, s->bars[i].comm, s->bars[i].len);
		/* Of those that are not kept apart. */
		if (s->lanes && !s->lanes[i]->len)
			width = strlen("(others)");
		widest = width > widest ? width : widest;
	}
	out_close(&name);
	return widest;
}

void timeline_print(const struct timeline *t, const struct timeline_style *style,
		    struct out *o)
{
	struct picture p = { .shown = timeline_shown(t), .style = style, .o = o };
	size_t front;
	double most;

	if (!p.shown->any || !p.shown->n)
		return;
	p.name_width = widest_name(p.shown);
	front = 7 + 2 + p.name_width + 9 + 2 + (p.shown->lanes ? 0 : 5 + 2);
	p.columns = style->width > front + 8 ? style->width - front : 8;
	most = p.shown->lanes ? most_busy(&p) : 0;
	if (style->header)
		put_header(&p, most);
	for (size_t i = 0; i < p.shown->n && !o->error; i++) {
		if (p.shown->lanes)
			put_lane(&p, p.shown->lanes[i], most);
		else
			put_bar(&p, &p.shown->bars[i]);
	}
}
