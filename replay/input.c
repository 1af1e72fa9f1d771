/* SPDX-License-Identifier: BSD-2-Clause */
#include "input.h"

#include <stdlib.h>

#include "ahead.h"
#include "crew.h"
#include "descent.h"
#include "event.h"
#include "feed.h"
#include "scan.h"

/* What may be decoded and waits, or is being decoded, by all threads together. */
#define UNDER_WAY_BYTES (40ull << 20)

/* Of rows that wait, printed already: of all feeds, and of a chunk at most. */
#define TEXT_BYTES (32u << 20)
#define TEXT_OF_CHUNK (8u << 20)

struct input {
	struct feed_shared shared;
	struct source **sources;
	size_t n_sources;
	bool begun; /* the feeds are as they are to be merged */
	struct ledger *ledger;
	struct feed *feeds;
	size_t n;
	struct feed *current; /* has the earliest row, while that is before the bound */
	int64_t bound;        /* earliest row of the others */
	size_t bound_index;
	struct feed *last; /* lent a row to the caller */
	struct descent *descent, *own_descent; /* NULL: whoever descends from whom */
	bool all;        /* as asked for, while feeds hand out all rows; and so with fields */
	uint64_t fields;
};

/* Room for n feeds in the place of those there are. */
static int set_feeds(struct input *in, size_t n)
{
	struct feed *feeds = calloc(n + !n, sizeof(*feeds));

	if (!feeds)
		return -1;
	free(in->feeds);
	in->feeds = feeds;
	in->n = n;
	for (size_t i = 0; i < n; i++)
		feeds[i].shared = &in->shared;
	return 0;
}

/* For --descendants-of. ET_OK or ET_NOMEM. */
static int open_descent(struct input *in, const struct input_options *opt)
{
	struct input_options *own = &in->shared.opt;

	in->all = opt->all;
	in->fields = opt->fields;
	if (!opt->filter->descendants.n)
		return ET_OK;
	in->descent = opt->descent;
	if (!in->descent)
		in->descent = in->own_descent = descent_new(&opt->filter->descendants);
	if (!in->descent)
		return ET_NOMEM;
	own->all = true;
	own->fields = PROCESSES_FIELDS;
	/* What is printed needs more than who a row is about. */
	own->render = NULL;
	return ET_OK;
}

static int set_crew(struct input *in, const struct input_options *opt)
{
	unsigned n = opt->jobs ? opt->jobs : 1;

	in->shared.unit.opt = &in->shared.opt;
	in->shared.unit.renders = in->shared.opt.render && n > 1;
	in->shared.unit.workers = calloc(n, sizeof(*in->shared.unit.workers));
	in->shared.crew = in->shared.unit.workers ? crew_new(n, UNDER_WAY_BYTES) : NULL;
	return in->shared.crew ? 0 : -1;
}

int input_open(struct source **sources, size_t n, const struct input_options *opt,
	       struct input **out)
{
	struct input *in = calloc(1, sizeof(*in));

	*out = NULL;
	if (in)
		in->sources = calloc(n + !n, sizeof(*in->sources));
	if (in)
		in->ledger = ledger_new();
	if (in)
		in->shared.opt = *opt;
	if (!in || !in->sources || !in->ledger || set_feeds(in, n) || open_descent(in, opt) ||
	    set_crew(in, opt)) {
		for (size_t i = 0; i < n; i++)
			source_close(sources[i]);
		input_close(in);
		return -1;
	}
	in->n_sources = n;
	for (size_t i = 0; i < n; i++)
		in->feeds[i].source = in->sources[i] = sources[i];
	*out = in;
	return 0;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	for (size_t i = 0; in->shared.crew && i < in->n; i++)
		feed_free(&in->feeds[i]);
	for (unsigned i = 0; in->shared.crew && i < crew_size(in->shared.crew); i++) {
		scratch_free(&in->shared.unit.workers[i].scratch);
		et_decoder_free(in->shared.unit.workers[i].decoder);
	}
	crew_free(in->shared.crew);
	for (size_t i = 0; i < in->n_sources; i++)
		source_close(in->sources[i]);
	descent_free(in->own_descent);
	ledger_free(in->ledger);
	free(in->feeds);
	free(in->sources);
	free(in->shared.unit.workers);
	rows_free(&in->shared.spare);
	free(in);
}

/* From now on a row that one source has given is not given by another. */
static void share_ledger(struct input *in)
{
	for (size_t i = 0; i < in->n_sources; i++)
		in->sources[i]->all = in->ledger;
}

const struct ledger *input_ledger(const struct input *in)
{
	return in->ledger;
}

static void begin_progress(struct input *in)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < in->n_sources; i++) {
		const struct source *s = in->sources[i];

		/* How much comes from a pipe nobody knows. */
		if (s->pipe)
			return;
		bytes += s->size > s->origin ? s->size - s->origin : 0;
	}
	progress_begin(&in->shared.progress, in->shared.opt.progress, bytes);
}

/* A feed for each source or, where the order of a file is not that of time, its parts. */
static int begin(struct input *in)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < in->n_sources; i++) {
		if (source_split(in->sources[i]))
			return ET_NOMEM;
		n += in->sources[i]->parts ? in->sources[i]->n_parts : 1;
	}
	if (set_feeds(in, n))
		return ET_NOMEM;
	in->shared.unit.text_max = n * FEED_HELD_MAX * TEXT_OF_CHUNK > TEXT_BYTES ?
					   (uint32_t)(TEXT_BYTES / (n * FEED_HELD_MAX)) :
					   TEXT_OF_CHUNK;
	for (size_t i = 0; i < in->n_sources; i++) {
		struct source *s = in->sources[i];

		if (!s->parts)
			in->feeds[k++].source = s;
		for (size_t p = 0; p < s->n_parts; p++)
			in->feeds[k++].source = s->parts[p];
	}
	share_ledger(in);
	begin_progress(in);
	in->begun = true;
	return ET_OK;
}

