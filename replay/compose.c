/* SPDX-License-Identifier: BSD-2-Clause */
#include "compose.h"

#include <stdlib.h>
#include <string.h>

#include "exeset.h"

/* As the format's limit of what a chunk decodes to, a quarter: it bounds our memory. */
#define BATCH_BYTES (16u << 20)

/*
 * Rows of two record types that alternate may change their order by so much, as
 * readers sort through a window; else a snapshot would be torn into small records.
 */
#define STEP_NS 2000000u

#define BATCH_TYPES 3

struct open_batch {
	struct et_batch *batch;
	enum et_record_type type;
	uint64_t opened;      /* which came first; 0: empty */
	uint64_t first, last; /* ts */
};

struct compose {
	struct et_writer *writer;
	struct compose_options opt;
	struct open_batch batches[BATCH_TYPES];
	uint64_t opened;                     /* how many batches were begun */
	uint64_t lost[ET_CAUSE_END];         /* of the rows written */
	uint64_t lost_waiting[ET_CAUSE_END]; /* of those in a batch */
	struct nameset names;
	struct exeset exes;
};

static void add_sat(uint64_t *sum, uint64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = UINT64_MAX;
}

static int no_memory(struct et_error *err)
{
	*err = (struct et_error){ ET_NOMEM, 0, 0, "out of memory" };
	return ET_NOMEM;
}

int compose_open(const struct et_io *io, const struct compose_options *opt,
		 struct compose **out, struct et_error *err)
{
	static const enum et_record_type types[BATCH_TYPES] = { ET_REC_CHUNK, ET_REC_PROC,
								ET_REC_LOST };
	struct compose *c = calloc(1, sizeof(*c));
	int r;

	*out = NULL;
	if (!c)
		return no_memory(err);
	c->opt = *opt;
	nameset_init(&c->names);
	for (unsigned i = 0; i < BATCH_TYPES; i++) {
		c->batches[i].type = types[i];
		c->batches[i].batch = et_batch_new();
		if (!c->batches[i].batch) {
			compose_close(c);
			return no_memory(err);
		}
	}
	r = et_writer_open(io, &opt->writer, &c->writer, err);
	if (r)
		compose_close(c);
	else
		*out = c;
	return r;
}

void compose_close(struct compose *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < BATCH_TYPES; i++)
		et_batch_free(c->batches[i].batch);
	nameset_free(&c->names);
	exeset_free(&c->exes);
	et_writer_close(c->writer);
	free(c);
}

uint64_t compose_bytes(const struct compose *c)
{
	struct et_writer_stats st;

	et_writer_stats(c->writer, &st);
	return st.bytes;
}

/* ---- Names -------------------------------------------------------------------------- */

void compose_sources(struct compose *c, const struct nameset_source *v, size_t n)
{
	nameset_sources(&c->names, v, n, c->opt.cut);
}

void compose_news(struct compose *c)
{
	nameset_news(&c->names);
}

