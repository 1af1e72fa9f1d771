/* SPDX-License-Identifier: BSD-2-Clause */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

/* Events lost in a segment, by cause; [0]: causes of a later version. */
struct ledger_counts {
	uint64_t said[ET_CAUSE_END];	/* by heads */
	uint64_t told[ET_CAUSE_END];	/* by rows */
};

struct ledger *ledger_new(void)
{
	return calloc(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].counts);
		free(l->v[i].holes);
	}
	losses_free(&l->losses);
	free(l->sorted);
	free(l->v);
	free(l);
}

static void add_up(uint64_t *to, uint64_t n)
{
	if (__builtin_add_overflow(*to, n, to))
		*to = UINT64_MAX;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- Segments ------------------------------------------------------------------------- */

/* Random as it is, the id alone would do; captures put together by hand may share one. */
static int compare(const struct ledger_segment *s, const struct et_record *rec)
{
	int r = memcmp(s->id, rec->file_id, sizeof(s->id));

	return r ? r : memcmp(&s->started, &rec->started, sizeof(s->started));
}

/* Where it is in sorted, or would be. */
static size_t place_of(const struct ledger *l, const struct et_record *rec, bool *found)
{
	size_t low = 0, high = l->n;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = compare(&l->v[l->sorted[middle]], rec);

		if (!r) {
			*found = true;
			return middle;
		}
		*(r < 0 ? &low : &high) = r < 0 ? middle + 1 : middle;
	}
	return low;
}

static bool grow(struct ledger *l)
{
	size_t cap = l->cap ? l->cap * 2 : 8;
	struct ledger_segment *v;
	uint32_t *sorted;

	if (l->n == LEDGER_SEGMENTS)
		return false;
	if (l->n < l->cap)
		return true;
	v = reallocarray(l->v, cap, sizeof(*v));
	if (!v)
		return false;
	l->v = v;
	sorted = reallocarray(l->sorted, cap, sizeof(*sorted));
	if (!sorted)
		return false;
	l->sorted = sorted;
	l->cap = cap;
	return true;
}

size_t ledger_segment(struct ledger *l, const struct et_record *rec, const void *owner)
{
	struct ledger_segment *s;
	bool found;
	size_t at = place_of(l, rec, &found);

	if (found) {
		l->v[l->sorted[at]].copied |= l->v[l->sorted[at]].next > 0;
		return l->sorted[at];
	}
	if (!grow(l)) {
		l->over = true;
		return LEDGER_NONE;
	}
	memmove(l->sorted + at + 1, l->sorted + at, (l->n - at) * sizeof(*l->sorted));
	l->sorted[at] = (uint32_t)l->n;
	s = &l->v[l->n];
	*s = (struct ledger_segment){
		.owner = owner,
		.started = rec->started,
		.has_first = rec->has_started,
		.has_edge = rec->has_started,
		.first = et_clock_wall(rec->started),
		.edge = et_clock_wall(rec->started),
		.has_series = rec->has_series,
		.number = rec->number,
	};
	memcpy(s->id, rec->file_id, sizeof(s->id));
	memcpy(s->series, rec->series, sizeof(s->series));
	return l->n++;
}

/* ---- Rows ------------------------------------------------------------------------------- */

static void count_hole(struct ledger_segment *s, const struct ledger_hole *h, bool gone)
{
	uint64_t rows = h->to - h->from;

	s->missing += gone ? -rows : rows;
	s->missing_losses += gone ? -h->losses : h->losses;
}

static void add_hole(struct ledger *l, struct ledger_segment *s, struct ledger_hole hole)
{
	struct ledger_hole *more;
	unsigned cap;

	if (hole.last < hole.first) {
		int64_t last = hole.last;

		hole.last = hole.first;
		hole.first = last;
	}
	count_hole(s, &hole, false);
	if (s->n_holes == s->cap_holes) {
		cap = s->cap_holes ? s->cap_holes * 2 : 4;
		more = s->n_holes < LEDGER_HOLES ? reallocarray(s->holes, cap, sizeof(*more)) : NULL;
		/* Counted it is, but nobody can fill it, and where it was is not told. */
		if (!more) {
			l->over |= s->n_holes < LEDGER_HOLES;
			return;
		}
		s->holes = more;
		s->cap_holes = cap;
	}
	s->holes[s->n_holes++] = hole;
}

