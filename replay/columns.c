/* SPDX-License-Identifier: BSD-2-Clause */
#include "columns.h"

#include <ctype.h>
#include <string.h>

#include "codes.h"
#include "container.h"
#include "derive.h"
#include "escape.h"
#include "print.h"
#include "times.h"

/* Columns that are no field of their own. */
enum {
	OWN_TIME = ET_FIELD_END,
	OWN_USER,
	OWN_GROUP,
	OWN_LOGIN_USER,
	OWN_CONTAINER,
	OWN_DURATION,
	OWN_RESULT,
	OWN_COMMAND,
	OWN_END
};

static const struct {
	const char *name, *help;
	unsigned width;
} own[OWN_END - ET_FIELD_END] = {
	[OWN_TIME - ET_FIELD_END] = { "time", "when, by the wall clock", 15 },
	[OWN_USER - ET_FIELD_END] = { "user", "name of uid, or its number", 8 },
	[OWN_GROUP - ET_FIELD_END] = { "group", "name of gid, or its number", 8 },
	[OWN_LOGIN_USER -
		ET_FIELD_END] = { "login_user", "name of login_uid, or its number", 10 },
	[OWN_CONTAINER - ET_FIELD_END] = { "container",
					   "id or name of the container, by the cgroup", 12 },
	[OWN_DURATION - ET_FIELD_END] = { "duration",
					  "of an exit: time since the exec, or since it began",
					  8 },
	[OWN_RESULT - ET_FIELD_END] = { "result",
					"what became of it: exec, ENOENT, exit 0, SIGKILL",
					8 },
	[OWN_COMMAND -
		ET_FIELD_END] = { "command", "the command line, or the process's name", 7 },
};

/* A column does not grow over this: a longer value pushes its line to the right. */
#define WIDTH_MAX 32

static const char *name_of(unsigned id)
{
	return id < ET_FIELD_END ? et_fields[id].name : own[id - ET_FIELD_END].name;
}

static bool is_number(unsigned id)
{
	if (id >= ET_FIELD_END)
		return id == OWN_DURATION;
	switch (et_fields[id].unit) {
	case ET_FLAG:
	case ET_CGROUP_ID:
	case ET_KIND_ID:
	case ET_CAUSE_ID:
	case ET_ERRNO_ID:
	case ET_SIGNAL_ID:
		return false;
	default:
		return et_fields[id].type == ET_UINT || et_fields[id].type == ET_OPT;
	}
}

/* Wide enough for what is usual, so that few lines are out of line with those above. */
static unsigned width_of(unsigned id)
{
	unsigned width = (unsigned)strlen(name_of(id)), usual = 0;

	if (id >= ET_FIELD_END)
		usual = own[id - ET_FIELD_END].width;
	else if (id == ET_F_PID || id == ET_F_PPID || id == ET_F_TID || id == ET_F_NS_PID)
		usual = 7;
	else if (id >= ET_F_PID_NS && id <= ET_F_NET_NS)
		usual = 10;
	else if (id == ET_F_COMM)
		usual = 15;
	else if (id == ET_F_TTY || id == ET_F_ERRNO || id == ET_F_SIGNAL)
		usual = 7;
	return width > usual ? width : usual;
}

static int add(struct columns *c, const char *name, size_t len, struct reason *why)
{
	for (unsigned id = 1; id < OWN_END; id++) {
		const char *known = name_of(id);

		if (!known || strlen(known) != len || memcmp(known, name, len))
			continue;
		if (c->n == COLUMNS_MAX)
			return reason_set(why, EXIT_USAGE, "--columns: more than %u of them",
					  COLUMNS_MAX);
		c->widths[c->n] = width_of(id);
		c->ids[c->n++] = (uint8_t)id;
		return 0;
	}
	return reason_set(why, EXIT_USAGE,
			  "--columns: there is no column '%.*s' (--columns help lists them)",
			  (int)len, name);
}

int columns_parse(struct columns *c, const char *list, struct reason *why)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (add(c, list, len, why))
			return -1;
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

bool columns_have_time(const struct columns *c)
{
	return memchr(c->ids, OWN_TIME, c->n) != NULL;
}

static void help_field(struct out *o, unsigned id)
{
	const char *before = "  (";

	out_printf(o, "  %-16s %s", et_fields[id].name, et_fields[id].help);
	for (unsigned k = 1; k < ET_KIND_END; k++) {
		if (!(et_fields[id].kinds >> k & 1))
			continue;
		out_printf(o, "%s%s", before, et_kind_name(k));
		before = " ";
	}
	out_text(o, ")\n");
}

void columns_help(struct out *o)
{
	out_text(o, "Fields, for --columns, --match and --where, and the kinds of events "
		    "that have them:\n\n");
	for (unsigned id = 1; id < ET_FIELD_END; id++)
		if (et_fields[id].name)
			help_field(o, id);
	out_text(o, "\nWhat follows from them; container and duration are for --match as "
		    "well, and exectrace\nhelp expressions lists what is for --where:\n\n");
	for (unsigned id = ET_FIELD_END; id < OWN_END; id++)
		out_printf(o, "  %-16s %s\n", own[id - ET_FIELD_END].name,
			   own[id - ET_FIELD_END].help);
}

/* ---- Cells ------------------------------------------------------------------------ */

static void put_list(struct out *o, const struct et_list *l)
{
	struct et_str item;
	uint32_t at = 0;

	for (bool first = true; et_list_next(l, &at, &item); first = false) {
		if (!first)
			out_char(o, ' ');
		escape_word(o, item.ptr, item.len, false);
	}
}

