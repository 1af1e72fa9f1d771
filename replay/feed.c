/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"

/*
 * How far time steps back between neighbours of a file: a CPU may be interrupted
 * between reading the clock and reserving room in the ring. Tens of microseconds
 * are usual, a few milliseconds have been seen where the host takes a virtual
 * CPU away. A row waits until one this much younger is known.
 */
#define WINDOW_NS 10000000u

/* A pipe that is silent for so long has nothing that belongs before what waits. */
#define SILENCE_MS 20

/* ---- From records to rows that wait ----------------------------------------------- */

/*
 * Names and times that the filter needs, as far as the segment has told them. Only
 * in front of rows: however many records of names come, they cost one binding.
 */
int feed_bind(struct feed *f, const struct et_record *rec)
{
	const struct input_options *opt = &f->shared->opt;
	const struct source *s = f->source;

	f->unbound |= rec->type == ET_REC_FILE || rec->type == ET_REC_USERS;
	f->ranged &= rec->type != ET_REC_FILE;
	if (!rec->rows)
		return ET_OK;
	if (f->unbound || !f->scope.filter) {
		if (scope_bind(&f->scope, opt->filter, s->names))
			return ET_NOMEM;
		f->unbound = false;
	}
	if (!f->timed) {
		scope_bind_times(&f->scope, opt->filter, s->start, opt->utc ? 0 : s->offset);
		f->timed = true;
	}
	if (!f->ranged && !opt->whole)
		et_reader_range(s->reader, opt->all ? INT64_MIN : f->scope.since,
				f->scope.until);
	f->ranged = true;
	return ET_OK;
}

bool feed_reads(const struct feed *f, const struct et_record *rec, bool matches)
{
	const struct source *s = f->source;

	return (s->wanted && matches) || ((s->wanted || s->fresh) && rec->kinds[ET_LOST]);
}

int feed_check(struct feed *f)
{
	struct et_error err;
	const uint8_t *body;

	if (!f->shared->opt.whole || !et_reader_body(f->source->reader, &body, &err))
		return ET_OK;
	source_failed(f->source);
	return err.code == ET_NOMEM ? ET_NOMEM : ET_OK;
}

int feed_room_for_selected(struct feed *f, uint32_t rows)
{
	struct feed_shared *sh = f->shared;
	uint8_t *more;

	if (sh->selected_cap >= (size_t)rows + 1)
		return ET_OK;
	more = realloc(sh->selected, (size_t)rows + 1);
	if (!more)
		return ET_NOMEM;
	sh->selected = more;
	sh->selected_cap = (size_t)rows + 1;
	return ET_OK;
}

/* Puts the rows that are selected, or all, behind those that wait. */
static int take_rows(struct feed *f, struct et_chunk *c, uint16_t held, size_t *n,
		     struct et_error *err)
{
	const uint8_t *selected = f->shared->selected;
	struct waiting_row *to = f->rows.v + f->rows.n;
	const uint64_t *ts;
	uint32_t rows = et_chunk_rows(c);
	int r = et_chunk_uints(c, ET_F_TS, &ts, err);

	if (r)
		return r;
	for (uint32_t i = 0; i < rows; i++)
		if (selected[i] || f->shared->opt.all)
			to[(*n)++] = (struct waiting_row){ ts[i], i, held, selected[i] };
	return ET_OK;
}

/* Adds the rows of a decoded chunk that the filter wants; takes the chunk over. */
static int add_chunk(struct feed *f, const struct et_record *rec, struct et_chunk *c)
{
	uint32_t rows = et_chunk_rows(c);
	uint16_t slot = 0;
	struct et_error err;
	size_t n = 0;
	int r = ET_NOMEM;

	while (f->held[slot].chunk)
		slot++;
	source_losses(f->source, c, f->scope.since, f->scope.until);
	if (!f->source->wanted) {
		r = ET_OK;
		goto out;
	}
	if (feed_room_for_selected(f, rows) || rows_room(&f->rows, rows))
		goto out;
	r = scope_select(&f->scope, &f->shared->scratch, rec, c, f->shared->selected, &err);
	if (!r)
		r = take_rows(f, c, slot, &n, &err);
	if (r) {
		if (r != ET_NOMEM) {
			source_fault(f->source, rec, &err);
			r = ET_OK;
		}
		goto out;
	}
	if (!n)
		goto out;
	if (rows_add(&f->rows, n, &f->shared->spare)) {
		r = ET_NOMEM;
		goto out;
	}
	f->held[slot] = (struct feed_held){ c, (uint32_t)n, false };
	f->n_held++;
	f->held_rows += rows;
	c = NULL;
out:
	et_chunk_free(c);
	return r;
}