/* Takes the rows out of the hole that they are in. False: they are in none. */
static bool fill(struct ledger *l, struct ledger_segment *s, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < s->n_holes; i++) {
		struct ledger_hole hole = s->holes[i], rest;

		if (from < hole.from || to > hole.to)
			continue;
		count_hole(s, &hole, true);
		s->holes[i] = s->holes[--s->n_holes];
		/* Of which kind the others are nobody knows. */
		rest = hole;
		rest.losses = 0;
		rest.to = from;
		if (hole.from < from)
			add_hole(l, s, rest);
		rest.from = to;
		rest.to = hole.to;
		if (to < hole.to)
			add_hole(l, s, rest);
		return true;
	}
	return false;
}

/* What a head says of losses in all. */
static void take_counts(struct ledger *l, struct ledger_segment *s, const struct et_record *rec)
{
	bool any = rec->lost_other;

	for (unsigned i = 1; i < ET_CAUSE_END; i++)
		any |= rec->lost[i] != 0;
	if (any && !s->counts)
		s->counts = calloc(1, sizeof(*s->counts));
	l->over |= any && !s->counts;
	if (!any || !s->counts)
		return;
	s->counts->said[0] = larger(s->counts->said[0], rec->lost_other);
	for (unsigned i = 1; i < ET_CAUSE_END; i++)
		s->counts->said[i] = larger(s->counts->said[i], rec->lost[i]);
}

static uint64_t sum(const uint64_t *v, unsigned n)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < n; i++)
		total += v[i];
	return total;
}

static void take_end(struct ledger_segment *s, const struct et_record *rec)
{
	s->ended = true;
	s->not_ended = rec->reason.len >= strlen(ET_NOT_ENDED) &&
		       !memcmp(rec->reason.ptr, ET_NOT_ENDED, strlen(ET_NOT_ENDED));
	s->all_losses = rec->kinds[ET_LOST];
	s->has_all = sum(rec->kinds, ET_KIND_END) == rec->seq;
}

bool ledger_record(struct ledger *l, size_t segment, const struct et_record *rec, uint64_t at,
		   bool jumped)
{
	struct ledger_segment *s = segment == LEDGER_NONE ? NULL : &l->v[segment];
	bool end = rec->type == ET_REC_END;
	int64_t wall = end ? et_clock_wall(rec->ended) : et_record_wall(rec, rec->ts_min);

	if (!s || (!rec->rows && !end))
		return true;
	take_counts(l, s, rec);
	if (rec->seq < s->next && !end) {
		if (!fill(l, s, rec->seq, rec->seq + rec->rows))
			return false;
		s->losses += rec->kinds[ET_LOST];
		return true;
	}
	if (rec->seq > s->next && !jumped)
		add_hole(l, s, (struct ledger_hole){ s->next, rec->seq, at, 0,
						     s->has_edge ? s->edge : wall, wall });
	s->unread |= jumped;
	s->next = larger(s->next, rec->seq + rec->rows);
	s->losses += rec->kinds[ET_LOST] * !end;
	if (end) {
		take_end(s, rec);
		return true;
	}
	if (!s->has_first)
		s->first = wall;
	wall = et_record_wall(rec, rec->ts_max);
	if (!s->has_edge || wall > s->edge)
		s->edge = wall;
	s->has_first = s->has_edge = true;
	return true;
}

void ledger_failed(struct ledger *l, size_t segment, const struct ledger_rows *rows)
{
	struct ledger_segment *s = segment == LEDGER_NONE ? NULL : &l->v[segment];

	if (!s)
		return;
	s->losses -= rows->losses < s->losses ? rows->losses : s->losses;
	add_hole(l, s, (struct ledger_hole){ rows->seq, rows->seq + rows->rows, rows->at,
					     rows->losses, rows->first, rows->last });
}

void ledger_losses(struct ledger *l, size_t segment, struct et_chunk *c, int64_t since,
		   int64_t until)
{
	const uint64_t *kind, *ts, *last, *cpu, *count, *cause;
	struct ledger_counts *counts;

	if (segment == LEDGER_NONE || et_chunk_uints(c, ET_F_KIND, &kind, NULL) ||
	    et_chunk_uints(c, ET_F_TS, &ts, NULL) || et_chunk_uints(c, ET_F_UNTIL, &last, NULL) ||
	    et_chunk_uints(c, ET_F_CPU, &cpu, NULL) || et_chunk_uints(c, ET_F_COUNT, &count, NULL) ||
	    et_chunk_uints(c, ET_F_CAUSE, &cause, NULL))
		return;
	if (!l->v[segment].counts)
		l->v[segment].counts = calloc(1, sizeof(*counts));
	counts = l->v[segment].counts;
	l->over |= !counts;
	for (uint32_t i = 0; counts && i < et_chunk_rows(c); i++) {
		struct loss loss = { .rows = 1, .cpu = cpu[i] };

		if (kind[i] != ET_LOST)
			continue;
		/* A schema may lack the columns: then it says that something was lost. */
		loss.cause = cause[i] == ET_NONE ? 0 : cause[i];
		loss.count = count[i] == ET_NONE ? 0 : count[i];
		loss.first = et_chunk_wall(c, ts[i]);
		loss.last = last[i] == ET_NONE ? LOSS_NO_END : et_chunk_wall(c, last[i]);
		add_up(&counts->told[loss.cause < ET_CAUSE_END ? loss.cause : 0], loss.count);
		if (loss.first < until && loss.last >= since)
			l->over |= losses_add(&l->losses, &loss) != 0;
	}
}

