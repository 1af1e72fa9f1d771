/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges.h - captures of all shapes for tests, and ranges of times of them: each has
 * to give what reading everything gives.
 */
#ifndef TESTS_RANGES_H
#define TESTS_RANGES_H

#include "check.h"
#include "events.h"
#include "memory_io.h"

#include <exectrace.h>

#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define HOUR (3600 * 1000 * MS)

/* ---- Captures ------------------------------------------------------------------ */

/* How the wall clock went: an offset for each ts. */
struct course {
	unsigned n;
	struct et_clock v[64];
};

/* What a capture is to be like. */
struct shape {
	const char *label;
	unsigned records;
	unsigned steps;		/* of the wall clock, each up to some hours either way */
	uint64_t back;		/* rows may step back by so much, ns */
	bool losses;		/* rows that are lost some time within hours */
	bool names;		/* sprinkled in, late ones too */
	bool proc;		/* PROC first */
	bool unclean;
	uint64_t step;		/* between rows, at most, ns; 0: 6 ms */
};

static uint64_t serial; /* of rows, over all captures: the pid of each */

static inline int64_t offset_at(const struct course *c, uint64_t ts)
{
	unsigned i = c->n - 1;

	while (i && c->v[i].ts > ts)
		i--;
	return c->v[i].offset;
}

static inline struct course make_course(uint64_t begin, uint64_t end, unsigned steps)
{
	int64_t offset = 1790000000000000000;
	struct course c = { .n = 1, .v = { { 0, offset } } };

	for (unsigned i = 1; i <= steps && i < 64; i++) {
		offset += (int64_t)(rng() % (6 * HOUR)) - (int64_t)(3 * HOUR) + (int64_t)i;
		c.v[c.n++] = (struct et_clock){ begin + (end - begin) / (steps + 1) * i, offset };
	}
	return c;
}

static inline void fill_event(struct et_event *ev, unsigned kind, uint64_t ts, const struct course *course)
{
	*ev = (struct et_event){ .realtime = offset_at(course, ts) };
	et_set_uint(ev, ET_F_KIND, kind);
	et_set_uint(ev, ET_F_TS, ts);
	if (kind == ET_LOST) {
		if (rng() % 4)
			et_set_uint(ev, ET_F_UNTIL, ts + rng() % (rng() % 2 ? HOUR : 5 * MS));
		et_set_uint(ev, ET_F_COUNT, ++serial);
		return;
	}
	et_set_uint(ev, ET_F_PID, ++serial);
	et_set_str(ev, ET_F_COMM, "a command", 9);
}

static inline void write_names(struct et_writer *w)
{
	char text[40];
	struct et_name name = { rng() % 5, false, { text, 0 } };
	struct et_pair pair = { "hostname", { text, 0 } };
	struct et_exe exe = { .known = ET_EXE_INODE, .inode = rng() % 5, .path = { "/bin/ls", 7 } };

	name.name.len = pair.value.len = (uint32_t)snprintf(text, sizeof(text), "name%u", (unsigned)(rng() % 1000));
	exe.interpreter = name.name;
	switch (rng() % 5) {
	case 4:
		CHECK(et_writer_exes(w, &exe, 1, NULL) == ET_OK);
		break;
	case 0:
		CHECK(et_writer_host(w, &pair, 1, NULL) == ET_OK);
		break;
	case 1:
		name.group = true;
		/* fall through */
	case 2:
		CHECK(et_writer_names(w, ET_REC_USERS, &name, 1, NULL) == ET_OK);
		break;
	default:
		CHECK(et_writer_names(w, ET_REC_CGROUPS, &name, 1, NULL) == ET_OK);
	}
}

static inline void write_segment(struct sink *sink, const struct shape *s)
{
	static const uint64_t lost[ET_CAUSE_END];
	uint64_t ts = 1000000 * MS + rng() % HOUR;
	struct course course = make_course(ts, ts + s->records * 10 * MS, s->steps);
	struct et_writer_options opt = { .program = "test", .level = 1,
					 .started = { ts, course.v[0].offset } };
	struct et_batch *b = et_batch_new();
	struct et_io io = sink_io(sink);
	struct et_writer *w;
	struct et_event ev;

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	if (s->names)
		write_names(w);
	for (unsigned i = 0; i < s->records; i++) {
		unsigned type = s->proc && !i ? ET_REC_PROC :
				s->losses && rng() % 16 == 0 ? ET_REC_LOST : ET_REC_CHUNK;
		unsigned rows = 1 + (unsigned)(rng() % 5);

		et_batch_reset(b);
		for (unsigned k = 0; k < rows; k++) {
			uint64_t back = s->back ? rng() % s->back : 0;

			ts += rng() % (s->step ? s->step : 6 * MS);
			fill_event(&ev, type == ET_REC_PROC ? ET_PROC : type == ET_REC_LOST ? ET_LOST :
				   1 + (unsigned)(rng() % 4), ts - back, &course);
			CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
		}
		CHECK(et_writer_batch(w, type, b, lost, NULL) == ET_OK);
		if (s->names && rng() % 40 == 0)
			write_names(w);
	}
	if (!s->unclean)
		CHECK(et_writer_end(w, (struct et_clock){ ts, offset_at(&course, ts) }, lost, "test", NULL) ==
		      ET_OK);
	et_writer_close(w);
	et_batch_free(b);
}

