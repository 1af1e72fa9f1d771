/* SPDX-License-Identifier: BSD-2-Clause */
#include "rewrite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ancestors.h"
#include "compose.h"
#include "descent.h"
#include "gaps.h"
#include "input.h"
#include "segments.h"

/*
 * Captures of one boot have looked at the wall clock each for itself, and differ by
 * little. Their rows would alternate between two clocks and tear every chunk; so one
 * of them rules while they differ by no more than this, and while it has rows.
 */
#define CLOCK_SLACK_NS 10000000
#define CLOCK_IDLE_NS 10000000000u

/* Reading tells of its progress each so many rows. */
#define PROGRESS_ROWS 65536u

/* As long as the library writes it, and a NUL. */
#define REASON_SIZE 4097

/* One source while it is open. */
struct reading {
	struct source *source;
	const struct segment *segment;
	struct gaps_watch watch;
	int64_t since, until;                    /* wall times of the filter */
	uint64_t said[ET_CAUSE_END], said_other; /* lost, by the heads */
	uint64_t told[ET_CAUSE_END], told_other; /* by the rows */
	bool ended;
	struct et_clock end;
	char reason[REASON_SIZE];
};

/* The segment that is being written. */
struct target {
	struct compose *compose; /* NULL: nothing yet */
	struct compose_options options;
	uint64_t row;           /* of all that its sources have handed out */
	struct ancestors *kept; /* NULL: all */
	struct gaps gaps;
	uint64_t beyond[ET_CAUSE_END]; /* lost events that no row tells of */
	struct et_clock last;          /* of the last row */
	struct et_clock ended;
	bool not_ended;             /* one of its sources */
	bool lacks;                 /* segments are missing between its sources */
	char reason[REASON_SIZE];   /* of the source that ended last */
	bool needed;                /* also without any event */
	const struct source *ruler; /* of the clock */
	int64_t offset;
	uint64_t ruled; /* ts of its last row */
};

struct rewrite {
	const struct rewrite_options *opt;
	struct rewrite_result *res;
	struct reason *why;
	struct dest *dest;
	struct segments segments;
	struct target target;
	struct descent *descent; /* over all segments: what one forks lives on in another */
	struct reading *readings; /* that are open */
	size_t n_readings;
	uint64_t undecoded;           /* columns that were noted */
	uint64_t rows_read, rows_all; /* over all passes */
};

static int fail_nomem(const struct rewrite *w)
{
	return reason_set(w->why, EXIT_FAILED, "out of memory");
}

/* What the library said of writing. */
static int fail_write(const struct rewrite *w, const struct et_error *err)
{
	if (err->code == ET_NOMEM)
		return fail_nomem(w);
	return reason_set(w->why, EXIT_FAILED, "cannot write %s: %s", dest_name(w->dest),
			  err->sys ? strerror(err->sys) : err->what);
}

/* What cannot be written ends it, unless that was allowed. */
static int check_strange(const struct rewrite *w)
{
	if (!w->segments.n_strange || w->opt->drop_unknown)
		return 0;
	return reason_set(
		w->why, EXIT_FAILED,
		"the capture has what only a later version knows and this one cannot "
		"write: %s (--drop-unknown leaves it out)",
		w->segments.strange[0]);
}

/* ---- Writing ------------------------------------------------------------------------ */

static int open_target(struct rewrite *w)
{
	struct nameset_source *names = calloc(w->n_readings + 1, sizeof(*names));
	struct et_error err;
	struct et_io io;

	if (!w->target.compose) {
		dest_io(w->dest, &io);
		if (compose_open(&io, &w->target.options, &w->target.compose, &err)) {
			free(names);
			return fail_write(w, &err);
		}
		w->res->segments++;
	}
	if (!names)
		return fail_nomem(w);
	for (size_t i = 0; i < w->n_readings; i++)
		names[i] = (struct nameset_source){ w->readings[i].source,
						    w->readings[i].segment->number };
	compose_sources(w->target.compose, names, w->n_readings);
	free(names);
	return 0;
}

/* Takes out what this version has no place for; it was noted when it was met. */
static void strip(struct et_event *ev)
{
	uint64_t kind = ev->v[ET_F_KIND].u;

	for (unsigned f = 1; f < ET_FIELD_END; f++)
		if (!(et_fields[f].kinds >> kind & 1))
			ev->known &= ~(1ull << f);
}

