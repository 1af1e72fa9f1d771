/* SPDX-License-Identifier: BSD-2-Clause */
#include "match.h"

#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "glob.h"
#include "value.h"

static const char *name_of(unsigned field)
{
	return field == MATCH_CONTAINER  ? "container"
	       : field == MATCH_DURATION ? "duration"
					 : et_fields[field].name;
}

static unsigned unit_of(unsigned field)
{
	return field < ET_FIELD_END      ? et_fields[field].unit
	       : field == MATCH_DURATION ? ET_NS
					 : ET_PLAIN;
}

/* Whether it is matched by patterns, and not by numbers. */
static bool is_text(unsigned field)
{
	return field == MATCH_CONTAINER || unit_of(field) == ET_CGROUP_ID ||
	       (field < ET_FIELD_END &&
		(et_fields[field].type == ET_STR || et_fields[field].type == ET_LIST));
}

/* ---- Parsing ---------------------------------------------------------------------- */

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

static int add_range(struct match *m, uint64_t low, uint64_t high, struct reason *why)
{
	struct match_range *more = reallocarray(m->ranges, m->n_ranges + 1, sizeof(*more));

	if (!more)
		return no_memory(why);
	m->ranges = more;
	more[m->n_ranges++] = (struct match_range){ low, high };
	return 0;
}

static int add_text(struct match *m, const char *s, size_t len, struct reason *why)
{
	char **more = reallocarray(m->texts, m->n_texts + 1, sizeof(*more));

	if (!more)
		return no_memory(why);
	m->texts = more;
	more[m->n_texts] = strndup(s, len);
	if (!more[m->n_texts])
		return no_memory(why);
	m->n_texts++;
	return 0;
}

static bool same(const char *name, const char *s, size_t len)
{
	return name && strlen(name) == len && !memcmp(name, s, len);
}

/* A number, LOW..HIGH, LOW.. or ..HIGH; or the name of a user or a group. */
static int add_number(struct match *m, const char *s, size_t len, struct reason *why)
{
	unsigned unit = unit_of(m->field);
	const char *dots = len ? memmem(s, len, "..", 2) : NULL;
	uint64_t low = 0, high = VALUE_MAX;
	size_t before = dots ? (size_t)(dots - s) : len;
	bool ok;

	if ((unit == ET_UID || unit == ET_GID) && len && strspn(s, "0123456789.") < len)
		return add_text(m, s, len, why);
	if (dots) {
		ok = (!before || value_parse(unit, s, before, &low)) &&
		     (before + 2 == len ||
		      value_parse(unit, dots + 2, len - before - 2, &high)) &&
		     len > 2 && low <= high;
	} else {
		ok = value_parse(unit, s, len, &low);
		high = low;
	}
	if (!ok || (unit == ET_FLAG && dots))
		return reason_set(why, EXIT_USAGE, "--match %s: '%.*s' is not %s",
				  name_of(m->field), (int)len, s, value_wanted(unit));
	if (unit == ET_FLAG) {
		high = low ? VALUE_MAX : 0;
		low = low != 0;
	}
	return add_range(m, low, high, why);
}

/* Up to a comma; in patterns one behind a backslash is a comma. */
static size_t part_length(const char *s, bool text)
{
	size_t n = 0;

	for (; s[n] && s[n] != ','; n++)
		if (text && s[n] == '\\' && s[n + 1])
			n++;
	return n;
}

static bool find_field(struct match *m, const char *name, size_t len)
{
	for (unsigned f = 1; f <= MATCH_DURATION; f++) {
		if (same(name_of(f), name, len)) {
			m->field = f;
			return true;
		}
	}
	return false;
}

int match_parse(struct match *m, const char *text, struct reason *why)
{
	size_t len = strcspn(text, "=");
	const char *at = text + len;

	*m = (struct match){ 0 };
	if (!find_field(m, text, len))
		return reason_set(why, EXIT_USAGE,
				  "--match: '%.*s' is no field of an event (exectrace replay "
				  "--columns help lists them)",
				  (int)len, text);
	if (!*at && unit_of(m->field) == ET_FLAG)
		return add_range(m, 1, VALUE_MAX, why);
	if (!*at)
		return reason_set(why, EXIT_USAGE, "--match %s: what should it be? %s=VALUE",
				  text, text);
	do {
		bool is_pattern = is_text(m->field);
		int r;

		at++;
		len = part_length(at, is_pattern);
		r = is_pattern ? add_text(m, at, len, why) : add_number(m, at, len, why);
		if (r)
			return r;
		at += len;
	} while (*at);
	return 0;
}

void match_free(struct match *m)
{
	for (size_t i = 0; i < m->n_texts; i++)
		free(m->texts[i]);
	free(m->texts);
	free(m->ranges);
	*m = (struct match){ 0 };
}

