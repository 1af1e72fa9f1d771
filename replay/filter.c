/* SPDX-License-Identifier: BSD-2-Clause */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "glob.h"

static const struct number_test {
	const char *option;
	uint8_t column;
	enum { NO_NAMES, USERS, GROUPS } names;
} number_tests[FILTER_NUMBERS] = {
	[FILTER_UID] = { "uid", ET_F_UID, USERS },
	[FILTER_GID] = { "gid", ET_F_GID, GROUPS },
	[FILTER_PID] = { "pid", ET_F_PID, NO_NAMES },
	[FILTER_PPID] = { "ppid", ET_F_PPID, NO_NAMES },
	[FILTER_EXIT_CODE] = { "exit-code", ET_F_EXIT_CODE, NO_NAMES },
};

_Static_assert(sizeof(((struct reason *)0)->line) == EXPR_LINE, "its lines fit");

/* ---- Building ----------------------------------------------------------------- */

static void free_strings(char **s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i]);
	free(s);
}

void filter_free(struct filter *f)
{
	for (int i = 0; i < FILTER_NUMBERS; i++) {
		free(f->numbers[i].values);
		free_strings(f->numbers[i].names, f->numbers[i].n_names);
	}
	for (int i = 0; i < FILTER_GLOBS; i++)
		free_strings(f->globs[i].globs, f->globs[i].n);
	for (size_t i = 0; i < f->n_matches; i++)
		match_free(&f->matches[i]);
	free(f->matches);
	for (size_t i = 0; i < f->n_where; i++)
		expr_free(f->where[i]);
	free(f->where);
	*f = (struct filter){ 0 };
}

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

static int add_string(char ***list, size_t *n, const char *s, size_t len)
{
	char **more = reallocarray(*list, *n + 1, sizeof(*more));

	if (!more)
		return -1;
	*list = more;
	more[*n] = strndup(s, len);
	if (!more[*n])
		return -1;
	++*n;
	return 0;
}

static int add_value(struct filter_terms *t, uint64_t value)
{
	uint64_t *more = reallocarray(t->values, t->n_values + 1, sizeof(*more));

	if (!more)
		return -1;
	t->values = more;
	more[t->n_values++] = value;
	return 0;
}

/* Splits a comma list; false at its end. An empty part has *len 0. */
static bool next_part(const char **at, const char **part, size_t *len)
{
	if (!*at)
		return false;
	*part = *at;
	*len = strcspn(*at, ",");
	*at = (*at)[*len] ? *at + *len + 1 : NULL;
	return true;
}

/* Decimal digits alone, up to 2^32 - 1: ids and exit codes have no more. */
static bool parse_u32(const char *s, size_t len, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(s[i] - '0');
		if (*out > UINT32_MAX)
			return false;
	}
	return len > 0;
}

int filter_add_numbers(struct filter *f, enum filter_number which, const char *list,
		       struct reason *why)
{
	const struct number_test *test = &number_tests[which];
	struct filter_terms *t = &f->numbers[which];
	const char *part;
	size_t len;

	while (next_part(&list, &part, &len)) {
		uint64_t value;
		int r;

		if (parse_u32(part, len, &value))
			r = add_value(t, value);
		else if (test->names != NO_NAMES && len && strspn(part, "0123456789") < len)
			r = add_string(&t->names, &t->n_names, part, len);
		else
			return reason_set(why, EXIT_USAGE, "--%s: '%.*s' is not a %s",
					  test->option, (int)len, part,
					  test->names == USERS    ? "user's number or name"
					  : test->names == GROUPS ? "group's number or name"
								  : "number");
		if (r)
			return no_memory(why);
	}
	return 0;
}

int filter_add_glob(struct filter *f, enum filter_glob which, const char *glob,
		    struct reason *why)
{
	struct filter_patterns *p = &f->globs[which];

	return add_string(&p->globs, &p->n, glob, strlen(glob)) ? no_memory(why) : 0;
}

int filter_add_match(struct filter *f, const char *text, struct reason *why)
{
	struct match *more = reallocarray(f->matches, f->n_matches + 1, sizeof(*more));

	if (!more)
		return no_memory(why);
	f->matches = more;
	return match_parse(&more[f->n_matches++], text, why);
}

