/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * planned.h - an expression asked of the columns of captures, and of their rows one by
 * one: both have to choose the same, and what heads say has to be so.
 */
#ifndef TESTS_PLANNED_H
#define TESTS_PLANNED_H

#include "events.h"
#include "filter.h"
#include "memory_io.h"

#include <stdio.h>

#define PLANNED_ROWS 64 /* of a record, at most */

/* A capture of records of all kinds, with names for some of the ids that events have. */
static inline void planned_capture(struct sink *sink, uint64_t seed)
{
	static const char *const names[] = { "root", "ann", "gcc", "a b", "\xff\xfe" };
	static const char docker[] = "/docker/abababababababababababababababab"
				     "abababababababababababababababab";
	static const char *const cgroups[] = { "/user.slice", docker, "/", "gcc" };
	static const uint64_t lost[ET_CAUSE_END];
	const struct et_writer_options opt = { .program = "test", .level = 1, .started = { 1, 5 } };
	struct et_batch *b = et_batch_new();
	struct et_io io = sink_io(sink);
	struct et_name name = { 0 };
	uint64_t ts = 1000000;
	struct et_writer *w;

	rng_state = seed * 2 + 1;
	if (!b || et_writer_open(&io, &opt, &w, NULL))
		abort();
	for (unsigned record = 0; record < 12; record++) {
		unsigned type = record % 6 == 4 ? ET_REC_PROC : record % 6 == 5 ? ET_REC_LOST : ET_REC_CHUNK;
		unsigned rows = 1 + (unsigned)(rng() % PLANNED_ROWS), one = (unsigned)(rng() % 8);
		bool fail = false;

		for (unsigned i = 0; i < 20; i++) {
			const char *text = names[rng() % 5];

			name = (struct et_name){ rng() % 40, rng() % 2, { text, (uint32_t)strlen(text) } };
			fail |= et_writer_names(w, ET_REC_USERS, &name, 1, NULL) != ET_OK;
			name.group = false;
			name.name.ptr = cgroups[rng() % 4];
			name.name.len = (uint32_t)strlen(name.name.ptr);
			fail |= et_writer_names(w, ET_REC_CGROUPS, &name, 1, NULL) != ET_OK;
		}
		et_batch_reset(b);
		for (unsigned row = 0; row < rows; row++) {
			unsigned kind = type == ET_REC_PROC ? ET_PROC : type == ET_REC_LOST ? ET_LOST :
					one >= 1 && one <= 4 ? one : 1 + (unsigned)(rng() % 4);
			struct et_event ev;
			char text[8192];

			rng_event(&ev, kind, &ts, text);
			ev.realtime = record < 6 ? 5 : -3;
			/* Some records are of few users and processes. */
			if (record % 2)
				for (unsigned f = 1; f < ET_FIELD_END; f++)
					if (ET_HAS(&ev, f) && f != ET_F_KIND && f != ET_F_TS &&
					    et_fields[f].type < ET_STR)
						ev.v[f].u %= 3;
			fail |= et_batch_add(b, &ev, NULL) != ET_OK;
		}
		fail |= et_writer_batch(w, type, b, lost, NULL) != ET_OK;
		if (fail)
			abort();
	}
	et_writer_close(w);
	et_batch_free(b);
}

static inline const char *planned_user(void *ctx, uint64_t id)
{
	return et_context_user(ctx, id);
}

static inline const char *planned_group(void *ctx, uint64_t id)
{
	return et_context_group(ctx, id);
}

static inline const char *planned_cgroup(void *ctx, uint64_t id)
{
	return et_context_cgroup(ctx, id);
}

struct planned {
	uint64_t rows, selected, differ; /* differ: also from what heads say */
	uint64_t records, passed, whole; /* by heads: no row of a record matches, or all do */
};

static inline void planned_rows(const struct filter_scope *s, const struct expr *e,
				const struct expr_scope *names, const struct et_record *rec,
				struct et_chunk *c, bool may, bool all, struct planned *sum)
{
	struct filter_scratch w = { 0 };
	uint8_t selected[PLANNED_ROWS];
	struct et_error err;
	uint32_t n = 0;

	if (scope_select(s, &w, rec, c, selected, &err))
		abort();

	for (uint32_t i = 0; i < rec->rows; i++) {
		struct et_event ev;
		bool yes;

		if (et_chunk_event(c, i, &ev, NULL))
			abort();
		yes = ev.v[ET_F_KIND].u == ET_LOST ? expr_match_gap(e, &ev, names)
						   : expr_match(e, &ev, names);
		sum->differ += yes != selected[i];
		n += selected[i];
	}
	sum->rows += rec->rows;
	sum->selected += n;
	sum->records++;
	sum->passed += !may;
	sum->whole += all;
	sum->differ += (n && !may) || (n < rec->rows && all);
	scratch_free(&w);
}

static inline struct planned planned_compare(const struct sink *sink, struct expr *e)
{
	const struct filter f = { .others = &e, .n_others = 1 };
	struct et_context *context = et_context_new();
	struct expr_scope names = { .ctx = context, .user = planned_user, .group = planned_group,
				    .cgroup = planned_cgroup, .start = 6, .offset = 3600 };
	struct filter_scope s = { 0 };
	struct planned sum = { 0 };
	struct et_reader *r;
	struct et_record rec;
	struct et_io io;

	if (et_io_memory(sink->data, sink->len, &io) || et_reader_open(&io, NULL, NULL, &r, NULL))
		abort();
	while (!et_reader_next(r, &rec, NULL)) {
		struct et_chunk *c;
		bool may, all;

		et_context_take(context, r, &rec, NULL);
		if (!rec.rows)
			continue;
		if (scope_bind(&s, &f, context))
			abort();
		scope_bind_times(&s, &f, names.start, names.offset);
		may = scope_may_match(&s, &rec);
		all = scope_counts_all(&s, &rec);
		sum.differ += !all && scope_matches_all(&s, &rec);
		if (et_reader_chunk(r, &c, NULL))
			abort();
		planned_rows(&s, e, &names, &rec, c, may, all, &sum);
		et_chunk_free(c);
	}
	scope_free(&s);
	et_reader_close(r);
	et_context_free(context);
	return sum;
}

#endif
