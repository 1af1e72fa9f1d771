/* SPDX-License-Identifier: BSD-2-Clause */
#include "certificate.h"

#include <stdlib.h>

#include "print.h"
#include "times.h"

void certificate_between(struct out *o, int64_t first, int64_t last, int32_t offset)
{
	/* Times are cut to a microsecond: the last one is the next, so that all is between. */
	if (last < LOSS_NO_END - 999 && first != last)
		last += 999;
	out_text(o, last == LOSS_NO_END ? " after " : first == last ? " at " : " between ");
	times_moment(o, first, offset);
	if (last != LOSS_NO_END && first != last) {
		out_text(o, " and ");
		if (times_day(first, offset) == times_day(last, offset))
			times_clock(o, last, offset);
		else
			times_moment(o, last, offset);
	}
	out_char(o, ' ');
	times_zone(o, offset);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* ---- Losses ------------------------------------------------------------------------------ */

static int by_cpu(const void *x, const void *y)
{
	const struct loss *a = x, *b = y;

	return a->cpu < b->cpu ? -1 : a->cpu > b->cpu;
}

void certificate_where(struct out *o, const struct ledger *l, uint64_t lost, int32_t offset)
{
	struct losses all, places;
	struct loss sum;
	size_t cpus = 0;

	if (ledger_all_losses(l, &all))
		return;
	if (!all.n || losses_merged(&all, 1, &places)) {
		losses_free(&all);
		return;
	}
	sum = losses_sum(&places);
	if (sum.count != lost)
		goto out;
	qsort(places.v, places.n, sizeof(*places.v), by_cpu);
	for (size_t i = 0; i < places.n && places.v[i].cpu != LOSS_NO_CPU; i++)
		cpus += !i || places.v[i].cpu != places.v[i - 1].cpu;
	if (cpus == 1 && sum.cpu != LOSS_NO_CPU)
		out_printf(o, " on cpu %llu", (unsigned long long)sum.cpu);
	else if (cpus > 1 && places.v[places.n - 1].cpu != LOSS_NO_CPU)
		out_printf(o, " on %zu cpus", cpus);
	certificate_between(o, sum.first, sum.last, offset);
out:
	losses_free(&places);
	losses_free(&all);
}

static void put_cause(struct out *o, uint64_t cause)
{
	const char *name = cause < ET_CAUSE_END ? et_cause_name((unsigned)cause) : NULL;

	/* Those of a later version are not told apart everywhere. */
	out_text(o, name ? name : "other");
}

static void loss_line(struct out *o, const struct loss *loss, int32_t offset)
{
	out_printf(o, "%12llu  ", (unsigned long long)loss->count);
	put_cause(o, loss->cause);
	if (loss->cause == ET_CAUSE_SKIPPED)
		out_text(o, ", at most,");
	if (loss->cpu != LOSS_NO_CPU)
		out_printf(o, " on cpu %llu", (unsigned long long)loss->cpu);
	certificate_between(o, loss->first, loss->last, offset);
	if (loss->rows > 1)
		out_printf(o, ", in %llu stretches", (unsigned long long)loss->rows);
	if (!loss->rows)
		out_text(o, ", of which no row tells");
	out_char(o, '\n');
}

static int stretches_of(const struct ledger *l, size_t n, struct losses *out)
{
	struct losses all;
	int r = ledger_all_losses(l, &all);

	if (!r)
		r = losses_merged(&all, n, out);
	losses_free(&all);
	return r;
}

uint64_t certificate_losses(struct out *o, const struct ledger *l, size_t stretches, size_t lines,
			    int32_t offset)
{
	struct losses v;
	struct loss rest;
	size_t others;
	uint64_t sum;

	if (stretches_of(l, stretches, &v))
		return 0;
	sum = losses_sum(&v).count;
	losses_keep(&v, lines, &rest, &others);
	for (size_t i = 0; i < v.n; i++)
		loss_line(o, &v.v[i], offset);
	if (others) {
		out_printf(o, "%12llu  in %zu other place%s", (unsigned long long)rest.count, others,
			   plural(others));
		certificate_between(o, rest.first, rest.last, offset);
		out_char(o, '\n');
	}
	losses_free(&v);
	return sum;
}

void certificate_json_losses(struct out *o, const struct ledger *l, size_t stretches)
{
	struct losses v;

	out_text(o, ",\"losses\":[");
	if (stretches_of(l, stretches, &v))
		v = (struct losses){ 0 };
	for (size_t i = 0; i < v.n; i++) {
		const struct loss *loss = &v.v[i];

		out_text(o, i ? ",{\"cause\":\"" : "{\"cause\":\"");
		put_cause(o, loss->cause);
		out_char(o, '"');
		if (loss->cpu != LOSS_NO_CPU)
			json_uint(o, ",", "cpu", loss->cpu);
		json_uint(o, ",", "count", loss->count);
		if (loss->cause == ET_CAUSE_SKIPPED)
			out_text(o, ",\"at_most\":true");
		json_uint(o, ",", "rows", loss->rows);
		json_time(o, ",", "start", loss->first);
		if (loss->last != LOSS_NO_END)
			json_time(o, ",", "end", loss->last);
		out_char(o, '}');
	}
	out_char(o, ']');
	losses_free(&v);
}

/* ---- What is missing ------------------------------------------------------------------------ */

/* A hole, or what is behind the end of a segment without END: then count is 0. */
struct gap {
	const struct ledger_segment *segment;
	uint64_t at, count;
	int64_t first, last;
	bool timed;
};

/*
 * The i-th of a segment. Where a hole's rows are all of kind lost, no event is missing:
 * the losses they told of are known by their count.
 */
static bool gap_at(const struct ledger_segment *s, unsigned i, struct gap *out)
{
	const struct ledger_hole *h = i < s->n_holes ? &s->holes[i] : NULL;

	if (!h && (i > s->n_holes || s->ended || !s->left))
		return false;
	*out = (struct gap){ .segment = s, .timed = true };
	if (h) {
		out->at = h->at;
		out->count = h->to - h->from;
		out->first = h->first;
		out->last = h->last;
		return true;
	}
	out->at = s->end_at;
	out->first = s->edge;
	out->last = LOSS_NO_END;
	out->timed = s->has_edge;
	return true;
}

static void gap_line(struct out *o, const struct gap *gap, bool placed, int32_t offset)
{
	if (gap->count)
		out_printf(o, "%12llu  row%s", (unsigned long long)gap->count, plural(gap->count));
	else
		out_text(o, "           ?  at the end, for it was not ended");
	if (placed)
		out_printf(o, " %s byte %llu", gap->count ? "at" : "behind",
			   (unsigned long long)gap->at);
	if (gap->timed) {
		out_char(o, ',');
		certificate_between(o, gap->first, gap->last, offset);
	}
	out_char(o, '\n');
}

void certificate_gaps(struct out *o, const struct ledger *l, bool placed, size_t lines,
		      int32_t offset)
{
	uint64_t more = 0, places = 0;
	struct gap gap;

	for (size_t k = 0; k < l->n; k++) {
		for (unsigned i = 0; gap_at(&l->v[k], i, &gap); i++) {
			if (lines) {
				gap_line(o, &gap, placed, offset);
				lines--;
				continue;
			}
			places++;
			more += gap.count;
		}
	}
	if (places)
		out_printf(o, "%12llu  in %llu other place%s\n", (unsigned long long)more,
			   (unsigned long long)places, plural(places));
}

void certificate_json_gaps(struct out *o, const struct ledger *l)
{
	const char *before = "{";
	struct gap gap;

	out_text(o, ",\"gaps\":[");
	for (size_t k = 0; k < l->n; k++) {
		for (unsigned i = 0; gap_at(&l->v[k], i, &gap); i++) {
			json_uint(o, before, "at", gap.at);
			if (gap.count)
				json_uint(o, ",", "rows", gap.count);
			if (gap.timed)
				json_time(o, ",", "start", gap.first);
			if (gap.last != LOSS_NO_END)
				json_time(o, ",", "end", gap.last);
			out_char(o, '}');
			before = ",{";
		}
	}
	out_char(o, ']');
}

static void put_range(struct out *o, const char *before, const struct ledger_series *s,
		      uint64_t first, uint64_t last)
{
	out_text(o, before);
	out_text(o, "{\"id\":\"");
	for (size_t i = 0; i < sizeof(s->id); i++)
		out_printf(o, "%02x", s->id[i]);
	out_char(o, '"');
	json_uint(o, ",", "first", first);
	json_uint(o, ",", "last", last);
	out_char(o, '}');
}

void certificate_json_series(struct out *o, const struct ledger *l)
{
	const char *before = "";
	struct ledger_series *v;
	size_t n;

	if (ledger_series(l, &v, &n))
		return;
	out_text(o, ",\"series\":[");
	for (size_t i = 0; i < n; i++)
		put_range(o, i ? "," : "", &v[i], v[i].first, v[i].last);
	out_text(o, "],\"segments_missing\":[");
	for (size_t i = 0; i < n; i++) {
		if (!v[i].goes_on)
			continue;
		put_range(o, before, &v[i], v[i].last + 1, v[i + 1].first - 1);
		before = ",";
	}
	out_char(o, ']');
	free(v);
}