int filter_add_where(struct filter *f, const char *text, struct reason *why)
{
	static const struct expr_options opt = { .names = EXPR_USERS | EXPR_CGROUPS |
						       EXPR_CLOCK };
	struct expr **more = reallocarray(f->where, f->n_where + 1, sizeof(struct expr *));
	struct expr_error err;

	if (!more)
		return no_memory(why);
	f->where = more;
	if (!expr_parse(text, &opt, &more[f->n_where], &err)) {
		if (!expr_is_futile(more[f->n_where++]))
			return 0;
		return reason_set(why, EXIT_USAGE,
				  "--where: no event can match: no kind of event has all that "
				  "'%s' asks for (--columns help lists which has what)", text);
	}
	reason_set(why, EXIT_USAGE, "--where: %s", err.text);
	expr_point(text, &err, why->line, why->caret);
	return -1;
}

int filter_add_kinds(struct filter *f, const char *list, struct reason *why)
{
	const char *part;
	size_t len;

	while (next_part(&list, &part, &len)) {
		char name[16];
		unsigned kind = 0;

		if (len < sizeof(name)) {
			memcpy(name, part, len);
			name[len] = 0;
			kind = et_kind_parse(name);
		}
		if (!kind)
			return reason_set(
				why, EXIT_USAGE,
				"--kind: '%.*s' is not one of exec, fail, fork, exit, "
				"proc, lost",
				(int)len, part);
		f->kinds |= ET_KIND_BIT(kind);
	}
	return 0;
}

/* ---- Binding ------------------------------------------------------------------- */

void scope_free(struct filter_scope *s)
{
	for (int i = 0; i < FILTER_NUMBERS; i++)
		free(s->values[i]);
	for (size_t i = 0; i < s->n_matches; i++)
		match_unbind(&s->matches[i]);
	free(s->matches);
	*s = (struct filter_scope){ 0 };
}

void scratch_free(struct filter_scratch *w)
{
	free(w->verdicts);
	where_free(&w->where);
	*w = (struct filter_scratch){ 0 };
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int scope_bind(struct filter_scope *s, const struct filter *f, const struct et_context *names)
{
	s->filter = f;
	s->where.names = names;
	for (int i = 0; i < FILTER_NUMBERS; i++) {
		const struct filter_terms *t = &f->numbers[i];
		uint64_t *values, id;
		size_t n = 0;

		if (!t->n_values && !t->n_names)
			continue;
		values = reallocarray(s->values[i], t->n_values + t->n_names, sizeof(*values));
		if (!values)
			return -1;
		s->values[i] = values;
		for (; n < t->n_values; n++)
			values[n] = t->values[n];
		for (size_t k = 0; k < t->n_names; k++) {
			bool found = number_tests[i].names == USERS
					     ? et_context_find_user(names, t->names[k], &id)
					     : et_context_find_group(names, t->names[k], &id);
			if (found)
				values[n++] = id;
		}
		qsort(values, n, sizeof(*values), compare_u64);
		s->n_values[i] = n;
	}
	if (!s->matches && f->n_matches)
		s->matches = calloc(f->n_matches, sizeof(*s->matches));
	if (!s->matches && f->n_matches)
		return -1;
	s->n_matches = f->n_matches;
	for (size_t i = 0; i < f->n_matches; i++)
		if (match_bind(&s->matches[i], &f->matches[i], names))
			return -1;
	return 0;
}

void scope_bind_times(struct filter_scope *s, const struct filter *f, int64_t start,
		      int32_t offset)
{
	s->since = f->has_since ? moment_resolve(&f->since, start, offset) : INT64_MIN;
	s->until = f->has_until ? moment_resolve(&f->until, start, offset) : INT64_MAX;
	s->where.start = start;
	s->where.offset = offset;
}

/* ---- By the head ----------------------------------------------------------------- */

/* Kinds that can match; ~0 when the filter asks nothing of the kind. */
static uint32_t kinds_wanted(const struct filter *f)
{
	uint32_t lost = ET_KIND_BIT(ET_LOST), kinds = f->kinds ? f->kinds : ~0u;
	uint32_t named = f->kinds;

	if (f->outcomes)
		kinds &= f->outcomes | lost;
	for (size_t i = 0; i < f->n_where; i++) {
		kinds &= expr_kinds(f->where[i]) | lost;
		named |= expr_kinds_named(f->where[i]);
	}
	return kinds & ~(f->unasked & ~named);
}

/* The wall times between which all rows of the record lie, but for the ends of lost ones. */
static void wall_span(const struct et_record *rec, int64_t *lo, int64_t *hi)
{
	*lo = INT64_MAX;
	*hi = INT64_MIN;
	for (unsigned i = 0; i < rec->n_clocks && rec->clocks[i].ts <= rec->ts_max; i++) {
		bool last = i + 1 == rec->n_clocks || rec->clocks[i + 1].ts > rec->ts_max;
		uint64_t end = last ? rec->ts_max : rec->clocks[i + 1].ts - 1;
		int64_t first_wall = et_clock_wall(rec->clocks[i]);
		int64_t end_wall = et_clock_wall((struct et_clock){ end, rec->clocks[i].offset });

		*lo = first_wall < *lo ? first_wall : *lo;
		*hi = end_wall > *hi ? end_wall : *hi;
	}
}

static bool has_value(const uint64_t *values, size_t n, uint64_t v)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (values[mid] < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && values[lo] == v;
}

/* Whether the statistics of a column leave room for one of the values. */
static bool stat_allows(const struct et_stat *st, const uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (st->n ? has_value(st->set, st->n, values[i])
			  : values[i] >= st->min && values[i] <= st->max)
			return true;
	}
	return false;
}

