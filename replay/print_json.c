/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print_json.c - an event as one line of JSON. The names are et_fields[]'s; what
 * is printed of a field follows from its type and unit.
 */
#include "print.h"

#include "codes.h"
#include "container.h"
#include "derive.h"
#include "escape.h"
#include "times.h"

/* Fields in the order in which people read them; those not listed come behind. */
static const uint8_t first_ids[] = {
	ET_F_KIND,
	ET_F_TS,
	ET_F_PID,
	ET_F_TID,
	ET_F_START,
	ET_F_PPID,
	ET_F_UID,
	ET_F_GID,
	ET_F_EUID,
	ET_F_EGID,
	ET_F_COMM,
	ET_F_FILENAME,
	ET_F_INTERPRETER,
	ET_F_EXE,
	ET_F_ARGV,
	ET_F_ARGC,
	ET_F_ARGV_BYTES,
	ET_F_ARGV_TRUNCATED,
	ET_F_ARGV_UNREADABLE,
	ET_F_CWD,
	ET_F_ENV,
	ET_F_ENV_COUNT,
	ET_F_ENV_BYTES,
	ET_F_ENV_TRUNCATED,
	ET_F_ENV_UNREADABLE,
	ET_F_CGROUP,
};

static char *append(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	return p;
}

/* Names are short, also those that a file gives its columns (et_column), and many. */
static void put_name(struct out *o, const char *before, const char *name, const char *suffix)
{
	char *begin = out_room(o, 128), *p;

	p = append(begin, before);
	*p++ = '"';
	p = append(append(p, name), suffix);
	*p++ = '"';
	*p++ = ':';
	o->len += (size_t)(p - begin);
}

static void put_base64(struct out *o, const char *s, size_t n)
{
	out_char(o, '"');
	escape_base64(o, s, n);
	out_char(o, '"');
}

void json_text(struct out *o, const char *before, const char *name, const char *s, size_t n)
{
	bool lossy;

	put_name(o, before, name, "");
	out_char(o, '"');
	lossy = escape_json(o, s, n);
	out_char(o, '"');
	if (lossy) {
		put_name(o, ",", name, "_b64");
		put_base64(o, s, n);
	}
}

void json_uint(struct out *o, const char *before, const char *name, uint64_t u)
{
	put_name(o, before, name, "");
	out_uint(o, u);
}

void json_time(struct out *o, const char *before, const char *name, int64_t wall)
{
	put_name(o, before, name, "");
	out_char(o, '"');
	times_rfc3339(o, wall);
	out_char(o, '"');
}

void json_losses(struct out *o, const uint64_t lost[ET_CAUSE_END], uint64_t other)
{
	const char *before = "";
	uint64_t total = other;

	for (unsigned c = 0; c < ET_CAUSE_END; c++)
		total += lost[c];
	json_uint(o, ",", "lost", total);
	out_text(o, ",\"lost_by_cause\":{");
	for (unsigned c = 1; c < ET_CAUSE_END; c++) {
		if (!lost[c])
			continue;
		json_uint(o, before, et_cause_name(c), lost[c]);
		before = ",";
	}
	if (other)
		json_uint(o, before, "other", other);
	out_char(o, '}');
}

static bool is_utf8(struct et_str s)
{
	uint32_t cp;

	for (uint32_t i = 0; i < s.len;) {
		unsigned len = escape_utf8((const unsigned char *)s.ptr + i, s.len - i, &cp);

		if (!len)
			return false;
		i += len;
	}
	return true;
}

bool json_list(struct out *o, const struct et_list *l)
{
	struct et_str item;
	uint32_t at = 0;
	bool lossy = false;

	out_char(o, '[');
	for (bool first = true; et_list_next(l, &at, &item); first = false) {
		out_text(o, first ? "\"" : ",\"");
		lossy |= escape_json(o, item.ptr, item.len);
		out_char(o, '"');
	}
	out_char(o, ']');
	return lossy;
}

void json_list_field(struct out *o, const char *before, const char *name,
		     const struct et_list *l)
{
	struct et_str item;
	uint32_t at = 0;

	put_name(o, before, name, "");
	if (!json_list(o, l))
		return;
	put_name(o, ",", name, "_b64");
	out_char(o, '[');
	for (bool first = true; et_list_next(l, &at, &item); first = false) {
		if (!first)
			out_char(o, ',');
		if (is_utf8(item))
			out_text(o, "null");
		else
			put_base64(o, item.ptr, item.len);
	}
	out_char(o, ']');
}

/* A name behind its number, when there is one. */
static void put_known(struct out *o, const char *name, const char *text)
{
	if (text)
		json_text(o, ",", name, text, strlen(text));
}

/* The name of a kind or cause; a later version's is told by its number. */
static void put_named(struct out *o, const char *before, const char *name, const char *text,
		      uint64_t number)
{
	put_name(o, before, name, "");
	out_char(o, '"');
	if (text) {
		out_text(o, text);
	} else {
		out_text(o, "unknown_");
		out_uint(o, number);
	}
	out_char(o, '"');
}

static void put_cgroup(struct out *o, const char *name, const char *path)
{
	char container[CONTAINER_MAX];
	size_t n = container_find(path, strlen(path), container);

	json_text(o, ",", name, path, strlen(path));
	if (n)
		json_text(o, ",", "container", container, n);
}

