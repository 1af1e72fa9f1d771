/* SPDX-License-Identifier: BSD-2-Clause */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "civil.h"
#include "codes.h"
#include "container.h"
#include "derive.h"
#include "event.h"
#include "keyvalue.h"
#include "print.h"
#include "times.h"

#define OF(field) (1ull << (field))
#define RESULT                                                                            \
	(OF(ET_F_KIND) | OF(ET_F_ERRNO) | OF(ET_F_EXIT_CODE) | OF(ET_F_SIGNAL) | OF(ET_F_CORE))
#define COMMAND                                                                           \
	(OF(ET_F_KIND) | OF(ET_F_COMM) | OF(ET_F_FILENAME) | OF(ET_F_INTERPRETER) |       \
	 OF(ET_F_EXE) | OF(ET_F_ARGV) | OF(ET_F_ARGC) | OF(ET_F_ARGV_BYTES) |             \
	 OF(ET_F_ARGV_TRUNCATED) | OF(ET_F_ARGV_UNREADABLE))

static const struct {
	const char *name, *help;
	uint64_t fields;  /* that it follows from */
	uint64_t told_by; /* whose values tell it apart */
	bool number;      /* key_number does */
	uint64_t unit;    /* ns that a time is cut down to */
} derived[KEY_END - ET_FIELD_END] = {
#define KEY(id) [(id) - ET_FIELD_END]
	KEY(KEY_TIME) = { "time", "when, by the wall clock", OF(ET_F_TS), 0, true, 0 },
	KEY(KEY_USER) = { "user", "name of uid, or its number", OF(ET_F_UID), OF(ET_F_UID), false, 0 },
	KEY(KEY_GROUP) = { "group", "name of gid, or its number", OF(ET_F_GID), OF(ET_F_GID), false, 0 },
	KEY(KEY_LOGIN_USER) = { "login_user", "name of login_uid, or its number",
				OF(ET_F_LOGIN_UID), OF(ET_F_LOGIN_UID), false, 0 },
	KEY(KEY_CONTAINER) = { "container", "id or name of the container, by the cgroup",
			       OF(ET_F_CGROUP), OF(ET_F_CGROUP), false, 0 },
	KEY(KEY_ERROR) = { "error", "name of errno", OF(ET_F_ERRNO), OF(ET_F_ERRNO), false, 0 },
	KEY(KEY_SIGNAL_NAME) = { "signal_name", "name of signal", OF(ET_F_SIGNAL), OF(ET_F_SIGNAL),
				 false, 0 },
	KEY(KEY_DURATION) = { "duration", "of an exit: time since the exec, or since it began",
			      OF(ET_F_KIND) | OF(ET_F_TS) | OF(ET_F_EXEC_TS) | OF(ET_F_START), 0,
			      true, 0 },
	KEY(KEY_RESULT) = { "result", "what became of it: exec, ENOENT, exit 0, SIGKILL", RESULT,
			    RESULT, false, 0 },
	KEY(KEY_COMMAND) = { "command", "the command line, or the process's name", COMMAND, COMMAND,
			     false, 0 },
	KEY(KEY_PROGRAM) = { "program", "last part of the path that was to be executed, or comm",
			     OF(ET_F_FILENAME) | OF(ET_F_EXE) | OF(ET_F_COMM),
			     OF(ET_F_FILENAME) | OF(ET_F_EXE) | OF(ET_F_COMM), false, 0 },
	KEY(KEY_SCRIPT) = { "script", "of an exec of a script: its path",
			    OF(ET_F_FILENAME) | OF(ET_F_INTERPRETER),
			    OF(ET_F_FILENAME) | OF(ET_F_INTERPRETER), false, 0 },
	KEY(KEY_PARENT) = { "parent", "the parent's name at that moment",
			    OF(ET_F_KIND) | OF(ET_F_COMM), 0, false, 0 },
	KEY(KEY_MINUTE) = { "minute", "the minute in which it happened", OF(ET_F_TS), 0, true,
			    60 * CIVIL_SECOND },
	KEY(KEY_HOUR) = { "hour", "the hour", OF(ET_F_TS), 0, true, 3600 * CIVIL_SECOND },
	KEY(KEY_DAY) = { "day", "the day", OF(ET_F_TS), 0, true, CIVIL_DAY },
#undef KEY
};

