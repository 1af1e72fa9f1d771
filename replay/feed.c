/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

#include "ahead.h"
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

/* Puts the rows that are selected, or all, behind those that wait. */
static int take_rows(struct feed *f, const struct unit *u, uint16_t held, size_t *n,
		     struct et_error *err)
{
	struct waiting_row *to = f->rows.v + f->rows.n;
	const uint64_t *ts;
	uint32_t rows = et_chunk_rows(u->chunk);
	int r = et_chunk_uints(u->chunk, ET_F_TS, &ts, err);

	if (r)
		return r;
	for (uint32_t i = 0; i < rows; i++)
		if (u->selected[i] || f->shared->opt.all)
			to[(*n)++] = (struct waiting_row){ ts[i], i, held, u->selected[i] };
	return ET_OK;
}

/* Adds the rows that the filter wants; *kept: the unit is wanted until they are handed out. */
static int add_rows(struct feed *f, struct unit *u, bool *kept)
{
	uint32_t rows = et_chunk_rows(u->chunk);
	uint16_t slot = 0;
	struct et_error err;
	size_t n = 0;
	int r;

	*kept = false;
	while (f->held[slot].unit)
		slot++;
	if (rows_room(&f->rows, rows))
		return ET_NOMEM;
	r = take_rows(f, u, slot, &n, &err);
	if (r == ET_NOMEM)
		return r;
	if (r)
		source_fault(f->source, &u->step.rec, &err);
	if (r || !n)
		return ET_OK;
	if (rows_add(&f->rows, n, &f->shared->spare))
		return ET_NOMEM;
	f->held[slot] = (struct feed_held){ u, (uint32_t)n, false };
	f->n_held++;
	f->held_rows += rows;
	*kept = true;
	return ET_OK;
}

/* What waits is printed with the names that hold for it, and not with those that come. */
static void render_waiting(struct feed *f, const struct et_record *rec)
{
	if (!f->shared->opt.render ||
	    (rec->type != ET_REC_USERS && rec->type != ET_REC_CGROUPS && rec->type != ET_REC_HOST))
		return;
	for (unsigned k = 0; k < FEED_HELD_MAX; k++)
		if (f->held[k].unit && !f->held[k].unit->columns_code)
			unit_render(f->held[k].unit);
}

/* Takes the unit over. */
static int take_unit(struct feed *f, struct unit *u)
{
	const struct et_record *rec = &u->step.rec;
	bool have = false;
	int r;

	if (rec->type == ET_REC_FILE)
		f->newest = 0;
	render_waiting(f, rec);
	r = ahead_take(f, u);
	if (!r && rec->rows) {
		if (rec->ts_max > f->newest)
			f->newest = rec->ts_max;
		f->release = f->newest > WINDOW_NS ? f->newest - WINDOW_NS : 0;
		r = ahead_rows(f, u, &have);
	}
	if (!r && have)
		r = add_rows(f, u, &have);
	if (r || !have)
		ahead_free(f, u);
	return r;
}

/* ---- From rows to events ------------------------------------------------------------ */

static void set_head(struct feed *f)
{
	const struct waiting_row *p = &f->rows.v[f->rows.at];

	if (f->shared->opt.one_boot)
		f->head = p->ts > INT64_MAX ? INT64_MAX : (int64_t)p->ts;
	else
		f->head = et_chunk_wall(f->held[p->held].unit->chunk, p->ts);
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
	struct unit *u;
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
		if (f->stalled) {
			u = f->stalled;
			f->stalled = NULL;
			r = take_unit(f, u);
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
		r = ahead_next(f, &u);
		if (r)
			return r;
		if (!u) {
			f->ended = true;
			f->release = UINT64_MAX;
		} else if (u->step.rec.type == ET_REC_FILE && waits) {
			f->stalled = u;
			f->release = UINT64_MAX;
		} else {
			r = take_unit(f, u);
			if (r)
				return r;
		}
	}
}

static void let_go(struct feed *f, struct feed_held *h)
{
	f->held_rows -= et_chunk_rows(h->unit->chunk);
	f->n_held--;
	ahead_free(f, h->unit);
	h->unit = NULL;
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

	if (!h->checked) {
		source_leave_out(f->source, h->unit->left_out.bits);
		*err = h->unit->columns_error;
		if (h->unit->columns_code)
			return h->unit->columns_code;
	}
	h->checked = true;
	row->text = unit_text(h->unit, row->row, &row->text_len);
	if (row->text)
		return ET_OK;
	if (!fields)
		return et_chunk_event(h->unit->chunk, row->row, &row->ev, err);
	event_pick(h->unit->chunk, row->row, fields, &row->ev);
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

	row->chunk = h->unit->chunk;
	row->row = p->row;
	row->wall = et_chunk_wall(h->unit->chunk, p->ts);
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
		ahead_free(f, f->held[k].unit);
	ahead_free(f, f->stalled);
	ahead_end(f);
	rows_free(&f->rows);
	scope_free(&f->scope);
}