static bool has_terms(const struct filter_terms *t)
{
	return t->n_values || t->n_names;
}

/* Whether one of the names that are looked for can be in the record. */
static bool comms_allow(const struct filter_patterns *p, const struct et_record *rec)
{
	for (size_t i = 0; i < p->n; i++) {
		const char *glob = p->globs[i];

		if (glob[strcspn(glob, "*?[\\")] || et_record_has_comm(rec, glob, strlen(glob)))
			return true;
	}
	return !p->n;
}

bool scope_may_match(const struct filter_scope *s, const struct et_record *rec)
{
	const struct filter *f = s->filter;
	uint32_t kinds = kinds_wanted(f);
	uint64_t rows = 0;

	if (!rec->rows)
		return false;
	if (f->has_since || f->has_until) {
		int64_t lo, hi;

		wall_span(rec, &lo, &hi);
		if (lo >= s->until || (hi < s->since && !rec->kinds[ET_LOST]))
			return false;
	}
	if (f->kinds || f->outcomes || f->unasked || f->n_where) {
		/* Kinds of a later version are not among the counts. */
		rows = rec->rows;
		for (unsigned k = 1; k < ET_KIND_END; k++)
			if (!(kinds & ET_KIND_BIT(k)))
				rows -= rec->kinds[k] < rows ? rec->kinds[k] : rows;
		if (!rows)
			return false;
	}
	if (rec->kinds[ET_LOST] && (kinds & ET_KIND_BIT(ET_LOST)))
		return true;
	if (!comms_allow(&f->globs[FILTER_COMM], rec))
		return false;
	for (unsigned i = 0; i < rec->n_stats; i++)
		for (int k = 0; k < FILTER_NUMBERS; k++)
			if (has_terms(&f->numbers[k]) &&
			    number_tests[k].column == rec->stats[i].column &&
			    !stat_allows(&rec->stats[i], s->values[k], s->n_values[k]))
				return false;
	for (size_t i = 0; i < f->n_matches; i++)
		if (!match_may(&s->matches[i], rec))
			return false;
	return true;
}

/* Whether all rows of the record are of these kinds, by its counts. */
static bool all_wanted(const struct et_record *rec, uint32_t kinds)
{
	uint64_t known = 0;

	for (unsigned k = 1; k < ET_KIND_END; k++) {
		if (rec->kinds[k] && !(kinds & ET_KIND_BIT(k)))
			return false;
		known += rec->kinds[k];
	}
	/* Kinds of a later version are not among the counts. */
	return known == rec->rows || kinds >> ET_KIND_END == ~0u >> ET_KIND_END;
}

bool scope_matches_all(const struct filter_scope *s, const struct et_record *rec)
{
	const struct filter *f = s->filter;
	uint32_t kinds = kinds_wanted(f);

	for (int i = 0; i < FILTER_NUMBERS; i++)
		if (has_terms(&f->numbers[i]))
			return false;
	for (int i = 0; i < FILTER_GLOBS; i++)
		if (f->globs[i].n)
			return false;
	if (f->n_matches || f->n_where)
		return false;
	if (!all_wanted(rec, kinds))
		return false;
	if (f->has_since || f->has_until) {
		int64_t lo, hi;

		wall_span(rec, &lo, &hi);
		if (lo < s->since || hi >= s->until)
			return false;
	}
	return true;
}

/* ---- By the columns ---------------------------------------------------------------- */