static int write_event(struct rewrite *w, struct et_event *ev)
{
	struct et_error err;

	if (!w->target.compose && open_target(w))
		return -1;
	if (w->segments.n_strange) {
		if (ev->v[ET_F_KIND].u >= ET_KIND_END)
			return 0;
		strip(ev);
	}
	if (compose_add(w->target.compose, ev, &err))
		return fail_write(w, &err);
	return 0;
}

/* Whether a gap is, in part, between the times asked for. */
static bool wanted(const struct rewrite *w, const struct gap *gap)
{
	const struct reading *r = &w->readings[0];

	return et_clock_wall((struct et_clock){ gap->last, gap->offset }) >= r->since &&
	       et_clock_wall((struct et_clock){ gap->first, gap->offset }) < r->until;
}

static int write_gaps(struct rewrite *w, uint64_t ts)
{
	struct et_event ev;
	struct gap gap;

	while (gaps_next(&w->target.gaps, ts, &gap)) {
		gap_event(&gap, &ev);
		if (wanted(w, &gap) && write_event(w, &ev))
			return -1;
	}
	return 0;
}

/* One of the captures says what the wall clock was. */
static void rule_clock(struct target *t, const struct source *source, struct et_event *ev)
{
	uint64_t ts = ev->v[ET_F_TS].u;
	int64_t apart;

	if (t->ruler && t->ruler != source && ts - t->ruled < CLOCK_IDLE_NS &&
	    !__builtin_sub_overflow(ev->realtime, t->offset, &apart) &&
	    apart <= CLOCK_SLACK_NS && apart >= -CLOCK_SLACK_NS) {
		ev->realtime = t->offset;
		return;
	}
	t->ruler = source;
	t->offset = ev->realtime;
	t->ruled = ts;
}

static struct reading *reading_of(const struct rewrite *w, const struct source *source)
{
	size_t i = 0;

	while (w->readings[i].source != source)
		i++;
	return &w->readings[i];
}

/* Columns that are coded in a way of a later version. */
static int note_undecoded(struct rewrite *w, const struct source *source)
{
	w->undecoded |= source->undecoded;
	for (unsigned f = 1; f < ET_FIELD_END; f++)
		if (source->undecoded >> f & 1)
			segments_note(&w->segments, "column %s in a coding of its own",
				      et_fields[f].name);
	return check_strange(w);
}

static void count_lost(struct reading *r, const struct et_event *ev)
{
	uint64_t cause = ET_HAS(ev, ET_F_CAUSE) ? ev->v[ET_F_CAUSE].u : 0;
	uint64_t *sum = cause < ET_CAUSE_END ? &r->told[cause] : &r->told_other;

	if (__builtin_add_overflow(*sum, ET_HAS(ev, ET_F_COUNT) ? ev->v[ET_F_COUNT].u : 0,
				   sum))
		*sum = UINT64_MAX;
}

static int write_row(struct rewrite *w, struct input_row *row)
{
	struct target *t = &w->target;
	uint64_t ts = row->ev.v[ET_F_TS].u;
	bool lost = row->ev.v[ET_F_KIND].u == ET_LOST;
	struct et_error err;

	t->last = (struct et_clock){ ts, row->ev.realtime };
	if (lost)
		count_lost(reading_of(w, row->source), &row->ev);
	if (write_gaps(w, ts))
		return -1;
	if (t->kept && !ancestors_kept(t->kept, t->row++))
		return 0;
	w->res->kept += !lost;
	if (t->kept && et_chunk_event(row->chunk, row->row, &row->ev, &err))
		return fail_nomem(w);
	if (w->n_readings > 1)
		rule_clock(t, row->source, &row->ev);
	return write_event(w, &row->ev);
}

/* ---- Reading ------------------------------------------------------------------------ */

static void on_record(void *ctx, const struct source *source, const struct et_record *rec)
{
	struct rewrite *w = ctx;
	struct reading *r = reading_of(w, source);
	const struct filter *f = w->opt->filter;

	if (w->target.compose && (rec->type == ET_REC_USERS || rec->type == ET_REC_CGROUPS))
		compose_news(w->target.compose);
	gaps_record(&w->target.gaps, &r->watch, rec);
	if (rec->type == ET_REC_END) {
		size_t n = rec->reason.len < sizeof(r->reason) - 1 ? rec->reason.len
								   : sizeof(r->reason) - 1;

		r->ended = true;
		r->end = rec->ended;
		if (n)
			memcpy(r->reason, rec->reason.ptr, n);
		r->reason[n] = 0;
	}
	/* Of what is not read for its time, the losses do not count either. */
	if (f && f->has_until && (!rec->rows || et_record_wall(rec, rec->ts_min) >= r->until))
		return;
	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		if (rec->lost[i] > r->said[i])
			r->said[i] = rec->lost[i];
	if (rec->lost_other > r->said_other)
		r->said_other = rec->lost_other;
}

