/* SPDX-License-Identifier: BSD-2-Clause */
#include "input.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "proctable.h"

/*
 * How far time steps back between neighbours of a file: a CPU may be interrupted
 * between reading the clock and reserving room in the ring. Tens of microseconds
 * are usual, a few milliseconds have been seen where the host takes a virtual
 * CPU away. A row waits until one this much younger is known.
 */
#define WINDOW_NS 10000000u

/* A pipe that is silent for so long has nothing that belongs before what waits. */
#define SILENCE_MS 20

/*
 * Chunks kept for rows that wait; rather than pile up more, rows are handed out
 * early. Of the recorder's chunks two reach over the window at its busiest. What a
 * chunk decodes to is bounded by its rows and by the format, at the most to some
 * 128 MiB, and with one of as many rows as can be no more than one other is kept.
 */
#define HELD_MAX 4
#define HELD_ROWS 262144u

struct pending {
	uint64_t ts;
	uint64_t duration;
	uint32_t row;
	uint32_t held; /* index into feed.held */
};

struct held {
	struct et_chunk *chunk; /* NULL: free */
	uint32_t left;          /* rows of it that wait */
	bool checked;           /* all its columns can be read */
	int64_t realtime;
};

/* One source on its way into the merge. */
struct feed {
	struct source *source;
	struct filter_scope scope;
	struct proctable procs;

	struct pending *rows; /* rows[at..n) wait, ascending in ts */
	size_t at, n, cap;
	struct held held[HELD_MAX];
	unsigned n_held;
	uint64_t held_rows; /* of these chunks, also those that do not wait */
	uint64_t newest;    /* highest ts of the segment so far */
	uint64_t release;   /* rows up to this ts may go */

	struct et_record stalled; /* a FILE_HEADER that waits for the rows before it */
	bool has_stalled;
	bool unbound, timed; /* names came since the scope was bound; it has its times */
	bool ended;

	int64_t head; /* wall time of the row that is next */
};

struct input {
	struct input_options opt;
	struct feed *feeds;
	size_t n;
	struct feed *current; /* has the earliest row, while that is before the bound */
	int64_t bound;        /* earliest row of the others */
	size_t bound_index;
	struct feed *last; /* its chunk last_held is still lent to the caller */
	uint32_t last_held;
	uint8_t *selected;
	size_t selected_cap;
	struct pending *spare; /* for sorting and merging */
	size_t spare_cap;
};

int input_open(struct source **sources, size_t n, const struct input_options *opt,
	       struct input **out)
{
	struct input *in = calloc(1, sizeof(*in));

	*out = NULL;
	if (in)
		in->feeds = calloc(n + !n, sizeof(*in->feeds));
	if (!in || !in->feeds) {
		for (size_t i = 0; i < n; i++)
			source_close(sources[i]);
		free(in);
		return -1;
	}
	in->opt = *opt;
	in->n = n;
	for (size_t i = 0; i < n; i++)
		in->feeds[i].source = sources[i];
	*out = in;
	return 0;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->n; i++) {
		struct feed *f = &in->feeds[i];

		for (unsigned k = 0; k < HELD_MAX; k++)
			et_chunk_free(f->held[k].chunk);
		free(f->rows);
		scope_free(&f->scope);
		proctable_free(&f->procs);
		source_close(f->source);
	}
	free(in->feeds);
	free(in->selected);
	free(in->spare);
	free(in);
}

/* ---- From records to rows that wait ----------------------------------------------- */

static int room_for_pending(struct pending **p, size_t *cap, size_t n)
{
	struct pending *more;

	if (n <= *cap)
		return ET_OK;
	n += n / 2;
	more = reallocarray(*p, n, sizeof(*more));
	if (!more)
		return ET_NOMEM;
	*p = more;
	*cap = n;
	return ET_OK;
}

/* Stable: on equal times the order of the file stands. */
static void merge(struct pending *to, const struct pending *a, size_t na,
		  const struct pending *b, size_t nb)
{
	while (na && nb) {
		if (b->ts < a->ts) {
			*to++ = *b++;
			nb--;
		} else {
			*to++ = *a++;
			na--;
		}
	}
	if (na)
		memcpy(to, a, na * sizeof(*a));
	else if (nb)
		memcpy(to, b, nb * sizeof(*b));
}

