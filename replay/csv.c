/* SPDX-License-Identifier: BSD-2-Clause */
#include "csv.h"

#include <string.h>

#include "cells.h"
#include "codes.h"
#include "container.h"
#include "derive.h"
#include "escape.h"
#include "print.h"

/* ---- Cells -------------------------------------------------------------------------- */

void csv_quote(struct out *o, size_t begin)
{
	size_t len = o->len - begin, quotes = 0;
	char *text = o->buf + begin, *to;

	if (o->error)
		return;
	for (const char *q = text; (q = memchr(q, '"', len - (size_t)(q - text))); q++)
		quotes++;
	if (len && !quotes && !memchr(text, ',', len))
		return;
	for (size_t i = 0; i < quotes + 2; i++)
		out_char(o, '"');
	if (o->error)
		return;
	text = o->buf + begin;
	to = text + len + quotes + 1;
	for (size_t i = len; i-- > 0;) {
		*--to = text[i];
		if (text[i] == '"')
			*--to = '"';
	}
	*text = '"';
}

void csv_text(struct out *o, const char *s, size_t n)
{
	size_t begin = o->len;

	escape_lossy(o, s, n);
	csv_quote(o, begin);
}

/* A name, or where there is none the number. */
static void put_known(struct out *o, const char *name, uint64_t number)
{
	if (name)
		csv_text(o, name, strlen(name));
	else
		out_uint(o, number);
}

/* As json_named has it. */
static void put_named(struct out *o, const char *name, uint64_t number)
{
	out_text(o, name ? name : "unknown_");
	if (!name)
		out_uint(o, number);
}

static void put_number(struct out *o, unsigned id, uint64_t u, const struct et_context *names)
{
	switch (et_fields[id].unit) {
	case ET_FLAG:
		out_text(o, u ? "true" : "false");
		break;
	case ET_CGROUP_ID:
		put_known(o, et_context_cgroup(names, u), u);
		break;
	case ET_KIND_ID:
		put_named(o, u < ET_KIND_END ? et_kind_name((unsigned)u) : NULL, u);
		break;
	case ET_CAUSE_ID:
		put_named(o, u < ET_CAUSE_END ? et_cause_name((unsigned)u) : NULL, u);
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
	size_t begin = o->len;

	if (!ET_HAS(&row->ev, id))
		return;
	switch (et_fields[id].type) {
	case ET_STR:
		csv_text(o, v->s.ptr, v->s.len);
		break;
	case ET_LIST:
		json_list(o, &v->l);
		csv_quote(o, begin);
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
	char id[CONTAINER_MAX];
	size_t n = print_container(row, id);

	if (n)
		csv_text(o, id, n);
}

static void put_code(struct out *o, const struct input_row *row, unsigned id,
		     const char *(*name)(uint64_t number))
{
	const char *text = ET_HAS(&row->ev, id) ? name(row->ev.v[id].u) : NULL;

	if (text)
		out_text(o, text);
}

static void put_cell(struct out *o, unsigned id, const struct input_row *row)
{
	size_t begin = o->len;
	uint64_t duration;

	switch (id) {
	case COLUMN_TIME:
		break;
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
		duration = derive_duration(&row->ev);
		if (duration != ET_NONE)
			out_uint(o, duration);
		break;
	case COLUMN_RESULT:
		print_result(o, &row->ev);
		break;
	case COLUMN_COMMAND:
		print_command(o, &row->ev);
		csv_quote(o, begin);
		break;
	default:
		put_field(o, id, row);
	}
}

void cells_csv(struct out *o, const struct columns *c, const struct input_row *row)
{
	for (unsigned i = 0; i < c->n; i++) {
		size_t begin = cells_begin(o);

		put_cell(o, c->ids[i], row);
		cells_end(o, begin, (struct cell){ .time = c->ids[i] == COLUMN_TIME });
	}
}

/* ---- Lines -------------------------------------------------------------------------- */

void csv_titles(struct out *o, const struct columns *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		if (i)
			out_char(o, ',');
		out_text(o, columns_name(c->ids[i]));
	}
	out_char(o, '\n');
}

void csv_line(struct out *o, const char *cells, unsigned n, const struct when *w, int64_t wall,
	      int32_t offset)
{
	for (unsigned i = 0; i < n; i++) {
		struct cell cell;
		const char *text = cells_next(&cells, &cell);

		if (i)
			out_char(o, ',');
		if (cell.time)
			when_put(w, o, wall, offset);
		else
			out_bytes(o, text, cell.len);
	}
	out_char(o, '\n');
}