/* ---- Binding ---------------------------------------------------------------------- */

void match_unbind(struct match_scope *s)
{
	free(s->ranges);
	*s = (struct match_scope){ 0 };
}

int match_bind(struct match_scope *s, const struct match *m, const struct et_context *names)
{
	struct match_range *ranges;
	uint64_t id;

	s->match = m;
	s->names = names;
	s->n_ranges = 0;
	if (is_text(m->field))
		return 0;
	ranges = reallocarray(s->ranges, m->n_ranges + m->n_texts, sizeof(*ranges));
	if (!ranges)
		return -1;
	s->ranges = ranges;
	for (size_t i = 0; i < m->n_ranges; i++)
		ranges[s->n_ranges++] = m->ranges[i];
	for (size_t i = 0; i < m->n_texts; i++)
		if (unit_of(m->field) == ET_UID
			    ? et_context_find_user(names, m->texts[i], &id)
			    : et_context_find_group(names, m->texts[i], &id))
			ranges[s->n_ranges++] = (struct match_range){ id, id };
	return 0;
}

/* ---- Matching --------------------------------------------------------------------- */

bool match_asks_lost(const struct match *m)
{
	return m->field < ET_FIELD_END && et_fields[m->field].kinds & ET_KIND_BIT(ET_LOST);
}

static bool is_asked(const uint8_t *selected, const uint8_t *exempt, uint32_t row)
{
	return selected[row] && !(exempt && exempt[row]);
}

static bool in_ranges(const struct match_scope *s, uint64_t v)
{
	for (size_t i = 0; i < s->n_ranges; i++)
		if (v >= s->ranges[i].low && v <= s->ranges[i].high)
			return true;
	return false;
}

static bool stat_allows(const struct match_scope *s, const struct et_stat *st)
{
	for (unsigned i = 0; i < st->n; i++)
		if (in_ranges(s, st->set[i]))
			return true;
	for (size_t i = 0; !st->n && i < s->n_ranges; i++)
		if (s->ranges[i].low <= st->max && s->ranges[i].high >= st->min)
			return true;
	return false;
}

/* Whether a text without what a pattern is made of stands for itself. */
static bool is_plain(const char *text)
{
	return !text[strcspn(text, "*?[\\")];
}

bool match_may(const struct match_scope *s, const struct et_record *rec)
{
	const struct match *m = s->match;
	bool may = m->field != ET_F_COMM;

	for (size_t i = 0; !may && i < m->n_texts; i++)
		may = !is_plain(m->texts[i]) ||
		      et_record_has_comm(rec, m->texts[i], strlen(m->texts[i]));
	for (unsigned i = 0; may && i < rec->n_stats && !is_text(m->field); i++)
		may = rec->stats[i].column != m->field || stat_allows(s, &rec->stats[i]);
	return may;
}

/* Fields whose patterns, without a /, are of the last part of the path. */
static bool is_path(unsigned field)
{
	return field == ET_F_EXE || field == ET_F_FILENAME || field == ET_F_INTERPRETER;
}

/* The first digits of an id, as engines show them. */
static bool is_short_id(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return n >= 12 && !text[n];
}

static bool text_matches(const struct match *m, const char *text, const char *p, size_t len)
{
	const char *equals;

	if (is_path(m->field))
		return glob_match_path(text, p, len);
	/* A name alone is that of a variable, whatever its value is. */
	if (m->field == ET_F_ENV && !strchr(text, '=')) {
		equals = len ? memchr(p, '=', len) : NULL;
		return glob_match(text, p, equals ? (size_t)(equals - p) : len);
	}
	if (m->field == MATCH_CONTAINER && is_short_id(text) && len > strlen(text))
		len = strlen(text);
	return glob_match(text, p, len);
}

static bool texts_match(const struct match *m, const char *p, size_t len)
{
	for (size_t i = 0; i < m->n_texts; i++)
		if (text_matches(m, m->texts[i], p, len))
			return true;
	return false;
}

enum verdict { UNSEEN, NO, YES };

static bool string_matches(const struct match *m, const struct et_chunk *chunk, uint32_t id,
			   uint8_t *verdicts)
{
	if (verdicts[id] == UNSEEN) {
		struct et_str s = et_chunk_str(chunk, id);

		verdicts[id] = texts_match(m, s.ptr, s.len) ? YES : NO;
	}
	return verdicts[id] == YES;
}

static bool cgroup_matches(const struct match_scope *s, uint64_t id)
{
	const char *path = et_context_cgroup(s->names, id);
	char container[CONTAINER_MAX];
	size_t len;

	if (!path)
		return false;
	if (s->match->field != MATCH_CONTAINER)
		return texts_match(s->match, path, strlen(path));
	len = container_find(path, strlen(path), container);
	return len && texts_match(s->match, container, len);
}