/* By runs that are in order already, which in a capture are long. */
static void sort_rows(struct pending *p, size_t n, struct pending *spare)
{
	for (;;) {
		size_t runs = 0, i = 0;

		while (i < n) {
			size_t a = i, b, end;

			for (i++; i < n && p[i].ts >= p[i - 1].ts; i++)
				;
			b = i;
			if (b < n)
				for (i++; i < n && p[i].ts >= p[i - 1].ts; i++)
					;
			end = i;
			runs++;
			if (b == end)
				continue;
			merge(spare, p + a, b - a, p + b, end - b);
			memcpy(p + a, spare, (end - a) * sizeof(*p));
		}
		if (runs <= 1)
			return;
	}
}

/*
 * What earlier events say about how long a process lived. All rows go through
 * it, whatever the filter, as an exec that is not shown begins a span too.
 */
static int take_processes(struct feed *f, struct et_chunk *c, const uint8_t *selected,
			  uint32_t held, size_t *n, struct et_error *err)
{
	const uint64_t *kind, *ts, *pid, *start;
	uint32_t rows = et_chunk_rows(c);
	int r = et_chunk_uints(c, ET_F_KIND, &kind, err);

	if (!r)
		r = et_chunk_uints(c, ET_F_TS, &ts, err);
	if (!r)
		r = et_chunk_uints(c, ET_F_PID, &pid, err);
	if (!r)
		r = et_chunk_uints(c, ET_F_START, &start, err);
	if (r)
		return r;
	for (uint32_t i = 0; i < rows; i++) {
		uint64_t d = proctable_take(&f->procs, kind[i], ts[i], pid[i], start[i]);

		if (selected[i])
			f->rows[f->n + (*n)++] = (struct pending){ ts[i], d, i, held };
	}
	return ET_OK;
}

static int take_rows(struct et_chunk *c, struct feed *f, const uint8_t *selected,
		     uint32_t held, size_t *n, struct et_error *err)
{
	const uint64_t *ts;
	uint32_t rows = et_chunk_rows(c);
	int r = et_chunk_uints(c, ET_F_TS, &ts, err);

	if (r)
		return r;
	for (uint32_t i = 0; i < rows; i++)
		if (selected[i])
			f->rows[f->n + (*n)++] = (struct pending){ ts[i], ET_NONE, i, held };
	return ET_OK;
}

static int room_for_selected(struct input *in, uint32_t rows)
{
	uint8_t *more;

	if (in->selected_cap >= (size_t)rows + 1)
		return ET_OK;
	more = realloc(in->selected, (size_t)rows + 1);
	if (!more)
		return ET_NOMEM;
	in->selected = more;
	in->selected_cap = (size_t)rows + 1;
	return ET_OK;
}

/*
 * Names and times that the filter needs, as far as the segment has told them. Only
 * in front of rows: however many records of names come, they cost one binding.
 */
static int bind(struct input *in, struct feed *f, const struct et_record *rec)
{
	const struct source *s = f->source;

	f->unbound |= rec->type == ET_REC_FILE || rec->type == ET_REC_USERS;
	if (!rec->rows)
		return ET_OK;
	if (f->unbound || !f->scope.filter) {
		if (scope_bind(&f->scope, in->opt.filter, s->names))
			return ET_NOMEM;
		f->unbound = false;
	}
	if (!f->timed) {
		scope_bind_times(&f->scope, in->opt.filter, s->start,
				 in->opt.utc ? 0 : s->offset);
		f->timed = true;
	}
	return ET_OK;
}

/* Adds the rows of a decoded chunk that the filter wants; takes the chunk over. */
static int add_chunk(struct input *in, struct feed *f, const struct et_record *rec,
		     struct et_chunk *c)
{
	uint32_t rows = et_chunk_rows(c), slot = 0;
	size_t waiting = f->n - f->at, n = 0;
	struct et_error err;
	int r = ET_NOMEM;

