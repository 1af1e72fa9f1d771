/* SPDX-License-Identifier: BSD-2-Clause */
#include "print.h"

#include "codes.h"
#include "derive.h"
#include "escape.h"
#include "times.h"

#define PID_WIDTH 7
#define USER_WIDTH 8
#define USER_WIDTH_MAX 16
#define RESULT_WIDTH 8

void text_open(struct text_printer *p, bool utc, bool date, bool header, size_t width)
{
	*p = (struct text_printer){ .utc = utc,
				    .date = date,
				    .header = header,
				    .width = width,
				    .user_width = USER_WIDTH };
	out_open(&p->line, -1);
}

void text_close(struct text_printer *p)
{
	out_close(&p->line);
}

/* ---- Cells ------------------------------------------------------------------------ */

static bool same(struct et_str a, struct et_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

static size_t base_of(struct et_str path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

	return slash ? (size_t)(slash + 1 - path.ptr) : 0;
}

/*
 * Whether a name alone says which file ran: it is the last part of the path, in
 * one of the directories where a system keeps its commands.
 */
static bool usual_place(struct et_str path, struct et_str name)
{
	static const char *const places[] = { "/usr/bin/",       "/bin/",
					      "/usr/sbin/",      "/sbin/",
					      "/usr/local/bin/", "/usr/local/sbin/" };
	size_t base = base_of(path);

	if (!name.len || path.len - base != name.len ||
	    memcmp(path.ptr + base, name.ptr, name.len))
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strlen(places[i]) == base && !memcmp(places[i], path.ptr, base))
			return true;
	return false;
}

/* The file that argv[0] does not tell; an empty string when it does. */
static struct et_str untold_file(const struct et_event *ev, struct et_str first)
{
	const struct et_str none = { NULL, 0 };
	bool asked = ET_HAS(ev, ET_F_FILENAME), ran = ET_HAS(ev, ET_F_EXE);
	struct et_str file = ran ? ev->v[ET_F_EXE].s : asked ? ev->v[ET_F_FILENAME].s : none;

	if (!file.len || same(file, first) || (asked && same(ev->v[ET_F_FILENAME].s, first)))
		return none;
	/* The kernel puts the interpreter of a script in front, and the script behind it. */
	if (ET_HAS(ev, ET_F_INTERPRETER) && same(ev->v[ET_F_INTERPRETER].s, first))
		return none;
	/* In a search along PATH the place is what matters. */
	if (ev->v[ET_F_KIND].u != ET_FAIL && usual_place(file, first))
		return none;
	return file;
}

static void put_comm(struct out *o, const struct et_event *ev)
{
	out_char(o, '(');
	if (ET_HAS(ev, ET_F_COMM))
		escape_name(o, ev->v[ET_F_COMM].s.ptr, ev->v[ET_F_COMM].s.len);
	else
		out_char(o, '?');
	out_char(o, ')');
}

static void put_missing(struct out *o, const struct et_event *ev, uint32_t n)
{
	bool argc = ET_HAS(ev, ET_F_ARGC), bytes = ET_HAS(ev, ET_F_ARGV_BYTES);

	if (ET_HAS(ev, ET_F_ARGV_TRUNCATED) && ev->v[ET_F_ARGV_TRUNCATED].u) {
		out_text(o, " <cut");
		if (argc)
			out_printf(o, ": %u of %llu arguments", n,
				   (unsigned long long)ev->v[ET_F_ARGC].u);
		if (bytes)
			out_printf(o, "%s %llu of %llu bytes", argc ? "," : ":",
				   (unsigned long long)(ET_HAS(ev, ET_F_ARGV)
								? ev->v[ET_F_ARGV].l.len
								: 0),
				   (unsigned long long)ev->v[ET_F_ARGV_BYTES].u);
		out_char(o, '>');
	}
	if (ET_HAS(ev, ET_F_ARGV_UNREADABLE) && ev->v[ET_F_ARGV_UNREADABLE].u) {
		out_text(o, n ? " <more arguments unreadable" : " <arguments unreadable");
		if (argc && !(ET_HAS(ev, ET_F_ARGV_TRUNCATED) && ev->v[ET_F_ARGV_TRUNCATED].u))
			out_printf(o, ": %llu in all", (unsigned long long)ev->v[ET_F_ARGC].u);
		out_char(o, '>');
	}
}

