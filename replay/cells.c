/* SPDX-License-Identifier: BSD-2-Clause */
#include "cells.h"

#include "codes.h"
#include "container.h"
#include "derive.h"
#include "escape.h"
#include "print.h"
#include "times.h"

/* ---- Cells in memory: what is known of each, and its text behind --------------------- */

size_t cells_begin(struct out *o)
{
	static const struct cell none;
	size_t begin = o->len;

	out_bytes(o, &none, sizeof(none));
	return begin;
}

void cells_end(struct out *o, size_t begin, struct cell cell)
{
	if (o->error)
		return;
	cell.len = (uint32_t)(o->len - begin - sizeof(cell));
	memcpy(o->buf + begin, &cell, sizeof(cell));
}

const char *cells_next(const char **at, struct cell *cell)
{
	const char *text = *at + sizeof(*cell);

	memcpy(cell, *at, sizeof(*cell));
	*at = text + cell->len;
	return text;
}

/* ---- Values ------------------------------------------------------------------------- */

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

static const char *user_of(const struct input_row *row, unsigned id)
{
	uint64_t u = row->ev.v[id].u;

	return id == ET_F_GID ? et_context_group(row->source->names, u)
			      : et_context_user(row->source->names, u);
}

static void put_user(struct out *o, const struct input_row *row, unsigned id)
{
	if (ET_HAS(&row->ev, id))
		put_known(o, user_of(row, id), row->ev.v[id].u);
}

/* In the usual table a name may hold blanks: the column behind it is in line. */
static void put_who(struct out *o, const struct input_row *row)
{
	const char *name;

	if (!ET_HAS(&row->ev, ET_F_UID))
		return;
	name = user_of(row, ET_F_UID);
	if (name)
		escape_name(o, name, strlen(name));
	else
		out_uint(o, row->ev.v[ET_F_UID].u);
}

static void put_container(struct out *o, const struct input_row *row)
{
	char id[CONTAINER_MAX];
	size_t n = print_container(row, id);

	/* Of an id so much as engines show of it, and --match takes. */
	if (n)
		escape_word(o, id, n == 64 ? 12 : n, false);
}

static void put_duration(struct out *o, const struct input_row *row, const char *before)
{
	uint64_t duration = derive_duration(&row->ev);

	if (duration == ET_NONE)
		return;
	out_text(o, before);
	times_duration(o, duration);
}

static void put_code(struct out *o, const struct input_row *row, unsigned id,
		     const char *(*name)(uint64_t number))
{
	if (ET_HAS(&row->ev, id))
		put_known(o, name(row->ev.v[id].u), row->ev.v[id].u);
}

static void put_cell(struct out *o, unsigned id, const struct input_row *row)
{
	switch (id) {
	case COLUMN_USER:
		put_user(o, row, ET_F_UID);
		break;
	case COLUMN_GROUP:
		put_user(o, row, ET_F_GID);
		break;
	case COLUMN_LOGIN_USER:
		put_user(o, row, ET_F_LOGIN_UID);
		break;
	case COLUMN_CONTAINER:
		put_container(o, row);
		break;
	case COLUMN_ERROR:
		put_code(o, row, ET_F_ERRNO, errno_name);
		break;
	case COLUMN_SIGNAL_NAME:
		put_code(o, row, ET_F_SIGNAL, signal_name);
		break;
	case COLUMN_DURATION:
		put_duration(o, row, "");
		break;
	case COLUMN_RESULT:
		print_result(o, &row->ev);
		break;
	case COLUMN_COMMAND:
		print_command(o, &row->ev);
		break;
	case COLUMN_WHO:
		put_who(o, row);
		break;
	case COLUMN_WHAT:
		print_command(o, &row->ev);
		put_duration(o, row, " after ");
		break;
	default:
		put_field(o, id, row);
	}
}

/* ---- Colour ------------------------------------------------------------------------- */

static enum color color_of_kind(const struct et_event *ev)
{
	switch (ev->v[ET_F_KIND].u) {
	case ET_FAIL:
		return COLOR_BAD;
	case ET_EXIT:
		if (ET_HAS(ev, ET_F_SIGNAL))
			return COLOR_FATAL;
		return ET_HAS(ev, ET_F_EXIT_CODE) && ev->v[ET_F_EXIT_CODE].u ? COLOR_WARN
									     : COLOR_NONE;
	case ET_FORK:
	case ET_PROC:
		return COLOR_DIM;
	case ET_LOST:
		return COLOR_FATAL;
	default:
		return COLOR_NONE;
	}
}

static enum color color_of_command(const struct et_event *ev)
{
	switch (ev->v[ET_F_KIND].u) {
	case ET_FORK:
	case ET_EXIT:
		return COLOR_NAME;
	case ET_LOST:
		return COLOR_FATAL;
	default:
		return COLOR_NONE;
	}
}

static enum color color_of(unsigned id, const struct et_event *ev)
{
	switch (id) {
	case COLUMN_TIME:
		return COLOR_DIM;
	case ET_F_KIND:
	case COLUMN_RESULT:
		return color_of_kind(ev);
	case ET_F_COMM:
		return COLOR_NAME;
	case COLUMN_COMMAND:
	case COLUMN_WHAT:
		return color_of_command(ev);
	case ET_F_ERRNO:
	case COLUMN_ERROR:
		return COLOR_BAD;
	case ET_F_SIGNAL:
	case COLUMN_SIGNAL_NAME:
		return COLOR_FATAL;
	case ET_F_EXIT_CODE:
		return color_of_kind(ev);
	default:
		return COLOR_NONE;
	}
}

void cells_make(struct out *o, const struct columns *c, const struct input_row *row)
{
	for (unsigned i = 0; i < c->n; i++) {
		struct cell cell = { .time = c->ids[i] == COLUMN_TIME };
		size_t begin = cells_begin(o), text = o->len;

		cell.color = (uint16_t)color_of(c->ids[i], &row->ev);
		if (!cell.time)
			put_cell(o, c->ids[i], row);
		if (!cell.time && o->len == text) {
			out_char(o, '-');
			cell.color = COLOR_NONE;
		}
		if (!o->error)
			cell.width = (uint32_t)escape_width(o->buf + text, o->len - text);
		cells_end(o, begin, cell);
	}
}