	while (f->held[slot].chunk)
		slot++;
	if (f->at) {
		memmove(f->rows, f->rows + f->at, waiting * sizeof(*f->rows));
		f->n = waiting;
		f->at = 0;
	}
	if (room_for_selected(in, rows) || room_for_pending(&f->rows, &f->cap, f->n + rows) ||
	    room_for_pending(&in->spare, &in->spare_cap, f->n + rows))
		goto out;
	r = scope_select(&f->scope, f->source->names, rec, c, in->selected, &err);
	if (!r)
		r = in->opt.durations ? take_processes(f, c, in->selected, slot, &n, &err)
				      : take_rows(c, f, in->selected, slot, &n, &err);
	if (r) {
		if (r != ET_NOMEM) {
			source_fault(f->source, rec, &err);
			r = ET_OK;
		}
		goto out;
	}
	if (!n)
		goto out;
	sort_rows(f->rows + f->n, n, in->spare);
	if (f->n && f->rows[f->n].ts < f->rows[f->n - 1].ts) {
		merge(in->spare, f->rows, f->n, f->rows + f->n, n);
		memcpy(f->rows, in->spare, (f->n + n) * sizeof(*f->rows));
	}
	f->n += n;
	f->held[slot] = (struct held){ c, (uint32_t)n, false, rec->realtime };
	f->n_held++;
	f->held_rows += rows;
	c = NULL;
out:
	et_chunk_free(c);
	return r;
}

static bool wanted(const struct input *in, const struct feed *f, const struct et_record *rec)
{
	if (scope_may_match(&f->scope, f->source->names, rec))
		return true;
	/* No row of it is shown, but a later exit may be counted from one. */
	return in->opt.durations && (rec->kinds[ET_EXEC] || rec->kinds[ET_FORK] ||
				     rec->kinds[ET_PROC] || rec->kinds[ET_EXIT]);
}

static int take_record(struct input *in, struct feed *f, const struct et_record *rec)
{
	struct et_chunk *c;
	struct et_error err;
	int r;

	source_take(f->source, rec);
	if (rec->type == ET_REC_FILE) {
		proctable_free(&f->procs);
		f->newest = 0;
	}
	r = bind(in, f, rec);
	if (r || !rec->rows)
		return r;
	if (rec->ts_max > f->newest)
		f->newest = rec->ts_max;
	f->release = f->newest > WINDOW_NS ? f->newest - WINDOW_NS : 0;
	if (!wanted(in, f, rec))
		return ET_OK;
	r = et_reader_chunk(f->source->reader, &c, &err);
	if (r == ET_UNSUPPORTED)
		source_fault(f->source, rec, &err);
	if (r)
		return r == ET_NOMEM ? ET_NOMEM : ET_OK;
	return add_chunk(in, f, rec, c);
}

/* ---- From rows to events ------------------------------------------------------------ */

static void set_head(struct feed *f)
{
	const struct pending *p = &f->rows[f->at];

	f->head = et_context_realtime(f->source->names, p->ts, f->held[p->held].realtime);
}

static void idle(const struct input *in)
{
	if (in->opt.idle)
		in->opt.idle(in->opt.ctx);
}

/* Whether a row is ready; reads until one is. False: the source has no more. */
static int feed_fill(struct input *in, struct feed *f, bool *ready)
{
	struct source *s = f->source;
	struct et_record rec;
	int r;

	for (;;) {
		bool waits = f->at < f->n;

		*ready = waits;
		if (waits && (f->rows[f->at].ts <= f->release || f->n_held == HELD_MAX ||
			      f->held_rows > HELD_ROWS)) {
			set_head(f);
			return ET_OK;
		}
		if (f->ended)
			return ET_OK;
		if (f->has_stalled) {
			f->has_stalled = false;
			r = take_record(in, f, &f->stalled);
			if (r)
				return r;
		}
		if (s->pipe && !source_wait(s, 0)) {
			idle(in);
			if (!source_wait(s, waits ? SILENCE_MS : -1)) {
				f->release = UINT64_MAX;
				continue;
			}
		}
		if (!source_next(s, &rec)) {
			f->ended = true;
			f->release = UINT64_MAX;
		} else if (rec.type == ET_REC_FILE && waits) {
			f->stalled = rec;
			f->has_stalled = true;
			f->release = UINT64_MAX;
		} else {
			r = take_record(in, f, &rec);
			if (r)
				return r;
		}
	}
}

static void let_go(struct feed *f, struct held *h)
{
	f->held_rows -= et_chunk_rows(h->chunk);
	f->n_held--;
	et_chunk_free(h->chunk);
	h->chunk = NULL;
}

/* The chunk of the row that was lent last goes when none of its rows waits. */
static void give_back(struct input *in)
{
	struct feed *f = in->last;

	in->last = NULL;
	if (f && !--f->held[in->last_held].left)
		let_go(f, &f->held[in->last_held]);
}

static int make_event(const struct input *in, const struct feed *f, struct held *h,
		      struct input_row *row, struct et_error *err)
{
	int r = h->checked ? ET_OK : event_check(f->source, h->chunk, err);