/* What a source said at its end goes into what the segment says at its own. */
static void take_end(struct rewrite *w, struct reading *r)
{
	struct target *t = &w->target;

	for (unsigned i = 0; i < ET_CAUSE_END; i++) {
		uint64_t more = r->said[i] > r->told[i] ? r->said[i] - r->told[i] : 0;

		if (__builtin_add_overflow(t->beyond[i], more, &t->beyond[i]))
			t->beyond[i] = UINT64_MAX;
	}
	if (r->said_other > r->told_other)
		segments_note(&w->segments,
			      "lost events counted by causes that have no name here");
	if (!r->ended || !strncmp(r->reason, ET_NOT_ENDED, strlen(ET_NOT_ENDED)))
		t->not_ended = true;
	if (r->ended && (!*t->reason || r->end.ts >= t->ended.ts))
		memcpy(t->reason, r->reason, sizeof(t->reason));
	if (r->ended && r->end.ts >= t->ended.ts)
		t->ended = r->end;
}

static int end_reading(struct rewrite *w, struct reading *r)
{
	struct source *s = r->source;
	uint64_t at = r->segment->at;

	gaps_record(&w->target.gaps, &r->watch, NULL);
	take_end(w, r);
	for (uint64_t i = 0; i < s->n_faults && i < SOURCE_FAULTS; i++)
		s->faults[i].at += at;
	if (s->failure.code == ET_NOMEM)
		return fail_nomem(w);
	if (s->failure.code)
		return reason_set(w->why, EXIT_FAILED, "%s: cannot read on at byte %llu: %s",
				  s->name, (unsigned long long)(s->failure.at + at),
				  s->failure.sys ? strerror(s->failure.sys) : s->failure.what);
	if (w->opt->read)
		w->opt->read(w->opt->ctx, s);
	return 0;
}

/* Names told late, and what is wrong, once all of these sources were read. */
static int end_readings(struct rewrite *w)
{
	struct et_error err;

	for (size_t i = 0; i < w->n_readings; i++)
		if (end_reading(w, &w->readings[i]))
			return -1;
	if (check_strange(w) || write_gaps(w, UINT64_MAX))
		return -1;
	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		w->target.needed |= w->target.beyond[i] != 0;
	if (w->target.needed && !w->target.compose && open_target(w))
		return -1;
	if (w->target.compose && compose_settle(w->target.compose, &err))
		return fail_write(w, &err);
	return 0;
}

static void bind_times(const struct rewrite *w, struct reading *r)
{
	const struct filter *f = w->opt->filter;
	struct filter_scope scope = { 0 };

	r->since = INT64_MIN;
	r->until = INT64_MAX;
	if (!f)
		return;
	scope_bind_times(&scope, f, r->source->start, w->opt->utc ? 0 : r->source->offset);
	r->since = scope.since;
	r->until = scope.until;
}

/* Opens the segments [first, end); *in then owns the sources. */
static int open_readings(struct rewrite *w, size_t first, size_t end, bool writing,
			 struct input **in)
{
	static const struct filter everything;
	const struct input_options io = {
		.filter = w->opt->filter ? w->opt->filter : &everything,
		.utc = w->opt->utc,
		.all = w->opt->filter != NULL,
		.descent = writing ? NULL : w->descent,
		.one_boot = true,
		.fields = !w->opt->filter ? 0
			  : writing       ? 1ull << ET_F_KIND | 1ull << ET_F_TS |
					      1ull << ET_F_CAUSE | 1ull << ET_F_COUNT
				    : ANCESTORS_FIELDS,
		.record = writing ? on_record : NULL,
		.ctx = w,
	};
	size_t n = end - first;
	struct source **sources = calloc(n, sizeof(struct source *));

