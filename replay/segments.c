/* SPDX-License-Identifier: BSD-2-Clause */
#include "segments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Nobody has so many recordings; it bounds what a capture can make this program keep. */
#define SEGMENTS_MAX (1u << 20)

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

void segments_note(struct segments *s, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	for (unsigned i = 0; i < s->n_strange; i++) {
		if (!strcmp(s->strange[i], text)) {
			free(text);
			return;
		}
	}
	if (s->n_strange < SEGMENTS_STRANGE)
		s->strange[s->n_strange++] = text;
	else
		free(text);
}

/* Columns that this version does not know, or knows otherwise. */
static void check_schema(struct segments *s, const struct source *source)
{
	unsigned n;
	const struct et_column *schema = et_reader_schema(source->reader, &n);

	for (unsigned i = 0; i < source->n_extra; i++)
		segments_note(s, "column %s", source->extra[i].name);
	for (unsigned i = 0; i < n; i++) {
		const struct et_column *c = &schema[i];

		if (c->id >= ET_FIELD_END)
			continue;
		if (!et_fields[c->id].name || et_fields[c->id].type != c->type)
			segments_note(s, "column %u as %s", c->id, c->name);
		else if (c->kinds & ~et_fields[c->id].kinds & ((1u << ET_KIND_END) - 1))
			segments_note(s, "column %s of other kinds of events", c->name);
	}
}

static struct segment *new_segment(struct segments *s, unsigned file,
				   const struct et_record *rec)
{
	struct segment *more;
	size_t entry = ledger_segment(s->ledger, rec, &s->captures[file]);

	if (s->n == SEGMENTS_MAX)
		return NULL;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		more = reallocarray(s->v, s->cap, sizeof(*more));
		if (!more)
			return NULL;
		s->v = more;
	}
	more = &s->v[s->n];
	*more = (struct segment){ .file = file,
				  .number = (unsigned)s->n,
				  .at = rec->at,
				  .entry = entry,
				  .has_series = rec->has_series,
				  .nth = rec->number,
				  .has_started = rec->has_started,
				  .started = rec->started };
	memcpy(more->series, rec->series, sizeof(more->series));
	more->group = more->number;
	/* Without rows it is where it began. */
	more->ts_min = more->ts_max = rec->started.ts;
	memcpy(more->boot_id, rec->boot_id, sizeof(more->boot_id));
	s->n++;
	return more;
}

static void take_rows(struct segments *s, struct segment *g, const struct et_record *rec)
{
	if (!g->has_started)
		g->started = rec->clocks[0];
	g->has_started = true;
	if (!g->rows || rec->ts_min < g->ts_min)
		g->ts_min = rec->ts_min;
	if (!g->rows || rec->ts_max > g->ts_max)
		g->ts_max = rec->ts_max;
	g->rows += rec->rows;
	g->events += rec->rows - rec->kinds[ET_LOST];
	if (rec->kinds[0])
		segments_note(s, "events of a kind that has no name here");
}

/* Looks at all heads of a capture. */
static int look_through(struct segments *s, unsigned file, struct source *source,
			struct reason *why)
{
	struct capture *c = &s->captures[file];
	struct segment *g = NULL;
	struct et_record rec;

	while (source_next(source, &rec) && rec.at < c->spool.size) {
		source_take(source, &rec);
		if (rec.type == ET_REC_FILE) {
			if (g)
				g->size = rec.at - g->at;
			g = new_segment(s, file, &rec);
			if (!g && s->n == SEGMENTS_MAX)
				return reason_set(why, EXIT_FAILED,
						  "%s: more than %u recordings in all",
						  c->spool.name, SEGMENTS_MAX);
			if (!g)
				return no_memory(why);
			check_schema(s, source);
		} else if (rec.rows) {
			take_rows(s, g, &rec);
		} else if (rec.type >= ET_REC_TYPE_END) {
			segments_note(s, "records of type %u", rec.type);
		}
	}
	if (source->failure.code == ET_NOMEM)
		return no_memory(why);
	if (source->failure.code)
		return reason_set(why, EXIT_FAILED, "%s: cannot read on at byte %llu: %s",
				  c->spool.name, (unsigned long long)source->failure.at,
				  source->failure.sys ? strerror(source->failure.sys)
						      : source->failure.what);
	if (g)
		g->size = c->spool.size - g->at;
	c->start = source->start;
	c->offset = source->offset;
	return 0;
}

/* Looks at all of a capture that is open. */
static int look_at(struct segments *s, unsigned file, struct reason *why)
{
	const struct spool *spool = &s->captures[file].spool;
	struct source *source;
	struct et_io io;
	int r;

	if (spool_io(spool, 0, spool->size, &io))
		return no_memory(why);
	if (source_open_io(&io, spool->fd, spool->name, &source, why))
		return -1;
	r = look_through(s, file, source, why);
	source_close(source);
	return r;
}

/* ---- Copies -------------------------------------------------------------------------- */

/* Of segments that came more than once the copy with the most rows stays. */
static int drop_copies(struct segments *s, struct reason *why)
{
	size_t *best = calloc(s->ledger->n + 1, sizeof(*best)), n = 0;

	if (!best)
		return no_memory(why);
	for (size_t i = 0; i < s->n; i++) {
		size_t *b = s->v[i].entry == LEDGER_NONE ? NULL : &best[s->v[i].entry];

		/* One more than the index. */
		if (b && (!*b || s->v[i].rows > s->v[*b - 1].rows))
			*b = i + 1;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].entry != LEDGER_NONE && best[s->v[i].entry] != i + 1)
			continue;
		s->v[n] = s->v[i];
		s->v[n].number = (unsigned)n;
		s->v[n].group = (unsigned)n;
		s->rows += s->v[n].rows;
		s->events += s->v[n].events;
		n++;
	}
	s->n = n;
	free(best);
	return 0;
}

