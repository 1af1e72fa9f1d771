/* SPDX-License-Identifier: BSD-2-Clause */
#include "keyvalue.h"

#include <string.h>

#include "codes.h"
#include "csv.h"
#include "escape.h"
#include "keys.h"
#include "print.h"
#include "times.h"

static uint64_t take_number(struct et_str *key, unsigned bytes)
{
	uint64_t u = 0;

	for (unsigned i = 0; i < bytes; i++)
		u = u << 8 | (uint8_t)key->ptr[i];
	key->ptr += bytes;
	key->len -= bytes;
	return u;
}

static struct et_str take_text(struct et_str *key)
{
	struct et_str s = { key->ptr, (uint32_t)strlen(key->ptr) };

	key->ptr += s.len + 1;
	key->len -= s.len + 1;
	return s;
}

struct key_value key_next(struct et_str *key)
{
	struct key_value v = { .type = (enum key_type)*key->ptr };

	key->ptr++;
	key->len--;
	switch (v.type) {
	case KEY_NUMBER:
		v.number = take_number(key, 8);
		break;
	case KEY_TEXT:
		v.text = take_text(key);
		break;
	case KEY_LIST:
		v.list.n = (uint32_t)take_number(key, 4);
		v.list.ptr = key->ptr;
		for (uint32_t i = 0; i < v.list.n; i++)
			v.list.len += take_text(key).len + 1;
		break;
	case KEY_UNKNOWN:
		break;
	}
	return v;
}

/* NULL: it has none. */
static const char *code_name(unsigned unit, uint64_t u)
{
	return unit == ET_ERRNO_ID ? errno_name(u) : unit == ET_SIGNAL_ID ? signal_name(u) : NULL;
}

static void number_text(struct out *o, unsigned id, uint64_t u)
{
	unsigned unit = id < ET_FIELD_END ? et_fields[id].unit : ET_NS;
	const char *name = code_name(unit, u);

	if (unit == ET_NS)
		times_duration(o, u);
	else if (unit == ET_FLAG)
		out_text(o, u ? "yes" : "no");
	else if (unit == ET_DEV)
		out_device(o, u);
	else if (name)
		out_text(o, name);
	else
		out_uint(o, u);
}

void key_text(struct out *o, unsigned id, const struct key_value *v)
{
	struct et_str item;
	uint32_t at = 0;

	switch (v->type) {
	case KEY_NUMBER:
		number_text(o, id, v->number);
		break;
	case KEY_TEXT:
		/* These are quoted where they have to be. */
		if (id == KEY_COMMAND || id == KEY_RESULT)
			out_bytes(o, v->text.ptr, v->text.len);
		else
			escape_word(o, v->text.ptr, v->text.len, false);
		break;
	case KEY_LIST:
		for (bool first = true; et_list_next(&v->list, &at, &item); first = false) {
			if (!first)
				out_char(o, ' ');
			escape_word(o, item.ptr, item.len, false);
		}
		break;
	case KEY_UNKNOWN:
		out_char(o, '-');
	}
}

static void number_json(struct out *o, const char *before, unsigned id, uint64_t u)
{
	unsigned unit = id < ET_FIELD_END ? et_fields[id].unit : ET_NS;
	const char *name = key_name(id), *text;

	switch (unit) {
	case ET_FLAG:
		out_printf(o, "%s\"%s\":%s", before, name, u ? "true" : "false");
		return;
	case ET_DEV:
		out_printf(o, "%s\"%s\":\"", before, name);
		out_device(o, u);
		out_char(o, '"');
		return;
	case ET_CGROUP_ID:
		json_uint(o, before, "cgroup_id", u);
		return;
	}
	json_uint(o, before, name, u);
	text = code_name(unit, u);
	if (text)
		json_text(o, ",", unit == ET_ERRNO_ID ? "error" : "signal_name", text,
			  strlen(text));
}

void key_json(struct out *o, const char **before, unsigned id, const struct key_value *v)
{
	switch (v->type) {
	case KEY_NUMBER:
		number_json(o, *before, id, v->number);
		break;
	case KEY_TEXT:
		json_text(o, *before, key_name(id), v->text.ptr, v->text.len);
		break;
	case KEY_LIST:
		json_list_field(o, *before, key_name(id), &v->list);
		break;
	case KEY_UNKNOWN:
		return;
	}
	*before = ",";
}

/* ---- CSV ----------------------------------------------------------------------------- */

static void number_csv(struct out *o, unsigned id, uint64_t u)
{
	unsigned unit = id < ET_FIELD_END ? et_fields[id].unit : ET_NS;

	if (unit == ET_FLAG)
		out_text(o, u ? "true" : "false");
	else if (unit == ET_DEV)
		out_device(o, u);
	else
		out_uint(o, u);
}

void key_csv(struct out *o, unsigned id, const struct key_value *v)
{
	size_t begin = o->len;

	switch (v->type) {
	case KEY_NUMBER:
		number_csv(o, id, v->number);
		break;
	case KEY_TEXT:
		csv_text(o, v->text.ptr, v->text.len);
		break;
	case KEY_LIST:
		json_list(o, &v->list);
		csv_quote(o, begin);
		break;
	case KEY_UNKNOWN:
		break;
	}
}