	free(w->readings);
	w->readings = calloc(n, sizeof(*w->readings));
	w->n_readings = 0;
	if (!sources || !w->readings) {
		free(sources);
		return fail_nomem(w);
	}
	for (size_t i = 0; i < n; i++) {
		struct reading *r = &w->readings[i];

		if (segments_read(&w->segments, first + i, &sources[i], w->why)) {
			while (i)
				source_close(sources[--i]);
			free(sources);
			return -1;
		}
		r->source = sources[i];
		r->segment = &w->segments.v[first + i];
		r->watch.source = sources[i];
		bind_times(w, r);
	}
	w->n_readings = n;
	n = input_open(sources, n, &io, in) ? 0 : n;
	free(sources);
	return n ? 0 : fail_nomem(w);
}

static void tell_progress(struct rewrite *w)
{
	if (w->opt->progress && ++w->rows_read % PROGRESS_ROWS == 0)
		w->opt->progress(w->opt->ctx, w->rows_read, w->rows_all);
}

/* An input's rows, to be marked or to be written. */
static int run_rows(struct rewrite *w, struct input *in, bool writing)
{
	struct input_row row = { 0 };
	int r;

	while (!(r = input_next(in, &row))) {
		tell_progress(w);
		if (row.source->undecoded & ~w->undecoded && note_undecoded(w, row.source))
			return -1;
		if (!writing) {
			if (ancestors_take(w->target.kept, &row.ev, row.matches))
				return fail_nomem(w);
			continue;
		}
		for (size_t i = 0; i < w->n_readings; i++)
			gaps_rows(&w->target.gaps, &w->readings[i].watch);
		if (write_row(w, &row))
			return -1;
	}
	return r == ET_EOF ? 0 : fail_nomem(w);
}

/* Goes once over the segments [first, end) of one group. */
static int run_pass(struct rewrite *w, size_t first, size_t end, bool writing)
{
	while (first < end) {
		size_t next = segments_overlap(&w->segments, first);
		struct input *in = NULL;
		int r = open_readings(w, first, next, writing, &in);

		w->target.ruler = NULL;
		if (!r && w->target.compose)
			r = open_target(w);
		if (!r)
			r = run_rows(w, in, writing);
		if (!r && writing)
			r = end_readings(w);
		input_close(in);
		w->n_readings = 0;
		if (r)
			return r;
		first = next;
	}
	return 0;
}

/* ---- Segments ------------------------------------------------------------------------- */

static void describe_target(struct rewrite *w, size_t first, size_t end)
{
	struct compose_options *o = &w->target.options;
	const struct segment *g = &w->segments.v[first];

	*o = (struct compose_options){ .chunk_rows = w->opt->chunk_rows };
	o->writer.program = w->opt->program;
	o->writer.level = w->opt->level;
	memcpy(o->writer.boot_id, g->boot_id, sizeof(g->boot_id));
	o->writer.started = g->started;
	for (size_t i = first; i < end; i++)
		if (w->segments.v[i].has_started &&
		    w->segments.v[i].started.ts < o->writer.started.ts)
			o->writer.started = w->segments.v[i].started;
}

/* It is still that segment of that recording (SPEC.md 7). */
static void keep_series(struct rewrite *w, const struct segment *g)
{
	memcpy(w->target.options.writer.series, g->series, sizeof(g->series));
	w->target.options.writer.number = g->nth;
}

static const char *why_ended(const struct rewrite *w)
{
	const struct target *t = &w->target;

	if (!strncmp(t->reason, ET_NOT_ENDED, strlen(ET_NOT_ENDED)))
		return t->reason;
	if (t->lacks)
		return ET_NOT_ENDED ": segments of the recording were not there";
	if (t->not_ended)
		return ET_NOT_ENDED ": made from a capture without END";
	return w->opt->filter ? "cut from a capture" : t->reason;
}

/*
 * Losses that only the heads have counted, because the row that told of them could not
 * be read: all that is known of their time is that of the recording.
 */
static int write_beyond(struct rewrite *w, struct et_clock end)
{
	struct target *t = &w->target;
	const struct et_clock *start = &t->options.writer.started;

	for (unsigned i = 0; i < ET_CAUSE_END; i++) {
		struct et_event ev = { .realtime = start->offset };

		if (!t->beyond[i])
			continue;
		et_set_uint(&ev, ET_F_KIND, ET_LOST);
		et_set_uint(&ev, ET_F_TS, start->ts);
		et_set_uint(&ev, ET_F_UNTIL, end.ts > start->ts ? end.ts : start->ts);
		et_set_uint(&ev, ET_F_COUNT, t->beyond[i]);
		et_set_uint(&ev, ET_F_CAUSE, i);
		if (write_event(w, &ev))
			return -1;
	}
	return 0;
}