bool segments_lack(const struct segments *s, size_t first, size_t end)
{
	for (size_t k = 0; k < s->n_series; k++) {
		const struct ledger_series *gap = &s->series[k];
		bool before = false, behind = false;

		for (size_t i = first; gap->goes_on && i < end; i++) {
			const struct segment *g = &s->v[i];

			if (!g->has_series || memcmp(g->series, gap->id, sizeof(gap->id)))
				continue;
			before |= g->nth <= gap->last;
			behind |= g->nth > gap->last;
		}
		if (before && behind)
			return true;
	}
	return false;
}

/* ---- Groups ------------------------------------------------------------------------- */

static bool same_boot(const struct segment *a, const struct segment *b)
{
	static const uint8_t unknown[16];

	return memcmp(a->boot_id, unknown, 16) && !memcmp(a->boot_id, b->boot_id, 16);
}

static int by_boot(const void *x, const void *y)
{
	const struct segment *a = x, *b = y;
	int r = memcmp(a->boot_id, b->boot_id, 16);

	return r ? r : a->number < b->number ? -1 : a->number > b->number;
}

static int by_time(const void *x, const void *y)
{
	const struct segment *a = x, *b = y;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->ts_min != b->ts_min)
		return a->ts_min < b->ts_min ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

struct beginning {
	int64_t wall;
	unsigned number, group;
};

static int by_beginning(const void *x, const void *y)
{
	const struct beginning *a = x, *b = y;

	if (a->wall != b->wall)
		return a->wall < b->wall ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* One group for each boot, numbered in the order of their beginnings. */
static int join_boots(struct segments *s, struct reason *why)
{
	struct beginning *groups = calloc(s->n + !s->n, sizeof(*groups));
	unsigned n = 0, *place = calloc(s->n + !s->n, sizeof(*place));

	if (!groups || !place) {
		free(groups);
		free(place);
		return no_memory(why);
	}
	qsort(s->v, s->n, sizeof(*s->v), by_boot);
	for (size_t i = 0; i < s->n; i++) {
		struct segment *g = &s->v[i];
		int64_t wall = et_clock_wall(g->started);

		if (!i || !same_boot(g, &s->v[i - 1])) {
			groups[n] = (struct beginning){ wall, g->number, n };
			n++;
		} else if (wall < groups[n - 1].wall) {
			groups[n - 1].wall = wall;
		}
		g->group = n - 1;
	}
	qsort(groups, n, sizeof(*groups), by_beginning);
	for (unsigned i = 0; i < n; i++)
		place[groups[i].group] = i;
	for (size_t i = 0; i < s->n; i++)
		s->v[i].group = place[s->v[i].group];
	qsort(s->v, s->n, sizeof(*s->v), by_time);
	free(groups);
	free(place);
	return 0;
}

/* Each capture keeps a file open for as long as it takes. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int segments_open(char *const *names, size_t n, struct segments *out, struct reason *why)
{
	*out = (struct segments){ .captures = calloc(n + !n, sizeof(*out->captures)),
				  .ledger = ledger_new() };
	if (!out->captures || !out->ledger)
		return no_memory(why);
	allow_files();
	for (size_t i = 0; i < n; i++) {
		if (spool_open(names[i], &out->captures[i].spool, why))
			return -1;
		out->bytes += out->captures[i].spool.size;
		out->n_captures++;
	}
	return 0;
}

int segments_look(struct segments *s, bool join, struct reason *why)
{
	for (size_t i = 0; i < s->n_captures; i++)
		if (look_at(s, (unsigned)i, why))
			return -1;
	if (drop_copies(s, why))
		return -1;
	if (ledger_series(s->ledger, &s->series, &s->n_series))
		return no_memory(why);
	return join ? join_boots(s, why) : 0;
}

void segments_close(struct segments *s)
{
	for (size_t i = 0; i < s->n_captures; i++)
		spool_close(&s->captures[i].spool);
	for (unsigned i = 0; i < s->n_strange; i++)
		free(s->strange[i]);
	ledger_free(s->ledger);
	free(s->series);
	free(s->captures);
	free(s->v);
	*s = (struct segments){ 0 };
}

size_t segments_overlap(const struct segments *s, size_t first)
{
	uint64_t end = s->v[first].ts_max;
	size_t i = first + 1;

	for (; i < s->n && s->v[i].group == s->v[first].group; i++) {
		if (s->v[i].ts_min > end)
			break;
		if (s->v[i].ts_max > end)
			end = s->v[i].ts_max;
	}
	return i;
}

int segments_read(const struct segments *s, size_t i, struct source **out, struct reason *why)
{
	const struct segment *g = &s->v[i];
	const struct capture *c = &s->captures[g->file];
	struct et_io io;

	if (spool_io(&c->spool, g->at, g->size, &io))
		return no_memory(why);
	if (source_open_io(&io, -1, c->spool.name, out, why))
		return -1;
	/* Times of options are of the whole capture's beginning. */
	(*out)->start = c->start;
	(*out)->offset = c->offset;
	(*out)->started = (*out)->rows = true;
	return 0;
}
