/* SPDX-License-Identifier: BSD-2-Clause */
#include "ahead.h"

#include <stdlib.h>
#include <string.h>

/* Heads that are looked at before their turn: also those of records that no row is wanted of. */
#define AHEAD_MAX 256u

/* ---- Binding ----------------------------------------------------------------------- */

/*
 * Names and times that the filter needs, as far as the segment has told them. Only
 * in front of rows: however many records of names come, they cost one binding.
 */
static int bind_scope(struct feed *f, const struct et_record *rec)
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

static bool is_bound(const struct feed *f)
{
	return f->scope.filter && !f->unbound && f->timed && f->ranged;
}

/* ---- Going ahead --------------------------------------------------------------------- */

/* What the head says of the rows, once the filter is bound. */
static void judge(struct feed *f, struct unit *u)
{
	const struct et_record *rec = &u->step.rec;
	const struct scan_calls *calls = f->shared->unit.calls;

	if (u->has_may)
		return;
	u->has_may = true;
	u->may = f->shared->opt.all || scope_may_match(&f->scope, rec);
	u->all = u->may && !rec->kinds[ET_LOST] &&
		 (calls && !calls->chunk ? scope_counts_all(&f->scope, rec)
					 : scope_matches_all(&f->scope, rec));
}

/* Whether the rows are asked for, if they turn out to be no copies. */
static bool wants_rows(const struct feed *f, const struct unit *u)
{
	const struct et_record *rec = &u->step.rec;

	if (u->all && f->shared->unit.calls && !f->shared->unit.calls->chunk)
		return false;
	return u->may || rec->kinds[ET_LOST];
}

/* The list in the head, which the reader forgets when it moves on; without memory nothing is said. */
static void keep_comms(struct unit *u)
{
	struct et_record *rec = &u->step.rec;

	if (u->comms || !rec->comms.len)
		return;
	u->comms = malloc(rec->comms.len);
	rec->has_comms = u->comms;
	if (u->comms)
		memcpy(u->comms, rec->comms.ptr, rec->comms.len);
	rec->comms.ptr = u->comms;
}

/* Adds the job, if there is room for it. */
static void add(struct feed *f, struct unit *u)
{
	if (!u->waits || !crew_room(f->shared->crew, u->job.cost))
		return;
	u->waits = false;
	u->added = true;
	keep_comms(u);
	crew_add(f->shared->crew, &u->job);
}

/* Finds out what the crew has to do for a record. */
static void prepare(struct feed *f, struct unit *u)
{
	judge(f, u);
	u->check = !wants_rows(f, u);
	if (u->check && !f->shared->opt.whole)
		return;
	u->stays = et_reader_later(f->source->reader, &u->chunk, NULL) != ET_OK;
	if (u->stays)
		return;
	u->unread = u->waits = true;
	u->job = (struct job){ .run = unit_run, .arg = u, .cost = unit_cost(u) };
	add(f, u);
}

static int read_one(struct feed *f, bool ahead)
{
	struct unit *u = unit_new();
	unsigned type;

	if (!u)
		return ET_NOMEM;
	u->source = f->source;
	u->scope = &f->scope;
	u->shared = &f->shared->unit;
	if (f->last)
		f->last->next = u;
	else
		f->first = u;
	f->last = u;
	f->n_units++;
	source_advance(f->source, &u->step);
	type = u->step.code ? 0 : u->step.rec.type;
	if (u->step.code) {
		u->stays = true;
	} else if (u->step.rec.rows) {
		if (ahead)
			prepare(f, u);
		else
			u->stays = true;
	} else if (type == ET_REC_EXES && ahead) {
		/* Of these no row is told. */
		source_learn(f->source, &u->step.rec, &u->step);
		u->learned = true;
		u->stays = u->step.failure.code != ET_OK;
	} else {
		u->stays = type < ET_REC_TYPE_END && type != ET_REC_FOOTER;
	}
	return ET_OK;
}

/* Copies of rows are not known by their heads alone, but by what became of those before. */
static bool may_go_ahead(const struct feed *f)
{
	const struct source *s = f->source;

	return crew_size(f->shared->crew) > 1 && !s->pipe && is_bound(f) &&
	       !f->shared->in_turn && !s->failure.code && !source_is_copy(s) &&
	       f->n_units < AHEAD_MAX && !(f->last && (f->last->stays || f->last->waits)) &&
	       crew_room(f->shared->crew, 0);
}

