/* SPDX-License-Identifier: BSD-2-Clause */
#include "gaps.h"

#include <string.h>

static void widen(struct gap *into, const struct gap *gap)
{
	if (gap->first < into->first)
		into->first = gap->first;
	if (gap->last > into->last)
		into->last = gap->last;
	if (__builtin_add_overflow(into->count, gap->count, &into->count))
		into->count = UINT64_MAX;
}

static void put(struct gaps *g, struct gap gap)
{
	unsigned i = g->n;

	if (gap.last < gap.first)
		gap.last = gap.first;
	/* So many at once, with no event between them, are as well one. */
	if (g->n == GAPS_WAITING) {
		widen(&g->v[g->n - 1], &gap);
		return;
	}
	for (; i && g->v[i - 1].first > gap.first; i--)
		g->v[i] = g->v[i - 1];
	g->v[i] = gap;
	g->n++;
}

static void remember(struct gaps_watch *w, const struct et_record *rec)
{
	unsigned i = w->n_recent++ % GAPS_RECENT;

	w->recent[i].at = rec->at;
	w->recent[i].first = rec->ts_min;
	w->recent[i].last = rec->ts_max;
	w->recent[i].offset = rec->clocks[0].offset;
}

/* Rows of the record at that offset are gone, or of the last if it is not known. */
static void put_record(struct gaps *g, const struct gaps_watch *w, uint64_t at, uint64_t count)
{
	unsigned n = w->n_recent < GAPS_RECENT ? w->n_recent : GAPS_RECENT;
	unsigned i = (w->n_recent + GAPS_RECENT - 1) % GAPS_RECENT;

	for (unsigned k = 0; k < n; k++)
		if (w->recent[k].at == at)
			i = k;
	if (n && count)
		put(g, (struct gap){ w->recent[i].first, w->recent[i].last, count,
				     w->recent[i].offset });
}

void gaps_rows(struct gaps *g, struct gaps_watch *w)
{
	if (w->source->unreadable == w->unreadable)
		return;
	put_record(g, w, w->source->fault_at, w->source->unreadable - w->unreadable);
	w->unreadable = w->source->unreadable;
}

/* Rows between the last row record and this one. */
static void put_between(struct gaps *g, const struct gaps_watch *w,
			const struct et_record *rec, uint64_t count)
{
	struct et_clock next = rec->rows ? (struct et_clock){ rec->ts_min,
							      rec->clocks[0].offset }
					 : rec->ended;

	if (count)
		put(g, (struct gap){ w->has_edge && w->edge < next.ts ? w->edge : next.ts,
				     next.ts, count, next.offset });
}

void gaps_record(struct gaps *g, struct gaps_watch *w, const struct et_record *rec)
{
	struct et_reader_stats st;
	uint64_t missing, between;

	if (rec && rec->type == ET_REC_FILE && rec->has_started) {
		w->edge = rec->started.ts;
		w->has_edge = true;
	}
	if (rec && !rec->rows && rec->type != ET_REC_END)
		return;
	gaps_rows(g, w);
	et_reader_stats(w->source->reader, &st);
	missing = st.missing - w->missing;
	between = rec && rec->seq > w->expected ? rec->seq - w->expected : 0;
	if (between > missing)
		between = missing;
	/* The rest was in a record whose head was right. */
	put_record(g, w, w->source->fault_at, missing - between);
	if (rec)
		put_between(g, w, rec, between);
	w->missing = st.missing;
	if (!rec || !rec->rows)
		return;
	w->expected = rec->seq + rec->rows;
	if (!w->has_edge || rec->ts_max > w->edge)
		w->edge = rec->ts_max;
	w->has_edge = true;
	remember(w, rec);
}

bool gaps_next(struct gaps *g, uint64_t ts, struct gap *out)
{
	if (!g->n || g->v[0].first >= ts)
		return false;
	*out = g->v[0];
	g->n--;
	memmove(g->v, g->v + 1, g->n * sizeof(g->v[0]));
	return true;
}

void gap_event(const struct gap *gap, struct et_event *ev)
{
	*ev = (struct et_event){ .realtime = gap->offset };
	et_set_uint(ev, ET_F_KIND, ET_LOST);
	et_set_uint(ev, ET_F_TS, gap->first);
	et_set_uint(ev, ET_F_UNTIL, gap->last);
	et_set_uint(ev, ET_F_COUNT, gap->count);
	et_set_uint(ev, ET_F_CAUSE, ET_CAUSE_DAMAGED);
}