static void put_number(struct out *o, unsigned id, uint64_t u, const struct et_context *names)
{
	const struct et_field *f = &et_fields[id];
	const char *text;

	switch (f->unit) {
	case ET_FLAG:
		if (u) {
			put_name(o, ",", f->name, "");
			out_text(o, "true");
		}
		return;
	case ET_KIND_ID:
		put_named(o, ",", f->name, u < ET_KIND_END ? et_kind_name((unsigned)u) : NULL,
			  u);
		return;
	case ET_CAUSE_ID:
		put_named(o, ",", f->name,
			  u < ET_CAUSE_END ? et_cause_name((unsigned)u) : NULL, u);
		return;
	case ET_DEV:
		put_name(o, ",", f->name, "");
		out_char(o, '"');
		out_device(o, u);
		out_char(o, '"');
		return;
	case ET_CGROUP_ID:
		text = et_context_cgroup(names, u);
		if (text)
			put_cgroup(o, f->name, text);
		else
			json_uint(o, ",", "cgroup_id", u);
		return;
	}
	json_uint(o, ",", f->name, u);
	if (f->unit == ET_ERRNO_ID)
		put_known(o, "error", errno_name(u));
	else if (f->unit == ET_SIGNAL_ID)
		put_known(o, "signal_name", signal_name(u));
	else if (id == ET_F_UID)
		put_known(o, "user", et_context_user(names, u));
	else if (id == ET_F_LOGIN_UID)
		put_known(o, "login_user", et_context_user(names, u));
	else if (id == ET_F_GID)
		put_known(o, "group", et_context_group(names, u));
}

static void put_field(struct out *o, unsigned id, const struct input_row *row)
{
	const union et_value *v = &row->ev.v[id];

	switch (et_fields[id].type) {
	case ET_UINT:
	case ET_OPT:
		put_number(o, id, v->u, row->source->names);
		break;
	case ET_STR:
		json_text(o, ",", et_fields[id].name, v->s.ptr, v->s.len);
		break;
	case ET_LIST:
		json_list_field(o, ",", et_fields[id].name, &v->l);
		break;
	}
}

static void put_extra_list(struct out *o, const struct et_column *c, struct et_chunk *chunk,
			   uint32_t row)
{
	const struct et_span *spans;
	const uint32_t *ids;
	struct out joined;
	struct et_list l;

	if (et_chunk_lists(chunk, c->id, &spans, &ids, NULL) || spans[row].n == UINT32_MAX)
		return;
	out_open(&joined, -1);
	for (uint32_t i = 0; i < spans[row].n; i++) {
		struct et_str s = et_chunk_str(chunk, ids[spans[row].first + i]);

		out_bytes(&joined, s.ptr, s.len);
		out_char(&joined, 0);
	}
	l = (struct et_list){ joined.buf, (uint32_t)joined.len, spans[row].n };
	if (joined.error)
		o->error = joined.error;
	else
		json_list_field(o, ",", c->name, &l);
	out_close(&joined);
}

/* A column of a later version: by the name and type that the file gives it. */
static void put_extra(struct out *o, const struct et_column *c, struct et_chunk *chunk,
		      uint32_t row)
{
	const uint64_t *values;
	const uint32_t *ids;

	switch (c->type) {
	case ET_UINT:
	case ET_OPT:
		if (!et_chunk_uints(chunk, c->id, &values, NULL) && values[row] != ET_NONE)
			json_uint(o, ",", c->name, values[row]);
		break;
	case ET_STR:
		if (!et_chunk_ids(chunk, c->id, &ids, NULL) && ids[row]) {
			struct et_str s = et_chunk_str(chunk, ids[row]);

			json_text(o, ",", c->name, s.ptr, s.len);
		}
		break;
	case ET_LIST:
		put_extra_list(o, c, chunk, row);
		break;
	}
}

void json_fields(struct out *o, const struct input_row *row, uint64_t fields)
{
	uint64_t left = row->ev.known & fields;

	for (size_t i = 0; i < sizeof(first_ids); i++) {
		if (left >> first_ids[i] & 1)
			put_field(o, first_ids[i], row);
		left &= ~(1ull << first_ids[i]);
	}
	for (unsigned id = 1; id < ET_FIELD_END; id++)
		if (left >> id & 1)
			put_field(o, id, row);
}

void json_row(struct out *o, const struct input_row *row)
{
	uint64_t left = row->ev.known & ~(1ull << ET_F_KIND);
	uint64_t kind = row->ev.v[ET_F_KIND].u;
	uint64_t duration = derive_duration(&row->ev);

	/* Of an exec it is ts once more. */
	if (kind == ET_EXEC)
		left &= ~(1ull << ET_F_EXEC_TS);
	put_named(o, "{", et_fields[ET_F_KIND].name,
		  kind < ET_KIND_END ? et_kind_name((unsigned)kind) : NULL, kind);
	json_time(o, ",", "time", row->wall);
	for (size_t i = 0; i < sizeof(first_ids); i++) {
		if (left >> first_ids[i] & 1)
			put_field(o, first_ids[i], row);
		left &= ~(1ull << first_ids[i]);
	}
	while (left || duration != ET_NONE) {
		unsigned id = left ? (unsigned)__builtin_ctzll(left) : ET_FIELD_END;

		/* How long it lived stands before what it used. */
		if (id >= ET_F_UTIME && duration != ET_NONE) {
			json_uint(o, ",", "duration", duration);
			duration = ET_NONE;
		} else {
			put_field(o, id, row);
			left &= left - 1;
		}
	}
	for (unsigned i = 0; i < row->source->n_extra; i++) {
		const struct et_column *c = &row->source->extra[i];

		if (kind < 16 && (c->kinds >> kind & 1))
			put_extra(o, c, row->chunk, row->row);
	}
	out_bytes(o, "}\n", 2);
}