static int take_record(struct feed *f, const struct et_record *rec)
{
	struct et_chunk *c;
	struct et_error err;
	int r;

	source_take(f->source, rec);
	if (f->shared->opt.record)
		f->shared->opt.record(f->shared->opt.ctx, f->source, rec);
	if (rec->type == ET_REC_FILE)
		f->newest = 0;
	r = feed_bind(f, rec);
	if (r || !rec->rows)
		return r;
	if (rec->ts_max > f->newest)
		f->newest = rec->ts_max;
	f->release = f->newest > WINDOW_NS ? f->newest - WINDOW_NS : 0;
	if (!feed_reads(f, rec, f->shared->opt.all || scope_may_match(&f->scope, rec)))
		return feed_check(f);
	r = et_reader_chunk(f->source->reader, &c, &err);
	if (r == ET_UNSUPPORTED)
		source_fault(f->source, rec, &err);
	else if (r)
		source_failed(f->source);
	if (r)
		return r == ET_NOMEM ? ET_NOMEM : ET_OK;
	return add_chunk(f, rec, c);
}

/* ---- From rows to events ------------------------------------------------------------ */

static void set_head(struct feed *f)
{
	const struct waiting_row *p = &f->rows.v[f->rows.at];

	if (f->shared->opt.one_boot)
		f->head = p->ts > INT64_MAX ? INT64_MAX : (int64_t)p->ts;
	else
		f->head = et_chunk_wall(f->held[p->held].chunk, p->ts);
}

static void idle(const struct feed *f)
{
	const struct input_options *opt = &f->shared->opt;

	if (opt->idle)
		opt->idle(opt->ctx);
}

int feed_fill(struct feed *f, bool *ready)
{
	struct source *s = f->source;
	struct et_record rec;
	int r;

	for (;;) {
		bool waits = f->rows.at < f->rows.n;

		*ready = waits;
		if (waits && (f->rows.v[f->rows.at].ts <= f->release ||
			      f->n_held == FEED_HELD_MAX || f->held_rows > FEED_HELD_ROWS)) {
			set_head(f);
			return ET_OK;
		}
		if (f->ended)
			return ET_OK;
		if (f->has_stalled) {
			f->has_stalled = false;
			r = take_record(f, &f->stalled);
			if (r)
				return r;
		}
		if (s->pipe && !source_wait(s, 0)) {
			idle(f);
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
			r = take_record(f, &rec);
			if (r)
				return r;
		}
	}
}

static void let_go(struct feed *f, struct feed_held *h)
{
	f->held_rows -= et_chunk_rows(h->chunk);
	f->n_held--;
	et_chunk_free(h->chunk);
	h->chunk = NULL;
}

/* The chunk of the row goes when none of its rows waits. */
void feed_give_back(struct feed *f)
{
	struct feed_held *h = f->lent;

	f->lent = NULL;
	if (h && !--h->left)
		let_go(f, h);
}

static int make_event(const struct feed *f, struct feed_held *h, struct input_row *row,
		      struct et_error *err)
{
	uint64_t fields = f->shared->opt.fields;
	int r = h->checked ? ET_OK : event_check(f->source, h->chunk, err);

	if (r)
		return r;
	h->checked = true;
	if (!fields)
		return et_chunk_event(h->chunk, row->row, &row->ev, err);
	event_pick(h->chunk, row->row, fields, &row->ev);
	return ET_OK;
}

/* Its rows that wait go with a damaged chunk, as one fault. */
static void drop_chunk(struct feed *f, uint16_t held, const struct et_error *err)
{
	struct feed_held *h = &f->held[held];
	struct rows *w = &f->rows;
	size_t n = w->at;

	for (size_t i = w->at; i < w->n; i++)
		if (w->v[i].held != held)
			w->v[n++] = w->v[i];
	w->n = n;
	source_fault(f->source, &(struct et_record){ .at = err->at, .rows = h->left }, err);
	let_go(f, h);
}

int feed_take(struct feed *f, struct input_row *row)
{
	const struct waiting_row *p = &f->rows.v[f->rows.at++];
	struct feed_held *h = &f->held[p->held];
	struct et_error err;
	int r;

	row->chunk = h->chunk;
	row->row = p->row;
	row->wall = et_chunk_wall(h->chunk, p->ts);
	row->matches = p->matches;
	row->source = f->source;
	r = make_event(f, h, row, &err);
	if (!r) {
		f->lent = h;
		source_shown(f->source);
		return ET_OK;
	}
	if (r == ET_NOMEM)
		return r;
	drop_chunk(f, p->held, &err);
	return ET_CORRUPT;
}

void feed_free(struct feed *f)
{
	for (unsigned k = 0; k < FEED_HELD_MAX; k++)
		et_chunk_free(f->held[k].chunk);
	rows_free(&f->rows);
	scope_free(&f->scope);
}
