/* SPDX-License-Identifier: BSD-2-Clause */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "derive.h"

const struct figure_field figure_fields[FIGURES] = {
	[FIGURE_EVENTS] = { "events", "events, all but those lost", FIGURE_COUNT },
	[FIGURE_EXECS] = { "execs", "execs that took effect", FIGURE_COUNT },
	[FIGURE_FAILED] = { "failed", "execs that failed", FIGURE_COUNT },
	[FIGURE_FORKS] = { "forks", "processes that were created", FIGURE_COUNT },
	[FIGURE_EXITS] = { "exits", "processes that ended", FIGURE_COUNT },
	[FIGURE_LOST] = { "lost", "events that were lost, as far as an event says so",
			  FIGURE_COUNT },
	[FIGURE_TOTAL] = { "total", "sum of the durations of exits", FIGURE_TIME },
	[FIGURE_MEAN] = { "mean", "their mean, cut down to a ns", FIGURE_TIME },
	[FIGURE_P50] = { "p50", "their median", FIGURE_TIME },
	[FIGURE_P99] = { "p99", "what 99 % of them do not exceed", FIGURE_TIME },
	[FIGURE_LONGEST] = { "longest", "the longest", FIGURE_TIME },
	[FIGURE_CPU_TIME] = { "cpu_time", "CPU time of exits, in user mode and in the kernel",
			      FIGURE_TIME },
	[FIGURE_PEAK_RSS] = { "peak_rss", "most resident memory of one of them", FIGURE_BYTES },
	[FIGURE_READ] = { "read", "what they had storage read", FIGURE_BYTES },
	[FIGURE_WRITTEN] = { "written", "what they had storage write", FIGURE_BYTES },
};

#define OF(field) (1ull << (field))

const uint64_t groups_fields = OF(ET_F_KIND) | OF(ET_F_TS) | OF(ET_F_START) | OF(ET_F_EXEC_TS) |
			       OF(ET_F_UTIME) | OF(ET_F_STIME) | OF(ET_F_MAX_RSS) |
			       OF(ET_F_READ_BYTES) | OF(ET_F_WRITE_BYTES) | OF(ET_F_COUNT);

enum figure figure_find(const char *name)
{
	enum figure f = FIGURE_EVENTS;

	while (f < FIGURES && strcmp(figure_fields[f].name, name))
		f++;
	return f;
}

void figures_help(struct out *o)
{
	out_text(o, "\nColumns of the table, for --sort as well:\n\n");
	for (unsigned f = 0; f < FIGURES; f++)
		out_printf(o, "  %-16s %s\n", figure_fields[f].name, figure_fields[f].help);
}

void groups_free(struct groups *g)
{
	for (uint32_t i = 0; i < g->cap; i++)
		quantile_free(&g->v[i].durations);
	quantile_free(&g->other.durations);
	free(g->v);
	keyset_free(&g->keys);
	*g = (struct groups){ .pool = QUANTILE_POOL };
}

/* ---- Figures --------------------------------------------------------------------------- */

static void at_least(uint64_t *most, uint64_t u)
{
	if (u > *most)
		*most = u;
}

uint64_t group_figure(struct group *g, enum figure f)
{
	uint64_t n = g->durations.n, events = 0;

	switch (f) {
	case FIGURE_EVENTS:
		for (unsigned k = 0; k < ET_KIND_END; k++)
			events += k == ET_LOST ? 0 : g->kinds[k];
		return events;
	case FIGURE_EXECS:
		return g->kinds[ET_EXEC];
	case FIGURE_FAILED:
		return g->kinds[ET_FAIL];
	case FIGURE_FORKS:
		return g->kinds[ET_FORK];
	case FIGURE_EXITS:
		return g->kinds[ET_EXIT];
	case FIGURE_LOST:
		return g->kinds[ET_LOST];
	case FIGURE_TOTAL:
		return n ? g->total : ET_NONE;
	case FIGURE_MEAN:
		return n ? g->total / n : ET_NONE;
	case FIGURE_P50:
	case FIGURE_P99:
		/* The middle of a bucket may lie beyond all that is in it. */
		events = n ? quantile_at(&g->durations, f == FIGURE_P50 ? 50 : 99) : ET_NONE;
		return n && events > g->longest ? g->longest : events;
	case FIGURE_LONGEST:
		return n ? g->longest : ET_NONE;
	case FIGURE_CPU_TIME:
		return g->known >> f & 1 ? g->cpu_time : ET_NONE;
	case FIGURE_PEAK_RSS:
		return g->known >> f & 1 ? g->peak_rss : ET_NONE;
	case FIGURE_READ:
		return g->known >> f & 1 ? g->read : ET_NONE;
	case FIGURE_WRITTEN:
		return g->known >> f & 1 ? g->written : ET_NONE;
	case FIGURES:
		break;
	}
	return ET_NONE;
}

/* When the buckets of all take too much, all become coarser. */
static int shrink(struct groups *g)
{
	while (quantile_pool_full(&g->pool)) {
		if (quantile_coarsen(&g->other.durations, &g->pool))
			return -1;
		for (uint32_t i = 0; i < g->keys.n; i++)
			if (quantile_coarsen(&g->v[i].durations, &g->pool))
				return -1;
	}
	return 0;
}

int groups_add(struct groups *g, struct group *to, const struct group *from)
{
	for (unsigned k = 0; k < ET_KIND_END; k++)
		to->kinds[k] = derive_sum(to->kinds[k], from->kinds[k]);
	to->known |= from->known;
	to->total = derive_sum(to->total, from->total);
	to->cpu_time = derive_sum(to->cpu_time, from->cpu_time);
	to->read = derive_sum(to->read, from->read);
	to->written = derive_sum(to->written, from->written);
	at_least(&to->longest, from->longest);
	at_least(&to->peak_rss, from->peak_rss);
	return quantile_merge(&to->durations, &g->pool, &from->durations);
}