/* Loops that the compiler turns into vectors. */
#define SELECT_ONE(type)                                                                      \
	do {                                                                                  \
		const type *v = column->v, wanted = (type)(value + column->less);             \
		for (uint32_t i = 0; i < rows; i++)                                           \
			selected[i] &= (uint8_t)((v[i] == wanted) | exempt[i]);               \
	} while (0)

static void select_one(const struct et_stored *column, uint32_t rows, uint64_t value,
		       const uint8_t *exempt, uint8_t *selected)
{
	unsigned width = column->width;
	bool none = column->v ? width < 8 && (value + column->less) >> (8 * width) :
				column->value != value;

	for (uint32_t i = 0; none && i < rows; i++)
		selected[i] &= exempt[i];
	if (none || !column->v)
		return;
	if (width == 1)
		SELECT_ONE(uint8_t);
	else if (width == 2)
		SELECT_ONE(uint16_t);
	else if (width == 4)
		SELECT_ONE(uint32_t);
	else if (width == 8)
		SELECT_ONE(uint64_t);
}

static void select_numbers(const struct et_stored *column, uint32_t rows,
			   const uint64_t *values, size_t n, const uint8_t *exempt,
			   uint8_t *selected)
{
	if (n == 1) {
		select_one(column, rows, values[0], exempt, selected);
		return;
	}
	for (uint32_t i = 0; i < rows; i++)
		if (selected[i] && !exempt[i])
			selected[i] = has_value(values, n, et_stored_number(column, i));
}

enum verdict { UNSEEN, NO, YES };

static bool string_matches(struct filter_scratch *w, const struct et_chunk *chunk, uint32_t id,
			   const struct filter_patterns *p, bool path)
{
	uint8_t *memo = &w->verdicts[id];

	if (*memo == UNSEEN) {
		struct et_str str = et_chunk_str(chunk, id);

		*memo = NO;
		for (size_t i = 0; i < p->n && *memo == NO; i++)
			if (path ? glob_match_path(p->globs[i], str.ptr, str.len)
				 : glob_match(p->globs[i], str.ptr, str.len))
				*memo = YES;
	}
	return *memo == YES;
}

/* Forgets the verdicts of the test before, and makes room for this chunk's ids. */
static int verdicts_reset(struct filter_scratch *w, struct et_chunk *chunk, struct et_error *err)
{
	uint32_t n;
	int r = et_chunk_strings(chunk, &n, err);
	uint8_t *more;

	if (r)
		return r;
	if (w->verdicts_cap < (size_t)n + 1) {
		more = realloc(w->verdicts, (size_t)n + 1);
		if (!more) {
			*err = (struct et_error){ ET_NOMEM, 0, 0, "out of memory" };
			return ET_NOMEM;
		}
		w->verdicts = more;
		w->verdicts_cap = (size_t)n + 1;
	}
	memset(w->verdicts, UNSEEN, (size_t)n + 1);
	return ET_OK;
}

static int select_strings(const struct filter_scope *s, struct filter_scratch *w,
			  struct et_chunk *chunk, enum filter_glob which,
			  const uint8_t *exempt, uint8_t *selected, struct et_error *err)
{
	const struct filter_patterns *p = &s->filter->globs[which];
	uint32_t rows = et_chunk_rows(chunk);
	const uint32_t *ids, *others = NULL;
	bool path = which == FILTER_EXE;
	int r = verdicts_reset(w, chunk, err);

	if (!r)
		r = et_chunk_ids(chunk, path ? ET_F_EXE : ET_F_COMM, &ids, err);
	if (!r && path)
		r = et_chunk_ids(chunk, ET_F_FILENAME, &others, err);
	if (r)
		return r;
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t id = ids[i];

		if (!selected[i] || exempt[i])
			continue;
		if (!id && others)
			id = others[i];
		selected[i] = id && string_matches(w, chunk, id, p, path);
	}
	return ET_OK;
}

static int select_args(const struct filter_scope *s, struct filter_scratch *w,
		       struct et_chunk *chunk, const uint8_t *exempt, uint8_t *selected,
		       struct et_error *err)
{
	const struct filter_patterns *p = &s->filter->globs[FILTER_ARG];
	uint32_t rows = et_chunk_rows(chunk);
	const struct et_span *spans;
	const uint32_t *ids;
	int r = verdicts_reset(w, chunk, err);