/* ---- Reading -------------------------------------------------------------------- */

struct seen {
	int64_t first, last;	/* between which the row lies, wall clock */
	uint64_t id;
	uint64_t names;		/* hash of what is known there */
};

struct rows {
	struct seen *v;
	size_t n, cap;
	struct place {
		uint64_t at;	/* offset of a record */
		size_t first, n;	/* its rows in v */
	} *places;
	size_t n_places, cap_places;
	struct et_reader_stats stats;
	uint64_t given;		/* rows of records that came, also of those without any in the range */
};

static inline uint64_t hash_text(uint64_t hash, const char *s)
{
	for (; s && *s; s++)
		hash = (hash ^ (uint8_t)*s) * 0x100000001b3;
	return (hash ^ (s ? 1 : 2)) * 0x100000001b3;
}

static inline uint64_t hash_names(const struct et_context *c)
{
	uint64_t hash = hash_text(0xcbf29ce484222325, et_context_host(c, "hostname"));
	const struct et_exe *exes;
	size_t n = et_context_exes(c, &exes);

	for (size_t i = 0; i < n; i++) {
		char text[40];

		snprintf(text, sizeof(text), "%.*s %u", (int)exes[i].interpreter.len, exes[i].interpreter.ptr,
			 (unsigned)exes[i].inode);
		hash = hash_text(hash, text);
	}
	for (uint64_t id = 0; id < 5; id++) {
		hash = hash_text(hash, et_context_user(c, id));
		hash = hash_text(hash, et_context_group(c, id));
		hash = hash_text(hash, et_context_cgroup(c, id));
	}
	return hash;
}

static inline void add_seen(struct rows *to, struct seen s)
{
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 1024;
		to->v = reallocarray(to->v, to->cap, sizeof(*to->v));
		if (!to->v)
			abort();
	}
	to->v[to->n++] = s;
}

/* All rows of a record. */
static inline void decode_rows(struct rows *to, struct et_reader *r, const struct et_record *rec, uint64_t names)
{
	const uint64_t *ts, *kind, *pid, *count, *end;
	struct et_chunk *c;

	if (et_reader_chunk(r, &c, NULL))
		return;
	if (to->n_places == to->cap_places) {
		to->cap_places = 2 * to->cap_places + 256;
		to->places = reallocarray(to->places, to->cap_places, sizeof(*to->places));
	}
	to->places[to->n_places++] = (struct place){ rec->at, to->n, rec->rows };
	CHECK(!et_chunk_uints(c, ET_F_TS, &ts, NULL) && !et_chunk_uints(c, ET_F_KIND, &kind, NULL) &&
	      !et_chunk_uints(c, ET_F_PID, &pid, NULL) && !et_chunk_uints(c, ET_F_COUNT, &count, NULL) &&
	      !et_chunk_uints(c, ET_F_UNTIL, &end, NULL));
	for (uint32_t i = 0; ts && kind && pid && count && end && i < rec->rows; i++) {
		bool lost = kind[i] == ET_LOST, lasts = lost && end[i] != ET_NONE;
		struct seen s = { et_chunk_wall(c, ts[i]), et_chunk_wall(c, lasts ? end[i] : ts[i]),
				  lost ? count[i] : pid[i], names };

		/* The wall clock may have been set back in between. */
		s.last = s.last < s.first ? s.first : s.last;
		add_seen(to, s);
	}
	et_chunk_free(c);
}

/* The same bytes at the same place hold the same rows: those of the range, with the names of now. */
static inline void known_rows(struct rows *to, struct et_reader *r, const struct et_record *rec, uint64_t names,
		       const struct rows *known, int64_t since, int64_t until)
{
	size_t low = 0, high = known->n_places;
	const uint8_t *body;

	if (et_reader_body(r, &body, NULL))
		return;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (known->places[mid].at < rec->at)
			low = mid + 1;
		else
			high = mid;
	}
	CHECK(low < known->n_places && known->places[low].at == rec->at);
	if (low == known->n_places)
		return;
	for (size_t i = 0; i < known->places[low].n; i++) {
		struct seen s = known->v[known->places[low].first + i];

		s.names = names;
		if (s.last >= since && s.first < until)
			add_seen(to, s);
	}
}