static void put_argv(struct out *o, const struct et_event *ev)
{
	bool known = ET_HAS(ev, ET_F_ARGV);
	bool unreadable = ET_HAS(ev, ET_F_ARGV_UNREADABLE) && ev->v[ET_F_ARGV_UNREADABLE].u;
	struct et_list argv = known ? ev->v[ET_F_ARGV].l : (struct et_list){ NULL, 0, 0 };
	struct et_str item = { NULL, 0 }, file;
	uint32_t at = 0;
	bool any = known && et_list_next(&argv, &at, &item);

	if (!any && ev->v[ET_F_KIND].u == ET_PROC) {
		put_comm(o, ev);
		return;
	}
	file = untold_file(ev, item);
	if (file.len) {
		out_char(o, '[');
		escape_word(o, file.ptr, file.len, false);
		out_char(o, ']');
		if (any)
			out_char(o, ' ');
	}
	if (any) {
		escape_word(o, item.ptr, item.len, true);
		while (et_list_next(&argv, &at, &item)) {
			out_char(o, ' ');
			escape_word(o, item.ptr, item.len, false);
		}
	} else if (!unreadable) {
		out_text(o, known ? " <no arguments>" : " <arguments unknown>");
	}
	put_missing(o, ev, argv.n);
}

static void put_lost(struct out *o, const struct et_event *ev)
{
	uint64_t count = ET_HAS(ev, ET_F_COUNT) ? ev->v[ET_F_COUNT].u : 0;
	uint64_t cause = ET_HAS(ev, ET_F_CAUSE) ? ev->v[ET_F_CAUSE].u : 0;
	const char *name = cause < ET_CAUSE_END ? et_cause_name((unsigned)cause) : NULL;

	out_printf(o, "<%llu event%s lost: %s", (unsigned long long)count,
		   count == 1 ? "" : "s", name ? name : "cause not known");
	if (ET_HAS(ev, ET_F_CPU))
		out_printf(o, " on cpu %llu", (unsigned long long)ev->v[ET_F_CPU].u);
	if (ET_HAS(ev, ET_F_UNTIL) && ev->v[ET_F_UNTIL].u > ev->v[ET_F_TS].u) {
		out_text(o, ", within ");
		times_duration(o, ev->v[ET_F_UNTIL].u - ev->v[ET_F_TS].u);
	}
	out_char(o, '>');
}

void print_command(struct out *o, const struct et_event *ev)
{
	size_t begin = o->len;

	switch (ev->v[ET_F_KIND].u) {
	case ET_EXEC:
	case ET_FAIL:
	case ET_PROC:
		put_argv(o, ev);
		break;
	case ET_LOST:
		put_lost(o, ev);
		break;
	default:
		put_comm(o, ev);
		break;
	}
	if (o->len > begin && o->buf[begin] == ' ') {
		/* A mark with no words before it brings its own blank. */
		memmove(o->buf + begin, o->buf + begin + 1, o->len - begin - 1);
		o->len--;
	}
}

static void put_number(struct out *o, const char *name, const char *otherwise, uint64_t number)
{
	if (name)
		out_text(o, name);
	else
		out_printf(o, "%s %llu", otherwise, (unsigned long long)number);
}

void print_result(struct out *o, const struct et_event *ev)
{
	uint64_t kind = ev->v[ET_F_KIND].u;
	uint64_t number = ET_HAS(ev, ET_F_ERRNO) ? ev->v[ET_F_ERRNO].u : 0;

	switch (kind) {
	case ET_FAIL:
		put_number(o, errno_name(number), "errno", number);
		break;
	case ET_EXIT:
		if (ET_HAS(ev, ET_F_SIGNAL)) {
			put_number(o, signal_name(ev->v[ET_F_SIGNAL].u), "signal",
				   ev->v[ET_F_SIGNAL].u);
			if (ET_HAS(ev, ET_F_CORE) && ev->v[ET_F_CORE].u)
				out_text(o, " (core)");
		} else if (ET_HAS(ev, ET_F_EXIT_CODE)) {
			put_number(o, NULL, "exit", ev->v[ET_F_EXIT_CODE].u);
		} else {
			out_text(o, "exit");
		}
		break;
	case ET_PROC:
		out_text(o, "running");
		break;
	case ET_LOST:
		out_text(o, "LOST");
		break;
	default:
		put_number(o, kind < ET_KIND_END ? et_kind_name((unsigned)kind) : NULL, "kind",
			   kind);
		break;
	}
}

/* ---- Lines ------------------------------------------------------------------------ */

