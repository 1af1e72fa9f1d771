/* SPDX-License-Identifier: BSD-2-Clause */
#include "sort.h"

#include "codes.h"
#include "derive.h"
#include "print.h"

int sort_parse(struct sort *s, const char *list, struct reason *why)
{
	for (;;) {
		bool down = *list == '-';
		size_t len = strcspn(list, ",");
		unsigned id = columns_find(list + down, len - down);

		if (!id)
			return reason_set(why, EXIT_USAGE,
					  "--sort: there is no column '%.*s' (--columns help "
					  "lists them)",
					  (int)(len - down), list + down);
		if (s->n == SORT_MAX)
			return reason_set(why, EXIT_USAGE, "--sort: more than %u columns",
					  SORT_MAX);
		s->ids[s->n] = (uint8_t)id;
		s->down[s->n++] = down;
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

/* ---- Keys: of each column whether it is known, and the value ------------------------- */

enum { KNOWN, UNKNOWN };

/* The highest byte first. */
static void put_number(struct out *o, uint64_t u)
{
	char *p;

	out_char(o, KNOWN);
	p = out_room(o, 8);
	for (int i = 0; i < 8; i++)
		p[i] = (char)(u >> (56 - 8 * i));
	o->len += 8;
}

/* No text holds a NUL: with one behind it "a" comes before "ab". */
static void put_text(struct out *o, const char *s, size_t n)
{
	out_char(o, KNOWN);
	out_bytes(o, s, n);
	out_char(o, 0);
}

static void put_list(struct out *o, const struct et_list *l)
{
	struct et_str item;
	uint32_t at = 0;

	out_char(o, KNOWN);
	while (et_list_next(l, &at, &item)) {
		/* More of a list comes behind its end. */
		out_char(o, 1);
		out_bytes(o, item.ptr, item.len);
		out_char(o, 0);
	}
	out_char(o, 0);
}

static void put_name(struct out *o, const char *name, uint64_t number)
{
	out_char(o, KNOWN);
	if (name)
		out_text(o, name);
	else
		out_uint(o, number);
	out_char(o, 0);
}

static void put_field(struct out *o, unsigned id, const struct input_row *row)
{
	const union et_value *v = &row->ev.v[id];

	if (!ET_HAS(&row->ev, id))
		return;
	if (et_fields[id].type == ET_STR)
		put_text(o, v->s.ptr, v->s.len);
	else if (et_fields[id].type == ET_LIST)
		put_list(o, &v->l);
	else if (et_fields[id].unit == ET_KIND_ID)
		put_name(o, v->u < ET_KIND_END ? et_kind_name((unsigned)v->u) : NULL, v->u);
	else if (et_fields[id].unit == ET_CAUSE_ID)
		put_name(o, v->u < ET_CAUSE_END ? et_cause_name((unsigned)v->u) : NULL, v->u);
	else if (et_fields[id].unit == ET_CGROUP_ID)
		put_name(o, et_context_cgroup(row->source->names, v->u), v->u);
	else
		put_number(o, v->u);
}

/* The name of what a field has by number. */
static void put_named(struct out *o, const struct input_row *row, unsigned id)
{
	const struct et_context *names = row->source->names;
	uint64_t u = row->ev.v[id].u;

	if (!ET_HAS(&row->ev, id))
		return;
	switch (id) {
	case ET_F_ERRNO:
		put_name(o, errno_name(u), u);
		break;
	case ET_F_SIGNAL:
		put_name(o, signal_name(u), u);
		break;
	case ET_F_GID:
		put_name(o, et_context_group(names, u), u);
		break;
	default:
		put_name(o, et_context_user(names, u), u);
	}
}

static void put_container(struct out *o, const struct input_row *row)
{
	char id[CONTAINER_MAX];
	size_t n = print_container(row, id);

	if (n)
		put_text(o, id, n);
}

static void put_words(struct out *o, const struct et_event *ev,
		      void (*print)(struct out *o, const struct et_event *ev))
{
	out_char(o, KNOWN);
	print(o, ev);
	out_char(o, 0);
}

static void put_column(struct out *o, unsigned id, const struct input_row *row)
{
	uint64_t duration;

	switch (id) {
	case COLUMN_TIME:
		/* Times before 1970 come first. */
		put_number(o, (uint64_t)row->wall ^ 1ull << 63);
		break;
	case COLUMN_USER:
		put_named(o, row, ET_F_UID);
		break;
	case COLUMN_GROUP:
		put_named(o, row, ET_F_GID);
		break;
	case COLUMN_LOGIN_USER:
		put_named(o, row, ET_F_LOGIN_UID);
		break;
	case COLUMN_ERROR:
		put_named(o, row, ET_F_ERRNO);
		break;
	case COLUMN_SIGNAL_NAME:
		put_named(o, row, ET_F_SIGNAL);
		break;
	case COLUMN_CONTAINER:
		put_container(o, row);
		break;
	case COLUMN_DURATION:
		duration = derive_duration(&row->ev);
		if (duration != ET_NONE)
			put_number(o, duration);
		break;
	case COLUMN_RESULT:
		put_words(o, &row->ev, print_result);
		break;
	case COLUMN_COMMAND:
		put_words(o, &row->ev, print_command);
		break;
	default:
		put_field(o, id, row);
	}
}

void sort_key(const struct sort *s, struct out *o, const struct input_row *row)
{
	for (unsigned i = 0; i < s->n; i++) {
		size_t begin = o->len;

		put_column(o, s->ids[i], row);
		if (o->len == begin)
			out_char(o, UNKNOWN);
		else if (s->down[i] && !o->error)
			for (size_t k = begin + 1; k < o->len; k++)
				o->buf[k] = (char)~o->buf[k];
	}
}