/* Whether feed a goes before a row of wall time w in the feed of index i. */
static bool before(const struct input *in, const struct feed *a, int64_t w, size_t i)
{
	return a->head < w || (a->head == w && (size_t)(a - in->feeds) < i);
}

/* The feed with the earliest row, NULL at the end. Only that one has moved on. */
static int choose(struct input *in, struct feed **out)
{
	struct feed *f = in->current, *best = NULL;
	bool ready;
	int r;

	if (f) {
		r = feed_fill(f, &ready);
		if (r)
			return r;
		if (ready && before(in, f, in->bound, in->bound_index)) {
			*out = f;
			return ET_OK;
		}
	}
	in->bound = INT64_MAX;
	in->bound_index = SIZE_MAX;
	for (size_t i = 0; i < in->n; i++) {
		struct feed *g = &in->feeds[i];

		r = feed_fill(g, &ready);
		if (r)
			return r;
		if (!ready)
			continue;
		if (!best || before(in, g, best->head, (size_t)(best - in->feeds))) {
			if (best) {
				in->bound = best->head;
				in->bound_index = (size_t)(best - in->feeds);
			}
			best = g;
		} else if (before(in, g, in->bound, in->bound_index)) {
			in->bound = g->head;
			in->bound_index = i;
		}
	}
	in->current = *out = best;
	return ET_OK;
}

/* Of a row that the feed has given: whether it is to be handed out. ET_OK or ET_NOMEM. */
static int judge_descent(struct input *in, struct feed *f, struct input_row *row, bool *out)
{
	struct et_error err;
	bool within;
	int r = descent_take(in->descent, row, &within);

	row->matches &= within;
	*out = row->matches || in->all;
	if (r)
		return r;
	if (!*out)
		source_hidden(f->source);
	else if (in->fields)
		event_pick(row->chunk, row->row, in->fields, &row->ev);
	else
		r = et_chunk_event(row->chunk, row->row, &row->ev, &err);
	return r;
}

int input_next(struct input *in, struct input_row *row)
{
	bool out = true;

	if (!in->begun && begin(in))
		return ET_NOMEM;
	for (;;) {
		struct feed *f;
		int r;

		if (in->last)
			feed_give_back(in->last);
		in->last = NULL;
		r = choose(in, &f);
		if (r)
			return r;
		if (!f) {
			progress_clear(&in->shared.progress);
			return ET_EOF;
		}
		r = feed_take(f, row);
		if (r == ET_CORRUPT)
			continue;
		in->last = f;
		if (!r && in->descent)
			r = judge_descent(in, f, row, &out);
		if (r || out)
			return r;
	}
}

int input_rest(struct input *in)
{
	uint64_t *shown = calloc(in->n_sources + 1, sizeof(*shown));
	struct input_row row;
	int r = shown ? ET_OK : ET_NOMEM;

	for (size_t i = 0; !r && i < in->n_sources; i++)
		shown[i] = in->sources[i]->shown;
	while (!r)
		r = input_next(in, &row);
	for (size_t i = 0; shown && i < in->n_sources; i++)
		in->sources[i]->shown = shown[i];
	free(shown);
	return r == ET_EOF ? ET_OK : r;
}

/* Where it takes all rows to know which ones count. */
static int count_rows(struct input *in, uint64_t limit, uint64_t *count)
{
	struct input_row row;
	int r = ET_OK;

	in->fields = PROCESSES_FIELDS;
	while (!r && *count < limit) {
		r = input_next(in, &row);
		*count += !r && row.matches;
	}
	return r == ET_EOF ? ET_OK : r;
}

static int scan(struct input *in, const struct scan_calls *calls, uint64_t limit,
		uint64_t *count)
{
	int r = ET_OK;

	share_ledger(in);
	begin_progress(in);
	in->shared.unit.calls = calls;
	/* Where it ends is known only when all before was counted. */
	in->shared.in_turn = limit != UINT64_MAX;
	*count = 0;
	for (size_t i = 0; !r && i < in->n && *count < limit; i++)
		r = feed_scan(&in->feeds[i], limit, count);
	for (size_t i = 0; i < in->n; i++)
		ahead_end(&in->feeds[i]);
	progress_clear(&in->shared.progress);
	return r;
}

int input_count(struct input *in, uint64_t limit, uint64_t *count)
{
	static const struct scan_calls none;
	int r;

	*count = 0;
	if (in->descent)
		return count_rows(in, limit, count);
	r = scan(in, &none, limit, count);

	if (*count > limit)
		*count = limit;
	return r;
}

int input_scan(struct input *in, const struct scan_calls *calls)
{
	uint64_t count;
	int r = scan(in, calls, UINT64_MAX, &count);

	for (unsigned i = 0; i < crew_size(in->shared.crew); i++) {
		struct worker *w = &in->shared.unit.workers[i];

		if (w->state && calls->end(calls->ctx, w->state) && !r)
			r = ET_NOMEM;
		w->state = NULL;
	}
	return r;
}