/* ---- Rows ------------------------------------------------------------------------------ */

/* What exits have. */
enum { TS, START, EXEC_TS, UTIME, STIME, MAX_RSS, READ, WRITTEN, COLUMNS };

static const uint8_t exit_fields[COLUMNS] = {
	[TS] = ET_F_TS,		  [START] = ET_F_START, [EXEC_TS] = ET_F_EXEC_TS,
	[UTIME] = ET_F_UTIME,	  [STIME] = ET_F_STIME, [MAX_RSS] = ET_F_MAX_RSS,
	[READ] = ET_F_READ_BYTES, [WRITTEN] = ET_F_WRITE_BYTES,
};

/* What cannot be read is not known in any row. */
static struct et_stored column(const struct picked *p, unsigned id)
{
	struct et_stored st;

	return et_chunk_stored(p->chunk, id, &st, NULL) ? (struct et_stored){ .value = ET_NONE } : st;
}

static void add_sum(struct group *g, enum figure f, uint64_t *to, uint64_t u)
{
	if (u == ET_NONE)
		return;
	g->known |= 1ull << f;
	*to = derive_sum(*to, u);
}

static int add_exit(struct groups *all, struct group *g, const struct et_stored *x, uint32_t row)
{
	uint64_t rss = et_stored_number(&x[MAX_RSS], row), ran;

	add_sum(g, FIGURE_CPU_TIME, &g->cpu_time, et_stored_number(&x[UTIME], row));
	add_sum(g, FIGURE_CPU_TIME, &g->cpu_time, et_stored_number(&x[STIME], row));
	add_sum(g, FIGURE_READ, &g->read, et_stored_number(&x[READ], row));
	add_sum(g, FIGURE_WRITTEN, &g->written, et_stored_number(&x[WRITTEN], row));
	if (rss != ET_NONE) {
		g->known |= 1ull << FIGURE_PEAK_RSS;
		at_least(&g->peak_rss, rss);
	}
	ran = derive_duration_of(ET_EXIT, et_stored_number(&x[TS], row),
				   et_stored_number(&x[EXEC_TS], row),
				   et_stored_number(&x[START], row));
	if (ran == ET_NONE)
		return 0;
	g->total = derive_sum(g->total, ran);
	at_least(&g->longest, ran);
	return quantile_add(&g->durations, &all->pool, ran);
}

static int room_for_groups(struct groups *g)
{
	struct group *more;

	if (g->keys.n <= g->cap)
		return 0;
	more = reallocarray(g->v, g->keys.cap, sizeof(*more));
	if (!more)
		return -1;
	memset(more + g->cap, 0, (g->keys.cap - g->cap) * sizeof(*more));
	g->v = more;
	g->cap = g->keys.cap;
	return 0;
}

/* Marks each class with the number of its group. */
static int find_groups(struct groups *g, const struct keys *k, const struct classes *c,
		       const struct picked *p, struct out *key)
{
	for (uint32_t i = 0; i < c->n; i++) {
		key->len = 0;
		keys_put(k, p, p->rows[c->first[i]], key);
		if (key->error || keyset_add(&g->keys, key->buf, key->len, &c->mark[i]))
			return -1;
	}
	return room_for_groups(g);
}

int groups_take(struct groups *g, const struct keys *k, const struct classes *c,
		const struct picked *p, struct out *key)
{
	struct et_stored kinds = column(p, ET_F_KIND), counts = column(p, ET_F_COUNT);
	struct et_stored x[COLUMNS];
	bool exits = false;

	if (find_groups(g, k, c, p, key))
		return -1;
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t row = p->rows[i], number = c->mark[c->of[i]];
		struct group *to = number == KEYSET_OTHER ? &g->other : &g->v[number];
		uint64_t kind = et_stored_number(&kinds, row), n = 1;

		g->any_other |= number == KEYSET_OTHER;
		if (kind == ET_LOST && et_stored_number(&counts, row) != ET_NONE)
			n = et_stored_number(&counts, row);
		kind = kind < ET_KIND_END ? kind : 0;
		to->kinds[kind] = derive_sum(to->kinds[kind], n);
		if (kind != ET_EXIT)
			continue;
		for (unsigned f = 0; !exits && f < COLUMNS; f++)
			x[f] = column(p, exit_fields[f]);
		exits = true;
		if (add_exit(g, to, x, row))
			return -1;
	}
	return shrink(g);
}

int groups_merge(struct groups *g, const struct groups *from)
{
	if (from->pool.bits < g->pool.bits)
		g->pool.bits = from->pool.bits;
	for (uint32_t i = 0; i < from->keys.n; i++) {
		struct et_str key = keyset_get(&from->keys, i);
		uint32_t number;

		if (keyset_add(&g->keys, key.ptr, key.len, &number) || room_for_groups(g) ||
		    groups_add(g, number == KEYSET_OTHER ? &g->other : &g->v[number],
			       &from->v[i]))
			return -1;
		g->any_other |= number == KEYSET_OTHER;
	}
	g->any_other |= from->any_other;
	if (groups_add(g, &g->other, &from->other))
		return -1;
	for (uint32_t i = 0; i < g->keys.n; i++)
		if (quantile_coarsen(&g->v[i].durations, &g->pool))
			return -1;
	return quantile_coarsen(&g->other.durations, &g->pool) ? -1 : shrink(g);
}