/* Ends a cell that began at begin: blanks up to its width, and two more. */
static void end_cell(struct out *o, size_t begin, int width)
{
	out_pad(o, width - (int)escape_width(o->buf + begin, o->len - begin));
	out_pad(o, 2);
}

static void put_id(struct out *o, const struct et_event *ev, enum et_field_id id)
{
	if (ET_HAS(ev, id)) {
		out_uint_right(o, ev->v[id].u, PID_WIDTH);
	} else {
		out_pad(o, PID_WIDTH - 1);
		out_char(o, '-');
	}
	out_pad(o, 2);
}

static void put_user(struct text_printer *p, const struct input_row *row)
{
	struct out *o = &p->line;
	size_t begin = o->len;
	const char *name;
	size_t width;

	if (!ET_HAS(&row->ev, ET_F_UID)) {
		out_char(o, '-');
	} else {
		name = et_context_user(row->source->names, row->ev.v[ET_F_UID].u);
		if (name)
			escape_name(o, name, strlen(name));
		else
			out_uint(o, row->ev.v[ET_F_UID].u);
	}
	/* Names are few: once a longer one has come, its lines stay in line. */
	width = escape_width(o->buf + begin, o->len - begin);
	if (width > p->user_width && width <= USER_WIDTH_MAX)
		p->user_width = width;
	end_cell(o, begin, (int)p->user_width);
}

/* Escaped text holds no control bytes, so it can be cut between any two characters. */
static void put_line(struct text_printer *p, struct out *o)
{
	struct out *line = &p->line;
	size_t n = line->len;

	while (n && line->buf[n - 1] == ' ')
		n--;
	if (p->width > 1 && escape_width(line->buf, n) > p->width) {
		out_bytes(o, line->buf, escape_fit(line->buf, n, p->width - 1));
		out_text(o, "\xe2\x80\xa6");
	} else {
		out_bytes(o, line->buf, n);
	}
	out_char(o, '\n');
	if (line->error)
		o->error = line->error;
	line->len = 0;
}

static void put_titles(struct text_printer *p, struct out *o)
{
	if (p->columns.n) {
		columns_titles(&p->columns, &p->line);
		put_line(p, o);
		return;
	}
	out_text(o, "TIME");
	out_pad(o, p->date ? 24 : 13);
	out_printf(o, "%*s  %*s  %-*s  %-*s  COMMAND\n", PID_WIDTH, "PID", PID_WIDTH, "PPID",
		   (int)p->user_width, "USER", RESULT_WIDTH, "RESULT");
}

/* Titles before the first row, and a line for each new day or zone. */
static void put_heading(struct text_printer *p, struct out *o, int64_t wall, int32_t offset)
{
	int64_t day = times_day(wall, offset);

	if (!p->begun)
		put_titles(p, o);
	/* A day is of the times below it. */
	if (p->columns.n && !columns_have_time(&p->columns)) {
		p->begun = true;
		return;
	}
	if (!p->begun || offset != p->offset || (day != p->day && !p->date)) {
		times_date(o, wall, offset);
		out_char(o, ' ');
		times_zone(o, offset);
		out_char(o, '\n');
	}
	p->begun = true;
	p->day = day;
	p->offset = offset;
}

void text_row(struct text_printer *p, struct out *o, const struct input_row *row)
{
	const struct et_event *ev = &row->ev;
	int32_t offset = p->utc ? 0 : row->source->offset;
	struct out *line = &p->line;
	uint64_t duration;
	size_t begin;

	if (p->header)
		put_heading(p, o, row->wall, offset);
	if (p->columns.n) {
		columns_row(&p->columns, line, row, offset, p->date);
		put_line(p, o);
		return;
	}
	if (p->date) {
		times_date(line, row->wall, offset);
		out_char(line, 'T');
	}
	times_clock(line, row->wall, offset);
	out_pad(line, 2);
	put_id(line, ev, ET_F_PID);
	put_id(line, ev, ET_F_PPID);
	put_user(p, row);
	begin = line->len;
	print_result(line, ev);
	end_cell(line, begin, RESULT_WIDTH);
	print_command(line, ev);
	duration = derive_duration(ev);
	if (duration != ET_NONE) {
		out_text(line, " after ");
		times_duration(line, duration);
	}
	put_line(p, o);
}

void text_end(struct text_printer *p, struct out *o)
{
	if (p->header && !p->begun)
		put_titles(p, o);
	p->begun = true;
}