	if (r)
		return r;
	h->checked = true;
	if (!in->opt.fields)
		return et_chunk_event(h->chunk, row->row, &row->ev, err);
	event_pick(h->chunk, row->row, in->opt.fields, &row->ev);
	return ET_OK;
}

/* Its rows that wait go with a damaged chunk, as one fault. */
static void drop_chunk(struct feed *f, uint32_t held, const struct et_error *err)
{
	struct held *h = &f->held[held];
	size_t n = f->at;

	for (size_t i = f->at; i < f->n; i++)
		if (f->rows[i].held != held)
			f->rows[n++] = f->rows[i];
	f->n = n;
	source_fault(f->source, &(struct et_record){ .at = err->at, .rows = h->left }, err);
	let_go(f, h);
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
		r = feed_fill(in, f, &ready);
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

		r = feed_fill(in, g, &ready);
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

int input_next(struct input *in, struct input_row *row)
{
	for (;;) {
		struct et_error err;
		const struct pending *p;
		struct feed *f;
		int r;

		give_back(in);
		r = choose(in, &f);
		if (r)
			return r;
		if (!f)
			return ET_EOF;
		p = &f->rows[f->at++];
		in->last = f;
		in->last_held = p->held;
		row->chunk = f->held[p->held].chunk;
		row->row = p->row;
		row->wall = f->head;
		row->duration = p->duration;
		row->source = f->source;
		r = make_event(in, f, &f->held[p->held], row, &err);
		if (!r) {
			f->source->shown++;
			return ET_OK;
		}
		if (r == ET_NOMEM)
			return r;
		in->last = NULL;
		drop_chunk(f, p->held, &err);
	}
}

/* ---- Counting ------------------------------------------------------------------------- */

static int count_record(struct input *in, struct feed *f, const struct et_record *rec,
			uint64_t limit, uint64_t *count)
{
	struct et_chunk *c = NULL;
	struct et_error err;
	uint64_t n = 0;
	uint32_t rows;
	int r;

	source_take(f->source, rec);
	r = bind(in, f, rec);
	if (r || !rec->rows)
		return r;
	if (scope_matches_all(&f->scope, f->source->names, rec)) {
		const uint8_t *body;

		/* No later record will tell whether the capture ends inside the last. */
		if (rec->rows >= limit - *count &&
		    et_reader_body(f->source->reader, &body, &err))
			return err.code == ET_NOMEM ? ET_NOMEM : ET_OK;
		*count += rec->rows;
		f->source->shown += rec->rows;
		return ET_OK;
	}
	if (!scope_may_match(&f->scope, f->source->names, rec))
		return ET_OK;
	r = et_reader_chunk(f->source->reader, &c, &err);
	if (r) {
		if (r == ET_UNSUPPORTED)
			source_fault(f->source, rec, &err);
		return r == ET_NOMEM ? ET_NOMEM : ET_OK;
	}
	rows = et_chunk_rows(c);
	r = room_for_selected(in, rows);
	if (!r)
		r = scope_select(&f->scope, f->source->names, rec, c, in->selected, &err);
	if (!r) {
		for (uint32_t i = 0; i < rows; i++)
			n += in->selected[i];
		*count += n;
		f->source->shown += n;
	} else if (r != ET_NOMEM) {
		source_fault(f->source, rec, &err);
		r = ET_OK;
	}
	et_chunk_free(c);
	return r;
}

static bool is_cut_off(const struct source *s, const struct et_record *rec)
{
	struct et_reader_stats st;

	et_reader_stats(s->reader, &st);
	return st.truncated && s->fault_at == rec->at;
}

int input_count(struct input *in, uint64_t limit, uint64_t *count)
{
	*count = 0;
	for (size_t i = 0; i < in->n && *count < limit; i++) {
		struct feed *f = &in->feeds[i];
		struct et_record rec = { 0 };
		uint64_t n = 0; /* rows of rec that were counted */

		while (*count < limit && source_next(f->source, &rec)) {
			int r;

			n = *count;
			r = count_record(in, f, &rec, limit, count);
			if (r)
				return r;
			n = *count - n;
		}
		/* By its head alone, and only then the end of the input was met. */
		if (is_cut_off(f->source, &rec)) {
			f->source->shown -= n;
			*count -= n;
		}
	}
	if (*count > limit)
		*count = limit;
	return ET_OK;
}