const char *key_name(unsigned id)
{
	return id < ET_FIELD_END ? et_fields[id].name : derived[id - ET_FIELD_END].name;
}

int keys_parse(struct keys *k, const char *list, struct reason *why)
{
	for (;; list++) {
		size_t len = strcspn(list, ",");
		unsigned id = 1;

		for (; id < KEY_END; id++)
			if (key_name(id) && strlen(key_name(id)) == len &&
			    !memcmp(key_name(id), list, len))
				break;
		if (id == KEY_END)
			return reason_set(why, EXIT_USAGE,
					  "--by: there is no field '%.*s' (--by help lists them)",
					  (int)len, list);
		if (keys_have(k, id))
			return reason_set(why, EXIT_USAGE, "--by: %s is there twice", key_name(id));
		if (k->n == KEYS_MAX)
			return reason_set(why, EXIT_USAGE, "--by: more than %u fields", KEYS_MAX);
		k->ids[k->n++] = (uint8_t)id;
		list += len;
		if (!*list)
			return 0;
	}
}

void keys_help(struct out *o)
{
	out_text(o, "Fields for --by: any that exectrace replay --columns help lists, and\n\n");
	for (unsigned id = KEY_PROGRAM; id < KEY_END; id++)
		out_printf(o, "  %-16s %s\n", key_name(id), derived[id - ET_FIELD_END].help);
}

bool keys_have(const struct keys *k, unsigned id)
{
	return memchr(k->ids, (int)id, k->n) != NULL;
}

uint64_t keys_fields(const struct keys *k)
{
	uint64_t fields = 0;

	for (unsigned i = 0; i < k->n; i++)
		fields |= k->ids[i] < ET_FIELD_END ? OF(k->ids[i])
						   : derived[k->ids[i] - ET_FIELD_END].fields;
	return fields;
}

uint64_t key_told_by(unsigned id, bool *number)
{
	*number = id >= ET_FIELD_END && derived[id - ET_FIELD_END].number;
	return id < ET_FIELD_END ? OF(id) : derived[id - ET_FIELD_END].told_by;
}

/* ---- Numbers ----------------------------------------------------------------------- */

static int32_t zone_of(const struct picked *p)
{
	return p->utc ? 0 : p->source->offset;
}

static uint64_t uint_of(const struct picked *p, unsigned id, uint32_t row)
{
	const uint64_t *values;

	return et_chunk_uints(p->chunk, id, &values, NULL) ? ET_NONE : values[row];
}

/* Towards the past also before 1970; the zone moves no time over an end of the range. */
static int64_t cut_down(int64_t wall, int32_t offset, int64_t unit)
{
	int64_t shift = (int64_t)offset * CIVIL_SECOND, local, rest;

	if (shift > 0 ? wall > INT64_MAX - shift : wall < INT64_MIN - shift)
		shift = 0;
	local = wall + shift;
	rest = local % unit;
	return local / unit - (rest < 0);
}

uint64_t key_number(unsigned id, const struct picked *p, uint32_t row)
{
	uint64_t ts = uint_of(p, ET_F_TS, row);
	struct et_event ev;

	if (id == KEY_DURATION) {
		event_pick(p->chunk, row, derived[id - ET_FIELD_END].fields, &ev);
		return derive_duration(&ev);
	}
	if (id == KEY_TIME)
		return (uint64_t)et_chunk_wall(p->chunk, ts);
	return (uint64_t)cut_down(et_chunk_wall(p->chunk, ts), zone_of(p),
				  (int64_t)derived[id - ET_FIELD_END].unit);
}

/* ---- Keys --------------------------------------------------------------------------- */

/*
 * A byte for the type. Behind it a number, its high bytes first, a text and a NUL, or how
 * many texts there are and each with a NUL: so the order of bytes is that of the values.
 */
static void put_unknown(struct out *o)
{
	out_char(o, KEY_UNKNOWN);
}

static void put_number(struct out *o, uint64_t u)
{
	out_char(o, KEY_NUMBER);
	for (int shift = 56; shift >= 0; shift -= 8)
		out_char(o, (char)(u >> shift & 0xff));
}

void key_put_text(struct out *o, const char *s, size_t n)
{
	out_char(o, KEY_TEXT);
	out_bytes(o, s, n);
	out_char(o, 0);
}