void ledger_left(struct ledger *l, size_t segment, uint64_t at, bool unread)
{
	if (segment == LEDGER_NONE)
		return;
	l->v[segment].left = true;
	l->v[segment].unread |= unread;
	if (!l->v[segment].ended)
		l->v[segment].end_at = at;
}

/* ---- What it comes to ----------------------------------------------------------------------- */

/* Rows that are missing and no events: they told of losses. */
static uint64_t missing_losses(const struct ledger_segment *s)
{
	uint64_t by_end = s->all_losses - s->losses;

	if (s->has_all && s->all_losses >= s->losses && by_end <= s->missing)
		return by_end;
	return s->missing_losses;
}

void ledger_stats(const struct ledger *l, struct et_reader_stats *st)
{
	if (l->over)
		return;
	st->missing = st->unclean = st->not_ended = 0;
	memset(st->lost, 0, sizeof(st->lost));
	st->lost_other = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_segment *s = &l->v[i];

		st->missing += s->missing - missing_losses(s);
		st->unclean += s->left && !s->ended;
		st->not_ended += s->not_ended;
		for (unsigned c = 0; s->counts && c < ET_CAUSE_END; c++)
			add_up(c ? &st->lost[c] : &st->lost_other,
			       larger(s->counts->said[c], s->counts->told[c]));
	}
}

int ledger_all_losses(const struct ledger *l, struct losses *out)
{
	if (losses_merged(&l->losses, LOSSES_MAX, out))
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_segment *s = &l->v[i];

		/* Rows that were not read may tell of it. */
		if (!s->counts || s->unread)
			continue;
		for (unsigned c = 0; c < ET_CAUSE_END; c++) {
			struct loss loss = { .cause = c ? c : ET_CAUSE_END, .cpu = LOSS_NO_CPU,
					     .first = s->first, .last = s->edge };

			if (s->counts->said[c] <= s->counts->told[c])
				continue;
			loss.count = s->counts->said[c] - s->counts->told[c];
			if (losses_add(out, &loss)) {
				losses_free(out);
				return -1;
			}
		}
	}
	return 0;
}

static int by_number(const void *x, const void *y)
{
	const struct ledger_segment *a = *(const struct ledger_segment *const *)x;
	const struct ledger_segment *b = *(const struct ledger_segment *const *)y;
	int r = memcmp(a->series, b->series, sizeof(a->series));

	return r ? r : a->number < b->number ? -1 : a->number > b->number;
}

int ledger_series(const struct ledger *l, struct ledger_series **out, size_t *n)
{
	const struct ledger_segment **v = calloc(l->n + !l->n, sizeof(struct ledger_segment *));
	struct ledger_series *last = NULL;
	size_t n_v = 0;

	*n = 0;
	*out = calloc(l->n + !l->n, sizeof(**out));
	if (!v || !*out) {
		free(v);
		free(*out);
		*out = NULL;
		return -1;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].has_series)
			v[n_v++] = &l->v[i];
	qsort(v, n_v, sizeof(struct ledger_segment *), by_number);
	for (size_t i = 0; i < n_v; i++) {
		bool same = last && !memcmp(last->id, v[i]->series, sizeof(last->id));

		if (same && v[i]->number - last->last < 2) {
			last->twice += v[i]->number == last->last;
			last->last = v[i]->number;
			last->last_owner = v[i]->owner;
			continue;
		}
		if (last)
			last->goes_on = same;
		last = &(*out)[(*n)++];
		*last = (struct ledger_series){ .first = v[i]->number, .last = v[i]->number,
						.first_owner = v[i]->owner, .last_owner = v[i]->owner };
		memcpy(last->id, v[i]->series, sizeof(last->id));
	}
	free(v);
	return 0;
}