static int select_cgroups(const struct match_scope *s, struct et_chunk *chunk,
			  const uint8_t *exempt, uint8_t *selected, struct et_error *err)
{
	uint32_t rows = et_chunk_rows(chunk);
	uint64_t last = ET_NONE;
	const uint64_t *ids;
	bool yes = false;
	int r = et_chunk_uints(chunk, ET_F_CGROUP, &ids, err);

	/* Rows that lie together are mostly of one cgroup. */
	for (uint32_t i = 0; !r && i < rows; i++) {
		if (!is_asked(selected, exempt, i))
			continue;
		if (ids[i] != last)
			yes = ids[i] != ET_NONE && cgroup_matches(s, ids[i]);
		last = ids[i];
		selected[i] = yes;
	}
	return r;
}

static int select_numbers(const struct match_scope *s, struct et_chunk *chunk,
			  const uint8_t *exempt, uint8_t *selected, struct et_error *err)
{
	uint32_t rows = et_chunk_rows(chunk);
	const uint64_t *column;
	int r = et_chunk_uints(chunk, s->match->field, &column, err);

	for (uint32_t i = 0; !r && i < rows; i++)
		if (is_asked(selected, exempt, i))
			selected[i] = column[i] != ET_NONE && in_ranges(s, column[i]);
	return r;
}

/* As derive_duration, over columns. */
static int select_durations(const struct match_scope *s, struct et_chunk *chunk,
			    const uint8_t *exempt, uint8_t *selected, struct et_error *err)
{
	const uint64_t *kind, *ts, *exec_ts, *start;
	uint32_t rows = et_chunk_rows(chunk);
	int r = et_chunk_uints(chunk, ET_F_KIND, &kind, err);

	if (!r)
		r = et_chunk_uints(chunk, ET_F_TS, &ts, err);
	if (!r)
		r = et_chunk_uints(chunk, ET_F_EXEC_TS, &exec_ts, err);
	if (!r)
		r = et_chunk_uints(chunk, ET_F_START, &start, err);
	for (uint32_t i = 0; !r && i < rows; i++) {
		uint64_t since = exec_ts[i] != ET_NONE ? exec_ts[i] : start[i];

		if (is_asked(selected, exempt, i))
			selected[i] = kind[i] == ET_EXIT && since != ET_NONE &&
				      since <= ts[i] && in_ranges(s, ts[i] - since);
	}
	return r;
}

static int select_strings(const struct match *m, struct et_chunk *chunk, const uint8_t *exempt,
			  uint8_t *selected, uint8_t *verdicts, struct et_error *err)
{
	uint32_t rows = et_chunk_rows(chunk);
	const uint32_t *ids;
	int r = et_chunk_ids(chunk, m->field, &ids, err);

	for (uint32_t i = 0; !r && i < rows; i++)
		if (is_asked(selected, exempt, i))
			selected[i] = ids[i] && string_matches(m, chunk, ids[i], verdicts);
	return r;
}

static int select_lists(const struct match *m, struct et_chunk *chunk, const uint8_t *exempt,
			uint8_t *selected, uint8_t *verdicts, struct et_error *err)
{
	uint32_t rows = et_chunk_rows(chunk);
	const struct et_span *spans;
	const uint32_t *ids;
	int r = et_chunk_lists(chunk, m->field, &spans, &ids, err);

	for (uint32_t i = 0; !r && i < rows; i++) {
		uint32_t n = spans[i].n == UINT32_MAX ? 0 : spans[i].n;
		bool found = false;

		if (!is_asked(selected, exempt, i))
			continue;
		for (uint32_t k = 0; k < n && !found; k++)
			found = string_matches(m, chunk, ids[spans[i].first + k], verdicts);
		selected[i] = found;
	}
	return r;
}

int match_select(const struct match_scope *s, struct et_chunk *chunk, const uint8_t *exempt,
		 uint8_t *selected, uint8_t *verdicts, struct et_error *err)
{
	const struct match *m = s->match;

	if (m->field == MATCH_DURATION)
		return select_durations(s, chunk, exempt, selected, err);
	if (m->field == MATCH_CONTAINER || unit_of(m->field) == ET_CGROUP_ID)
		return select_cgroups(s, chunk, exempt, selected, err);
	if (et_fields[m->field].type == ET_LIST)
		return select_lists(m, chunk, exempt, selected, verdicts, err);
	if (et_fields[m->field].type == ET_STR)
		return select_strings(m, chunk, exempt, selected, verdicts, err);
	return select_numbers(s, chunk, exempt, selected, err);
}