/* early: the range is told with the segment's header, not its first row record. known: NULL for all rows. */
static inline struct rows read_range(const struct et_io *io, const struct rows *known, int64_t since,
			      int64_t until, bool early)
{
	struct et_context *context = et_context_new();
	struct rows rows = { 0 };
	struct et_record rec;
	struct et_reader *r;
	uint64_t names = 0;
	bool told = true;

	CHECK(et_reader_open(io, NULL, NULL, &r, NULL) == ET_OK);
	while (r && et_reader_next(r, &rec, NULL) == ET_OK) {
		et_context_take(context, r, &rec, NULL);
		told &= rec.type != ET_REC_FILE;
		if (!rec.rows)
			names = hash_names(context);
		else if (known)
			known_rows(&rows, r, &rec, names, known, since, until);
		else
			decode_rows(&rows, r, &rec, names);
		rows.given += rec.rows;
		if (known && !told && (rec.rows || early)) {
			et_reader_range(r, since, until);
			told = true;
		}
	}
	et_reader_stats(r, &rows.stats);
	et_reader_close(r);
	et_context_free(context);
	return rows;
}

static inline struct rows read_memory(const struct sink *s, const struct rows *known, int64_t since,
			       int64_t until, bool early)
{
	struct et_io io;

	CHECK(et_io_memory(s->data, s->len, &io) == ET_OK);
	return read_range(&io, known, since, until, early);
}

/* What of all lies in the range. */
static inline struct rows within(const struct rows *all, int64_t since, int64_t until)
{
	struct rows some = { 0 };

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].last >= since && all->v[i].first < until)
			add_seen(&some, all->v[i]);
	return some;
}

static inline bool same(const struct rows *a, const struct rows *b, bool names)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].id != b->v[i].id || a->v[i].first != b->v[i].first ||
		    a->v[i].last != b->v[i].last || (names && a->v[i].names != b->v[i].names))
			return false;
	return true;
}

/* A wall time at a row, beside one, between any, or far away. */
static inline int64_t random_wall(const struct rows *all)
{
	const struct seen *at = all->n ? &all->v[rng() % all->n] : &(struct seen){ 0 };

	switch (rng() % 6) {
	case 0:
		return at->first + (int64_t)(rng() % 3) - 1;
	case 1:
		return at->last + (int64_t)(rng() % 3) - 1;
	case 2:
		return at->first + (int64_t)(rng() % (2 * HOUR)) - (int64_t)HOUR;
	default:
		return at->first + (int64_t)(rng() % (20 * MS)) - (int64_t)(10 * MS);
	}
}

struct tried {
	uint64_t ranges, seeks, whole, unread;
};

/* Many ranges of one capture. names: they have to be the same too. */
static inline struct tried try_ranges(const char *label, const struct sink *s, unsigned ranges, bool names)
{
	struct rows all = read_memory(s, NULL, 0, 0, false);
	struct tried t = { 0 };

	for (unsigned i = 0; i < ranges; i++) {
		int64_t since = rng() % 5 ? random_wall(&all) : INT64_MIN;
		int64_t until = rng() % 3 ? random_wall(&all) : INT64_MAX;
		bool early = rng() % 2;
		struct rows want, have, piped;
		struct et_io io;

		/* Mostly short ones. */
		if (rng() % 2 && since != INT64_MIN)
			until = since + (int64_t)(rng() % (200 * MS));
		want = within(&all, since, until);
		have = read_memory(s, &all, since, until, early);
		CHECK_CASE(label, same(&want, &have, names));
		if (!all.stats.damaged && !all.stats.truncated && !all.stats.missing)
			CHECK_CASE(label, have.given + have.stats.unread == all.given &&
						  !have.stats.missing && !have.stats.damaged);
		if (i % 8 == 0) {
			io = pipe_io(s->data, s->len);
			piped = read_range(&io, &all, since, until, early);
			CHECK_CASE(label, same(&want, &piped, names) && !piped.stats.unread);
			free(piped.v);
		}
		t.ranges++;
		t.seeks += have.stats.unread > 0;
		t.unread += have.stats.unread;
		t.whole += have.n == all.n;
		free(want.v);
		free(have.v);
	}
	free(all.v);
	free(all.places);
	return t;
}

#endif
