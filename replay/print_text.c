/* SPDX-License-Identifier: BSD-2-Clause */
/* print_text.c - what happened, in words for people. */
#include "print.h"

#include "codes.h"
#include "container.h"
#include "escape.h"
#include "times.h"

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
	out_text(o, name ? name : otherwise);
	if (name)
		return;
	out_char(o, ' ');
	out_uint(o, number);
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

size_t print_container(const struct input_row *row, char id[CONTAINER_MAX])
{
	const char *path = NULL;

	if (ET_HAS(&row->ev, ET_F_CGROUP))
		path = et_context_cgroup(row->source->names, row->ev.v[ET_F_CGROUP].u);
	return path ? container_find(path, strlen(path), id) : 0;
}