/* What was passed over is done as well. */
static void tell_progress(struct feed *f, const struct et_record *rec)
{
	uint64_t end = rec->at + rec->size;

	if (end > f->at)
		progress_add(&f->shared->progress, end - f->at);
	f->at = end;
}

int ahead_next(struct feed *f, struct unit **out)
{
	struct source *s = f->source;
	struct unit *u;
	int r = ET_OK;

	*out = NULL;
	if (s->failure.code) {
		ahead_end(f);
		return ET_OK;
	}
	if (!f->first)
		r = read_one(f, may_go_ahead(f));
	else
		add(f, f->last);
	while (!r && may_go_ahead(f))
		r = read_one(f, true);
	if (r)
		return r;
	u = f->first;
	f->first = u->next;
	if (!f->first)
		f->last = NULL;
	f->n_units--;
	if (source_reach(s, &u->step)) {
		tell_progress(f, &u->step.rec);
		*out = u;
		return ET_OK;
	}
	ahead_free(f, u);
	return ET_OK;
}

void ahead_free(struct feed *f, struct unit *u)
{
	if (u && u->added)
		crew_drop(f->shared->crew, &u->job);
	unit_free(u);
}

void ahead_end(struct feed *f)
{
	while (f->first) {
		struct unit *u = f->first;

		f->first = u->next;
		ahead_free(f, u);
	}
	f->last = NULL;
	f->n_units = 0;
}

/* ---- In the order of the file ---------------------------------------------------------- */

int ahead_take(struct feed *f, struct unit *u)
{
	const struct et_record *rec = &u->step.rec;
	const struct input_options *opt = &f->shared->opt;
	int r;

	if (!u->learned)
		source_learn(f->source, rec, NULL);
	source_account(f->source, rec);
	if (opt->record)
		opt->record(opt->ctx, f->source, rec);
	r = bind_scope(f, rec);
	if (!r && rec->rows)
		judge(f, u);
	return r;
}

/* Whether the rows are to be read: those that match, but for copies, and all that tell of losses. */
static bool reads(const struct feed *f, const struct unit *u)
{
	const struct source *s = f->source;

	return (s->wanted && u->may) || ((s->wanted || s->fresh) && u->step.rec.kinds[ET_LOST]);
}

/* Has the body read and checked. */
static int fetch(struct feed *f, struct unit *u, struct et_error *err)
{
	struct source *s = f->source;

	if (!u->chunk)
		return et_reader_chunk(s->reader, &u->chunk, err);
	if (u->added)
		crew_wait(f->shared->crew, &u->job);
	else if (u->unread)
		unit_load(u);
	u->added = false;
	return source_settle(s, u->chunk, err);
}

int ahead_check(struct feed *f, struct unit *u, bool *good)
{
	struct et_error err;
	const uint8_t *body;
	int r = u->chunk ? fetch(f, u, &err) : et_reader_body(f->source->reader, &body, &err);

	if (r)
		source_failed(f->source);
	*good = !r;
	return r == ET_NOMEM ? ET_NOMEM : ET_OK;
}

int ahead_rows(struct feed *f, struct unit *u, bool *have)
{
	struct source *s = f->source;
	const struct et_record *rec = &u->step.rec;
	bool good;
	struct et_error err;
	int r;

	*have = false;
	if (!reads(f, u))
		return f->shared->opt.whole ? ahead_check(f, u, &good) : ET_OK;
	keep_comms(u);
	r = fetch(f, u, &err);
	if (r == ET_UNSUPPORTED)
		source_fault(s, rec, &err);
	else if (r)
		source_failed(s);
	if (r)
		return r == ET_NOMEM ? ET_NOMEM : ET_OK;
	if (rec->kinds[ET_LOST])
		source_losses(s, u->chunk, f->scope.since, f->scope.until);
	if (!s->wanted)
		return ET_OK;
	if (!u->made)
		unit_make(u, &f->shared->unit.workers[0]);
	if (u->code == ET_NOMEM)
		return ET_NOMEM;
	if (u->code)
		source_fault(s, rec, &u->error);
	*have = !u->code && (u->n_selected || f->shared->opt.all);
	return ET_OK;
}