static void put_word(struct out *o, const char *text)
{
	escape_word(o, text, strlen(text), false);
}

static void put_known(struct out *o, const char *name, uint64_t number)
{
	if (name)
		put_word(o, name);
	else
		out_uint(o, number);
}

static void put_number(struct out *o, unsigned id, uint64_t u, const struct et_context *names)
{
	switch (et_fields[id].unit) {
	case ET_NS:
		times_duration(o, u);
		break;
	case ET_FLAG:
		out_text(o, u ? "yes" : "no");
		break;
	case ET_CGROUP_ID:
		put_known(o, et_context_cgroup(names, u), u);
		break;
	case ET_KIND_ID:
		put_known(o, u < ET_KIND_END ? et_kind_name((unsigned)u) : NULL, u);
		break;
	case ET_CAUSE_ID:
		put_known(o, u < ET_CAUSE_END ? et_cause_name((unsigned)u) : NULL, u);
		break;
	case ET_ERRNO_ID:
		put_known(o, errno_name(u), u);
		break;
	case ET_SIGNAL_ID:
		put_known(o, signal_name(u), u);
		break;
	case ET_DEV:
		out_device(o, u);
		break;
	default:
		out_uint(o, u);
	}
}

static void put_field(struct out *o, unsigned id, const struct input_row *row)
{
	const union et_value *v = &row->ev.v[id];

	if (!ET_HAS(&row->ev, id))
		return;
	switch (et_fields[id].type) {
	case ET_STR:
		escape_word(o, v->s.ptr, v->s.len, false);
		break;
	case ET_LIST:
		put_list(o, &v->l);
		break;
	default:
		put_number(o, id, v->u, row->source->names);
	}
}

static void put_user(struct out *o, const struct input_row *row, unsigned id)
{
	uint64_t u = row->ev.v[id].u;

	if (ET_HAS(&row->ev, id))
		put_known(o,
			  id == ET_F_GID ? et_context_group(row->source->names, u)
					 : et_context_user(row->source->names, u),
			  u);
}

static void put_container(struct out *o, const struct input_row *row)
{
	const char *path = NULL;
	char id[CONTAINER_MAX];
	size_t n;

	if (ET_HAS(&row->ev, ET_F_CGROUP))
		path = et_context_cgroup(row->source->names, row->ev.v[ET_F_CGROUP].u);
	n = path ? container_find(path, strlen(path), id) : 0;
	/* Of an id so much as engines show of it, and --match takes. */
	if (n)
		escape_word(o, id, n == 64 ? 12 : n, false);
}

static void put_duration(struct out *o, const struct input_row *row)
{
	uint64_t duration = derive_duration(&row->ev);

	if (duration != ET_NONE)
		times_duration(o, duration);
}

static void put_time(struct out *o, const struct input_row *row, int32_t offset, bool date)
{
	if (date) {
		times_date(o, row->wall, offset);
		out_char(o, 'T');
	}
	times_clock(o, row->wall, offset);
}

/* What is not known is a dash. */
static void put_cell(struct out *o, unsigned id, const struct input_row *row, int32_t offset,
		     bool date)
{
	size_t begin = o->len;

	switch (id) {
	case OWN_TIME:
		put_time(o, row, offset, date);
		break;
	case OWN_USER:
		put_user(o, row, ET_F_UID);
		break;
	case OWN_GROUP:
		put_user(o, row, ET_F_GID);
		break;
	case OWN_LOGIN_USER:
		put_user(o, row, ET_F_LOGIN_UID);
		break;
	case OWN_CONTAINER:
		put_container(o, row);
		break;
	case OWN_DURATION:
		put_duration(o, row);
		break;
	case OWN_RESULT:
		print_result(o, &row->ev);
		break;
	case OWN_COMMAND:
		print_command(o, &row->ev);
		break;
	default:
		put_field(o, id, row);
	}
	if (o->len == begin)
		out_char(o, '-');
}

/* ---- Lines ------------------------------------------------------------------------ */

/* Pads the cell of column i that began at begin, and sets it apart from the next. */
static void end_cell(struct columns *c, struct out *o, unsigned i, size_t begin)
{
	size_t len = o->len - begin, width = escape_width(o->buf + begin, len);

	if (width > c->widths[i])
		c->widths[i] = width < WIDTH_MAX ? (unsigned)width : WIDTH_MAX;
	if (width < c->widths[i]) {
		int pad = (int)(c->widths[i] - width);

		out_pad(o, pad);
		if (is_number(c->ids[i]) && !o->error) {
			memmove(o->buf + begin + pad, o->buf + begin, len);
			memset(o->buf + begin, ' ', (size_t)pad);
		}
	}
	if (i + 1 < c->n)
		out_pad(o, 2);
}

void columns_titles(struct columns *c, struct out *line)
{
	for (unsigned i = 0; i < c->n; i++) {
		size_t begin = line->len;

		for (const char *p = name_of(c->ids[i]); *p; p++)
			out_char(line, (char)toupper((unsigned char)*p));
		end_cell(c, line, i, begin);
	}
}

void columns_row(struct columns *c, struct out *line, const struct input_row *row,
		 int32_t offset, bool date)
{
	for (unsigned i = 0; i < c->n; i++) {
		size_t begin = line->len;

		put_cell(line, c->ids[i], row, offset, date);
		end_cell(c, line, i, begin);
	}
}