/* What print has to say of the event, which has no NUL. */
static void put_printed(struct out *o, void (*print)(struct out *o, const struct et_event *ev),
			const struct et_event *ev)
{
	out_char(o, KEY_TEXT);
	print(o, ev);
	out_char(o, 0);
}

static void put_named(struct out *o, const char *name, uint64_t number)
{
	char digits[24];

	if (name) {
		key_put_text(o, name, strlen(name));
		return;
	}
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	key_put_text(o, digits, strlen(digits));
}

/* The name of a kind or cause, which JSON gives as well. */
static void put_code(struct out *o, const char *name, uint64_t number)
{
	char unknown[32];

	snprintf(unknown, sizeof(unknown), "unknown_%llu", (unsigned long long)number);
	key_put_text(o, name ? name : unknown, strlen(name ? name : unknown));
}

static void put_uint(const struct picked *p, unsigned id, uint32_t row, struct out *o)
{
	uint64_t u = uint_of(p, id, row);
	const char *path;

	if (u == ET_NONE) {
		put_unknown(o);
		return;
	}
	switch (et_fields[id].unit) {
	case ET_KIND_ID:
		put_code(o, u < ET_KIND_END ? et_kind_name((unsigned)u) : NULL, u);
		break;
	case ET_CAUSE_ID:
		put_code(o, u < ET_CAUSE_END ? et_cause_name((unsigned)u) : NULL, u);
		break;
	case ET_CGROUP_ID:
		path = et_context_cgroup(p->source->names, u);
		if (path)
			key_put_text(o, path, strlen(path));
		else
			put_number(o, u);
		break;
	default:
		put_number(o, u);
	}
}

static void put_list(const struct picked *p, unsigned id, uint32_t row, struct out *o)
{
	const struct et_span *spans;
	const uint32_t *ids;

	if (et_chunk_lists(p->chunk, id, &spans, &ids, NULL) || spans[row].n == UINT32_MAX) {
		put_unknown(o);
		return;
	}
	ids += spans[row].first;
	out_char(o, KEY_LIST);
	for (int shift = 24; shift >= 0; shift -= 8)
		out_char(o, (char)(spans[row].n >> shift & 0xff));
	for (uint32_t i = 0; i < spans[row].n; i++) {
		struct et_str item = et_chunk_str(p->chunk, ids[i]);

		out_bytes(o, item.ptr, item.len);
		out_char(o, 0);
	}
}

static void put_field(const struct picked *p, unsigned id, uint32_t row, struct out *o)
{
	const uint32_t *ids;
	struct et_str s;

	if (et_fields[id].type == ET_LIST) {
		put_list(p, id, row, o);
	} else if (et_fields[id].type != ET_STR) {
		put_uint(p, id, row, o);
	} else if (et_chunk_ids(p->chunk, id, &ids, NULL) || !ids[row]) {
		put_unknown(o);
	} else {
		s = et_chunk_str(p->chunk, ids[row]);
		key_put_text(o, s.ptr, s.len);
	}
}

static void put_user(const struct picked *p, unsigned field, uint32_t row, struct out *o)
{
	const struct et_context *names = p->source->names;
	uint64_t u = uint_of(p, field, row);

	if (u == ET_NONE)
		put_unknown(o);
	else
		put_named(o,
			  field == ET_F_GID ? et_context_group(names, u)
					    : et_context_user(names, u),
			  u);
}

static void put_code_name(const struct picked *p, unsigned field, uint32_t row, struct out *o)
{
	uint64_t u = uint_of(p, field, row);
	const char *name = field == ET_F_ERRNO ? errno_name(u) : signal_name(u);

	if (name)
		key_put_text(o, name, strlen(name));
	else
		put_unknown(o);
}

static void put_container(const struct picked *p, uint32_t row, struct out *o)
{
	uint64_t u = uint_of(p, ET_F_CGROUP, row);
	const char *path = u == ET_NONE ? NULL : et_context_cgroup(p->source->names, u);
	char id[CONTAINER_MAX];
	size_t n = path ? container_find(path, strlen(path), id) : 0;

	if (n)
		key_put_text(o, id, n);
	else
		put_unknown(o);
}