static int end_target(struct rewrite *w)
{
	struct target *t = &w->target;
	struct et_clock end = t->ended.ts ? t->ended : t->last;
	struct et_error err;
	int r;

	if (!t->compose)
		return 0;
	if (write_beyond(w, end))
		return -1;
	r = compose_end(t->compose, end, why_ended(w), &err);
	w->res->bytes_out += compose_bytes(t->compose);
	return r ? fail_write(w, &err) : 0;
}

static int run_group(struct rewrite *w, size_t first, size_t end)
{
	uint64_t rows = 0, for_others = 0, kept;
	int r = 0;

	w->target = (struct target){ 0 };
	describe_target(w, first, end);
	/* Recordings of which nothing is kept go, but a capture has one at least. */
	w->target.needed = !w->opt->filter || (end == w->segments.n && !w->res->segments);
	for (size_t i = first; i < end; i++)
		rows += w->segments.v[i].rows;
	if (w->opt->filter) {
		w->target.kept = ancestors_new(w->opt->ancestors);
		r = w->target.kept ? run_pass(w, first, end, false) : fail_nomem(w);
	}
	if (!r && w->target.kept) {
		kept = ancestors_rows(w->target.kept, &for_others);
		w->target.options.cut = kept < rows;
		w->res->ancestors += for_others;
	}
	if (end - first == 1 && !w->target.options.cut && w->segments.v[first].has_series)
		keep_series(w, &w->segments.v[first]);
	else
		w->target.lacks = segments_lack(&w->segments, first, end);
	if (!r)
		r = run_pass(w, first, end, true);
	if (!r)
		r = end_target(w);
	compose_close(w->target.compose);
	ancestors_free(w->target.kept);
	return r;
}

static int run_groups(struct rewrite *w)
{
	w->rows_all = w->segments.rows * (w->opt->filter ? 2 : 1);
	for (size_t i = 0, end; i < w->segments.n; i = end) {
		for (end = i + 1;
		     end < w->segments.n && w->segments.v[end].group == w->segments.v[i].group;
		     end++)
			;
		if (run_group(w, i, end))
			return -1;
	}
	return 0;
}

static void tell_gone(struct rewrite_result *res, const struct ledger_series *s)
{
	const struct capture *before = s->last_owner, *after = s[1].first_owner;
	unsigned long long first = s->last + 1, last = s[1].first - 1;
	char several[32] = "";

	if (last > first)
		snprintf(several, sizeof(several), " to %llu", last);
	if (asprintf(&res->gone[res->n_gone], "segment%s %llu%s of a recording, between %s and %s",
		     last > first ? "s" : "", first, several, before->spool.name,
		     after->spool.name) >= 0)
		res->n_gone++;
}

int rewrite(const struct rewrite_options *opt, struct dest *dest, struct rewrite_result *res,
	    struct reason *why)
{
	struct rewrite w = { .opt = opt, .res = res, .why = why, .dest = dest };
	int r;

	*res = (struct rewrite_result){ 0 };
	r = segments_open(opt->names, opt->n, &w.segments, why);
	if (!r && opt->opened)
		r = opt->opened(opt->ctx, why);
	if (!r)
		r = segments_look(&w.segments, opt->join, why);
	if (!r)
		r = check_strange(&w);
	if (!r && opt->filter && opt->filter->descendants.n) {
		w.descent = descent_new(&opt->filter->descendants);
		r = w.descent ? 0 : fail_nomem(&w);
	}
	if (!r)
		r = run_groups(&w);
	descent_free(w.descent);
	for (size_t i = 0; i < w.segments.n_series && res->n_gone < REWRITE_GONE; i++)
		if (w.segments.series[i].goes_on)
			tell_gone(res, &w.segments.series[i]);
	res->events = w.segments.events;
	res->bytes_in = w.segments.bytes;
	res->kept -= res->ancestors < res->kept ? res->ancestors : res->kept;
	for (unsigned i = 0; i < w.segments.n_strange && i < REWRITE_DROPPED; i++) {
		res->dropped[res->n_dropped++] = w.segments.strange[i];
		w.segments.strange[i] = NULL;
	}
	segments_close(&w.segments);
	free(w.readings);
	return r;
}

void rewrite_free(struct rewrite_result *res)
{
	for (unsigned i = 0; i < res->n_dropped; i++)
		free(res->dropped[i]);
	for (unsigned i = 0; i < res->n_gone; i++)
		free(res->gone[i]);
	res->n_dropped = res->n_gone = 0;
}