	if (!r)
		r = et_chunk_lists(chunk, ET_F_ARGV, &spans, &ids, err);
	if (r)
		return r;
	for (uint32_t i = 0; i < rows; i++) {
		bool found = false;

		if (!selected[i] || exempt[i])
			continue;
		if (spans[i].n != UINT32_MAX)
			for (uint32_t k = 0; k < spans[i].n && !found; k++)
				found = string_matches(w, chunk, ids[spans[i].first + k], p,
						       false);
		selected[i] = found;
	}
	return ET_OK;
}

static int select_match(const struct filter_scope *s, struct filter_scratch *w,
			struct et_chunk *chunk, size_t i, const uint8_t *exempt,
			uint8_t *selected, struct et_error *err)
{
	const struct match_scope *m = &s->matches[i];
	bool all = match_asks_lost(m->match) && !s->filter->keeps_lost;
	int r = verdicts_reset(w, chunk, err);

	return r ? r : match_select(m, chunk, all ? NULL : exempt, selected, w->verdicts, err);
}

static int select_times(const struct filter_scope *s, const struct et_record *rec,
			struct et_chunk *chunk, uint8_t *selected, struct et_error *err)
{
	uint32_t rows = et_chunk_rows(chunk);
	const uint64_t *ts, *until = NULL;
	int64_t lo, hi;
	int r = et_chunk_uints(chunk, ET_F_TS, &ts, err);

	if (!r && rec->kinds[ET_LOST])
		r = et_chunk_uints(chunk, ET_F_UNTIL, &until, err);
	if (r)
		return r;
	wall_span(rec, &lo, &hi);
	if (lo >= s->since && hi < s->until)
		return ET_OK;
	for (uint32_t i = 0; i < rows; i++) {
		int64_t first = et_chunk_wall(chunk, ts[i]), last = first;

		if (until && until[i] != ET_NONE && until[i] > ts[i])
			last = et_chunk_wall(chunk, until[i]);
		selected[i] &= last >= s->since && first < s->until;
	}
	return ET_OK;
}

/* Starts from the kinds. exempt: lost events, to which no test of a process is put. */
static int select_kinds(const struct filter_scope *s, const struct et_record *rec,
			struct et_chunk *chunk, uint8_t *exempt, uint8_t *selected,
			struct et_error *err)
{
	uint32_t rows = et_chunk_rows(chunk), kinds = kinds_wanted(s->filter);
	struct et_stored column;
	int r;

	memset(exempt, 0, rows);
	memset(selected, 1, rows);
	if (all_wanted(rec, kinds) && !rec->kinds[ET_LOST])
		return ET_OK;
	r = et_chunk_stored(chunk, ET_F_KIND, &column, err);
	for (uint32_t i = 0; !r && i < rows; i++) {
		uint64_t k = et_stored_number(&column, i);

		selected[i] = (uint8_t)(kinds >> (k < 32 ? k : 31) & 1);
		exempt[i] = k == ET_LOST;
	}
	return r;
}

int scope_select(const struct filter_scope *s, struct filter_scratch *w,
		 const struct et_record *rec, struct et_chunk *chunk, uint8_t *selected,
		 struct et_error *err)
{
	const struct filter *f = s->filter;
	uint32_t rows = et_chunk_rows(chunk);
	uint8_t *exempt = malloc((size_t)rows + 1);
	int r;

	if (!exempt) {
		*err = (struct et_error){ ET_NOMEM, 0, 0, "out of memory" };
		return ET_NOMEM;
	}
	r = select_kinds(s, rec, chunk, exempt, selected, err);
	for (int i = 0; !r && i < FILTER_NUMBERS; i++) {
		struct et_stored column;

		if (!has_terms(&f->numbers[i]))
			continue;
		r = et_chunk_stored(chunk, number_tests[i].column, &column, err);
		if (!r)
			select_numbers(&column, rows, s->values[i], s->n_values[i], exempt,
				       selected);
	}
	if (!r && (f->has_since || f->has_until))
		r = select_times(s, rec, chunk, selected, err);
	for (int i = 0; !r && i < FILTER_GLOBS; i++) {
		if (!f->globs[i].n)
			continue;
		r = i == FILTER_ARG ? select_args(s, w, chunk, exempt, selected, err)
				    : select_strings(s, w, chunk, (enum filter_glob)i, exempt,
						     selected, err);
	}
	for (size_t i = 0; !r && i < f->n_matches; i++)
		r = select_match(s, w, chunk, i, exempt, selected, err);
	for (size_t i = 0; !r && i < f->n_where; i++)
		r = where_select(&s->where, &w->where, f->where[i], chunk, f->keeps_lost,
				 selected, err);
	free(exempt);
	return r;
}