/* The name under which something was called: scripts and links by their own. */
static void put_program(const struct et_event *ev, struct out *o)
{
	static const enum et_field_id ids[] = { ET_F_FILENAME, ET_F_EXE, ET_F_COMM };
	struct et_str s = { NULL, 0 };
	const char *slash;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (!ET_HAS(ev, ids[i]) || !ev->v[ids[i]].s.len)
			continue;
		s = ev->v[ids[i]].s;
		/* An exec of a descriptor (/dev/fd/3) says nothing by its name. */
		if (ids[i] == ET_F_FILENAME && s.len > 8 && !memcmp(s.ptr, "/dev/fd/", 8))
			continue;
		break;
	}
	if (!s.len) {
		put_unknown(o);
		return;
	}
	slash = memrchr(s.ptr, '/', s.len);
	if (slash && slash + 1 < s.ptr + s.len) {
		s.len -= (uint32_t)(slash + 1 - s.ptr);
		s.ptr = slash + 1;
	}
	key_put_text(o, s.ptr, s.len);
}

/* 2026-11-20T09:05:00+01:00, and of a day the date alone. */
static void put_moment(const struct picked *p, unsigned id, uint32_t row, struct out *o)
{
	int64_t wall = et_chunk_wall(p->chunk, uint_of(p, ET_F_TS, row));
	int32_t offset = zone_of(p);
	struct civil c = civil_split(wall, offset);
	unsigned minutes = (unsigned)(c.ns / (60 * (uint64_t)CIVIL_SECOND));
	unsigned east = (unsigned)(offset < 0 ? -offset : offset) / 60;

	out_char(o, KEY_TEXT);
	if (id == KEY_TIME)
		times_rfc3339(o, wall);
	else
		times_date(o, wall, offset);
	if (id == KEY_MINUTE || id == KEY_HOUR) {
		out_printf(o, "T%02u:%02u:00", minutes / 60, id == KEY_HOUR ? 0 : minutes % 60);
		if (offset)
			out_printf(o, "%c%02u:%02u", offset < 0 ? '-' : '+', east / 60, east % 60);
		else
			out_char(o, 'Z');
	}
	out_char(o, 0);
}

static void put_derived(unsigned id, const struct picked *p, uint32_t row, struct out *o)
{
	uint64_t number, fields = derived[id - ET_FIELD_END].fields;
	struct et_event ev;

	switch (id) {
	case KEY_USER:
		put_user(p, ET_F_UID, row, o);
		break;
	case KEY_GROUP:
		put_user(p, ET_F_GID, row, o);
		break;
	case KEY_LOGIN_USER:
		put_user(p, ET_F_LOGIN_UID, row, o);
		break;
	case KEY_CONTAINER:
		put_container(p, row, o);
		break;
	case KEY_ERROR:
		put_code_name(p, ET_F_ERRNO, row, o);
		break;
	case KEY_SIGNAL_NAME:
		put_code_name(p, ET_F_SIGNAL, row, o);
		break;
	case KEY_DURATION:
		number = key_number(id, p, row);
		if (number == ET_NONE)
			put_unknown(o);
		else
			put_number(o, number);
		break;
	case KEY_RESULT:
		event_pick(p->chunk, row, fields, &ev);
		put_printed(o, print_result, &ev);
		break;
	case KEY_COMMAND:
		if (uint_of(p, ET_F_KIND, row) == ET_LOST || et_chunk_event(p->chunk, row, &ev, NULL))
			put_unknown(o);
		else
			put_printed(o, print_command, &ev);
		break;
	case KEY_PROGRAM:
		event_pick(p->chunk, row, fields, &ev);
		put_program(&ev, o);
		break;
	case KEY_SCRIPT:
		event_pick(p->chunk, row, fields, &ev);
		if (ET_HAS(&ev, ET_F_INTERPRETER))
			put_field(p, ET_F_FILENAME, row, o);
		else
			put_unknown(o);
		break;
	case KEY_PARENT:
		if (p->parent.ptr)
			key_put_text(o, p->parent.ptr, p->parent.len);
		else
			put_unknown(o);
		break;
	default:
		put_moment(p, id, row, o);
	}
}

void keys_put(const struct keys *k, const struct picked *p, uint32_t row, struct out *o)
{
	for (unsigned i = 0; i < k->n; i++) {
		if (k->ids[i] < ET_FIELD_END)
			put_field(p, k->ids[i], row, o);
		else
			put_derived(k->ids[i], p, row, o);
	}
}