/* The ids and the executable of an event, of which what is known belongs into the segment. */
static int note_names(struct compose *c, const struct et_event *ev, struct et_error *err)
{
	static const struct {
		uint8_t field;
		enum nameset_kind kind;
	} named[] = {
		{ ET_F_UID, NAMESET_USER },      { ET_F_EUID, NAMESET_USER },
		{ ET_F_GID, NAMESET_GROUP },     { ET_F_EGID, NAMESET_GROUP },
		{ ET_F_LOGIN_UID, NAMESET_USER }, { ET_F_CGROUP, NAMESET_CGROUP },
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (ET_HAS(ev, named[i].field) &&
		    nameset_note(&c->names, named[i].kind, ev->v[named[i].field].u))
			return no_memory(err);
	return exeset_note(&c->exes, ev) ? no_memory(err) : ET_OK;
}

/* What is known of names and not written yet. */
static int write_names(struct compose *c, struct et_error *err)
{
	const struct et_pair *pairs;
	const struct et_name *names;
	size_t n;
	int r = ET_OK;

	if (nameset_host(&c->names, &pairs, &n))
		return no_memory(err);
	if (n)
		r = et_writer_host(c->writer, pairs, n, err);
	while (!r && (n = nameset_take(&c->names, false, &names)))
		r = et_writer_names(c->writer, ET_REC_USERS, names, n, err);
	while (!r && (n = nameset_take(&c->names, true, &names)))
		r = et_writer_names(c->writer, ET_REC_CGROUPS, names, n, err);
	return r;
}

/* The executables that rows name, as far as these sources know them. */
static int write_exes(struct compose *c, struct et_error *err)
{
	const struct et_exe *exes;
	size_t n;

	for (size_t i = 0; i < c->names.n_sources; i++)
		if (exeset_add(&c->exes, c->names.sources[i].source->names))
			return no_memory(err);
	for (;;) {
		int r = exeset_take(&c->exes, &exes, &n) ? no_memory(err) : ET_OK;

		if (r || !n)
			return r;
		r = et_writer_exes(c->writer, exes, n, err);
		if (r)
			return r;
	}
}

int compose_settle(struct compose *c, struct et_error *err)
{
	int r;

	if (nameset_settle(&c->names))
		return no_memory(err);
	r = write_names(c, err);
	if (!r)
		r = write_exes(c, err);
	nameset_sources(&c->names, NULL, 0, c->opt.cut);
	return r;
}

/* ---- Rows --------------------------------------------------------------------------- */

static struct open_batch *batch_of(struct compose *c, uint64_t kind)
{
	return &c->batches[kind == ET_PROC ? 1 : kind == ET_LOST ? 2 : 0];
}

static int write_batch(struct compose *c, struct open_batch *b, struct et_error *err)
{
	int r = write_names(c, err);

	if (r)
		return r;
	if (b->type == ET_REC_LOST) {
		for (unsigned i = 0; i < ET_CAUSE_END; i++) {
			add_sat(&c->lost[i], c->lost_waiting[i]);
			c->lost_waiting[i] = 0;
		}
	}
	r = et_writer_batch(c->writer, b->type, b->batch, c->lost, err);
	et_batch_reset(b->batch);
	b->opened = 0;
	return r;
}

/* Writes the batches that were begun up to then, in that order. */
static int write_until(struct compose *c, uint64_t opened, struct et_error *err)
{
	for (;;) {
		struct open_batch *first = NULL;
		int r;

		for (unsigned i = 0; i < BATCH_TYPES; i++) {
			struct open_batch *b = &c->batches[i];

			if (b->opened && b->opened <= opened &&
			    (!first || b->opened < first->opened))
				first = b;
		}
		if (!first)
			return ET_OK;
		r = write_batch(c, first, err);
		if (r)
			return r;
	}
}

/*
 * Writes what cannot wait if a row of that time goes into b: batches of other types
 * that are too far back, and b where a row of the same time stands behind it.
 */
static int make_way(struct compose *c, const struct open_batch *b, uint64_t ts,
		    struct et_error *err)
{
	uint64_t until = 0;

	for (unsigned i = 0; i < BATCH_TYPES; i++) {
		const struct open_batch *o = &c->batches[i];

		if (!o->opened || o == b)
			continue;
		if (o->first < ts && ts - o->first > STEP_NS && o->opened > until)
			until = o->opened;
		if (b->opened && o->opened > b->opened && o->last >= ts && b->opened > until)
			until = b->opened;
	}
	return write_until(c, until, err);
}

int compose_add(struct compose *c, const struct et_event *ev, struct et_error *err)
{
	uint64_t kind = ev->v[ET_F_KIND].u, ts = ev->v[ET_F_TS].u;
	struct open_batch *b = batch_of(c, kind);
	int r = make_way(c, b, ts, err);

	if (!r && b->opened &&
	    (et_batch_rows(b->batch) >= c->opt.chunk_rows ||
	     et_batch_bytes(b->batch) >= BATCH_BYTES))
		r = write_until(c, b->opened, err);
	if (r)
		return r;
	r = et_batch_add(b->batch, ev, err);
	if (r == ET_LIMIT) {
		r = write_until(c, b->opened, err);
		if (!r)
			r = et_batch_add(b->batch, ev, err);
	}
	if (r)
		return r;
	if (!b->opened) {
		b->opened = ++c->opened;
		b->first = ts;
	}
	b->last = ts;
	if (kind == ET_LOST && ev->v[ET_F_CAUSE].u < ET_CAUSE_END && ET_HAS(ev, ET_F_CAUSE))
		add_sat(&c->lost_waiting[ev->v[ET_F_CAUSE].u],
			ET_HAS(ev, ET_F_COUNT) ? ev->v[ET_F_COUNT].u : 0);
	return note_names(c, ev, err);
}

int compose_end(struct compose *c, struct et_clock ended, const char *reason,
		struct et_error *err)
{
	int r = write_until(c, UINT64_MAX, err);

	return r ? r : et_writer_end(c->writer, ended, c->lost, reason, err);
}
