/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A range of times gives what reading everything gives: the same rows in the same
 * order with the same names known, whatever the clocks did, however damaged the
 * capture is and whatever its records claim about where they are.
 */
#include "check.h"
#include "events.h"
#include "memory_io.h"
#include "record.h"

#include <stdlib.h>

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

static int64_t offset_at(const struct course *c, uint64_t ts)
{
	unsigned i = c->n - 1;

	while (i && c->v[i].ts > ts)
		i--;
	return c->v[i].offset;
}

static struct course make_course(uint64_t begin, uint64_t end, unsigned steps)
{
	int64_t offset = 1790000000000000000;
	struct course c = { .n = 1, .v = { { 0, offset } } };

	for (unsigned i = 1; i <= steps && i < 64; i++) {
		offset += (int64_t)(rng() % (6 * HOUR)) - (int64_t)(3 * HOUR) + (int64_t)i;
		c.v[c.n++] = (struct et_clock){ begin + (end - begin) / (steps + 1) * i, offset };
	}
	return c;
}

static void fill_event(struct et_event *ev, unsigned kind, uint64_t ts, const struct course *course)
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

static void write_names(struct et_writer *w)
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

static void write_segment(struct sink *sink, const struct shape *s)
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

static uint64_t hash_text(uint64_t hash, const char *s)
{
	for (; s && *s; s++)
		hash = (hash ^ (uint8_t)*s) * 0x100000001b3;
	return (hash ^ (s ? 1 : 2)) * 0x100000001b3;
}

static uint64_t hash_names(const struct et_context *c)
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

static void add_seen(struct rows *to, struct seen s)
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
static void decode_rows(struct rows *to, struct et_reader *r, const struct et_record *rec, uint64_t names)
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
static void known_rows(struct rows *to, struct et_reader *r, const struct et_record *rec, uint64_t names,
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
static struct rows read_range(const struct et_io *io, const struct rows *known, int64_t since,
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

static struct rows read_memory(const struct sink *s, const struct rows *known, int64_t since,
			       int64_t until, bool early)
{
	struct et_io io;

	CHECK(et_io_memory(s->data, s->len, &io) == ET_OK);
	return read_range(&io, known, since, until, early);
}

/* What of all lies in the range. */
static struct rows within(const struct rows *all, int64_t since, int64_t until)
{
	struct rows some = { 0 };

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].last >= since && all->v[i].first < until)
			add_seen(&some, all->v[i]);
	return some;
}

static bool same(const struct rows *a, const struct rows *b, bool names)
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
static int64_t random_wall(const struct rows *all)
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
static struct tried try_ranges(const char *label, const struct sink *s, unsigned ranges, bool names)
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

/* ---- (a) Captures as recorders write them, and what becomes of them ---------------- */

static const struct shape shapes[] = {
	{ "in order", 1500, 0, 0, false, false, false, false, 0 },
	{ "many at one time", 1500, 0, 0, false, false, false, false, 3 },
	{ "rows step back", 1500, 0, 50000, false, false, false, false, 0 },
	{ "rows step far back", 1500, 0, 40 * MS, false, false, false, false, 0 },
	{ "the wall clock is set", 1500, 9, 50000, false, false, false, false, 0 },
	{ "losses that last", 1500, 0, 50000, true, false, false, false, 0 },
	{ "names", 1500, 0, 50000, false, true, false, false, 0 },
	{ "unclean", 1500, 3, 50000, true, true, true, true, 0 },
	{ "all of it", 2500, 30, 5 * MS, true, true, true, false, 0 },
	{ "small", 5, 1, 50000, true, true, true, false, 0 },
	{ "no rows", 0, 0, 0, false, true, false, false, 0 },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void test_shapes(void)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct tried sum = { 0 };

		for (unsigned round = 0; round < 3; round++) {
			struct sink s = { 0 };
			struct tried t;

			write_segment(&s, &shapes[i]);
			t = try_ranges(shapes[i].label, &s, 100, true);
			sum.ranges += t.ranges;
			sum.seeks += t.seeks;
			sum.whole += t.whole;
			sum.unread += t.unread;
			free(s.data);
		}
		printf("%-24s %llu ranges, %llu passed over %llu rows, %llu were of all rows\n",
		       shapes[i].label, (unsigned long long)sum.ranges, (unsigned long long)sum.seeks,
		       (unsigned long long)sum.unread, (unsigned long long)sum.whole);
		/* Or it would be no test of seeking. */
		CHECK_CASE(shapes[i].label, shapes[i].records < 1000 || sum.seeks > sum.ranges / 8);
	}
}

/* Several segments, all kinds of them, also the same one twice. */
static void test_segments(void)
{
	for (unsigned round = 0; round < 8; round++) {
		struct sink s = { 0 };
		unsigned n = 2 + (unsigned)(rng() % 3);

		for (unsigned i = 0; i < n; i++) {
			struct shape shape = shapes[rng() % SHAPES];
			size_t at = s.len, len;

			shape.unclean = rng() % 3 == 0;
			shape.records = shape.records / 2 + 1;
			write_segment(&s, &shape);
			if (rng() % 3)
				continue;
			/* cat a a */
			len = s.len - at;
			s.data = realloc(s.data, s.len + len);
			memcpy(s.data + s.len, s.data + at, len);
			s.len += len;
		}
		try_ranges("segments", &s, 60, true);
		free(s.data);
	}
}

/* Bytes changed, zeroed, cut off at the end, taken out, put in. */
static void damage(struct sink *s)
{
	size_t header = 1024;	/* left alone: without it nothing can be read */
	size_t at = header + rng() % (s->len - header), n = 1 + rng() % 3000;

	if (n > s->len - at)
		n = s->len - at;
	switch (rng() % 6) {
	case 0:
		memset(s->data + at, 0, n);
		break;
	case 1:
		s->len -= rng() % 5000;
		break;
	case 2:
		memmove(s->data + at, s->data + at + n, s->len - at - n);
		s->len -= n;
		break;
	case 3:
		s->data = realloc(s->data, s->len + n);
		memmove(s->data + at + n, s->data + at, s->len - at);
		s->len += n;
		break;
	default:
		for (unsigned i = 0; i < 1 + n % 40; i++)
			s->data[header + rng() % (s->len - header)] ^= (uint8_t)(1 + rng() % 255);
	}
}

static void test_damaged(void)
{
	struct tried sum = { 0 };

	for (unsigned round = 0; round < 40; round++) {
		struct shape shape = shapes[rng() % 8];
		struct sink s = { 0 };
		struct tried t;

		shape.records = 800;
		write_segment(&s, &shape);
		if (rng() % 3 == 0)
			write_segment(&s, &shape);
		for (unsigned i = 0; i < 1 + round % 3; i++)
			damage(&s);
		t = try_ranges("damaged", &s, 30, true);
		sum.ranges += t.ranges;
		sum.seeks += t.seeks;
		free(s.data);
	}
	printf("%-24s %llu ranges, %llu passed over rows\n", "damaged", (unsigned long long)sum.ranges,
	       (unsigned long long)sum.seeks);
	CHECK(sum.seeks > sum.ranges / 6);
}

/* ---- (c) Forged records: all crcs are right -------------------------------------- */

/* What becomes of the tags of a record: its place in the file, among all and row records. */
struct forgery {
	const char *label;
	enum tag tag;
	unsigned type;			/* records of that type; 0: all that have the tag */
	unsigned every;			/* each so many of them */
	void (*change)(struct buf *value, const struct forgery *f, uint64_t at);
	uint64_t number;
};

/* PLACE says another offset, by number. */
static void place_off(struct buf *value, const struct forgery *f, uint64_t at)
{
	struct cursor c = cur_make(value->data, value->len);
	uint64_t says = cur_varint(&c), back = cur_varint(&c);

	(void)at;
	buf_reset(value);
	buf_varint(value, says + f->number);
	buf_varint(value, back);
}

/* PLACE says that names are number bytes back; UINT64_MAX: as far as it is from the segment's start. */
static void place_back(struct buf *value, const struct forgery *f, uint64_t at)
{
	struct cursor c = cur_make(value->data, value->len);
	uint64_t says = cur_varint(&c);

	buf_reset(value);
	buf_varint(value, says);
	buf_varint(value, f->number == UINT64_MAX ? at : f->number);
}

/* A number of FOOTER, off by number. */
static void number_off(struct buf *value, const struct forgery *f, uint64_t at)
{
	struct cursor c = cur_make(value->data, value->len);
	uint64_t says = cur_u64(&c);

	(void)at;
	buf_reset(value);
	buf_u64(value, says + f->number);
}

static const struct forgery forgeries[] = {
	{ "END_AT 8 bytes on", TAG_END_AT, 0, 1, number_off, 8 },
	{ "END_AT before", TAG_END_AT, 0, 1, number_off, 0 - 1000ull },
	{ "END_AT far behind the end", TAG_END_AT, 0, 1, number_off, 1ull << 40 },
	{ "END_AT over 64 bits", TAG_END_AT, 0, 1, number_off, 0 - (1ull << 40) },
	{ "SEGMENT_LEN shorter", TAG_SEGMENT_LEN, 0, 1, number_off, 0 - 8ull },
	{ "SEGMENT_LEN longer", TAG_SEGMENT_LEN, 0, 1, number_off, 72 },
	{ "SEGMENT_LEN over 64 bits", TAG_SEGMENT_LEN, 0, 1, number_off, 0 - (1ull << 40) },
	{ "every PLACE off", TAG_PLACE, 0, 1, place_off, 8 },
	{ "some PLACE off", TAG_PLACE, 0, 3, place_off, 0 - 8ull },
	{ "some PLACE far off", TAG_PLACE, ET_REC_CHUNK, 7, place_off, 1ull << 63 },
	{ "END's PLACE off", TAG_PLACE, ET_REC_END, 1, place_off, 8 },
	{ "names nowhere", TAG_PLACE, 0, 2, place_back, 0 },
	{ "names in the midst of something", TAG_PLACE, 0, 2, place_back, 8 },
	{ "names in the midst of something else", TAG_PLACE, 0, 2, place_back, 1001 },
	{ "names before the capture", TAG_PLACE, 0, 2, place_back, 1ull << 62 },
	{ "names over 64 bits", TAG_PLACE, 0, 2, place_back, ~0ull - 1 },
	{ "names in the header", TAG_PLACE, 0, 2, place_back, ~0ull },
	{ "names of names nowhere", TAG_PLACE, ET_REC_USERS, 2, place_back, 0 },
	{ "names of names wrong", TAG_PLACE, ET_REC_CGROUPS, 1, place_back, 16 },
	{ "END's names nowhere", TAG_PLACE, ET_REC_END, 1, place_back, 0 },
	{ "END's names wrong", TAG_PLACE, ET_REC_END, 1, place_back, 24 },
};

#define FORGERIES (sizeof(forgeries) / sizeof(forgeries[0]))

/* What is true of a record's place is put in anew, as lengths change; then it is forged. */
static void put_value(struct buf *value, uint64_t tag, uint64_t at, uint64_t names, uint64_t end)
{
	switch (tag) {
	case TAG_PLACE:
		buf_reset(value);
		buf_varint(value, at);
		buf_varint(value, names ? at - names : 0);
		break;
	case TAG_END_AT:
		buf_reset(value);
		buf_u64(value, end);
		break;
	case TAG_SEGMENT_LEN:
		buf_reset(value);
		buf_u64(value, at + FOOTER_SIZE);
		break;
	}
}

/* The segment with the forgery; with one that changes nothing, the segment. */
static struct buf forge(const struct sink *s, const struct forgery *f)
{
	struct buf out = { 0 }, value = { 0 };
	uint64_t names = 0, end = 0;
	unsigned n = 0;

	for (size_t at = 0; at < s->len;) {
		struct buf head = { 0 }, body = { 0 };
		struct frame frame;
		struct cursor c;
		bool chosen;

		CHECK(frame_get(s->data + at, &frame));
		chosen = (!f->type || f->type == frame.type) && n++ % f->every == f->every - 1;
		c = cur_make(s->data + at + RECORD_FIXED, frame.head_len);
		while (cur_left(&c)) {
			uint64_t tag = cur_varint(&c), len = cur_varint(&c);
			const uint8_t *p = cur_take(&c, len);

			buf_reset(&value);
			buf_add(&value, p, len);
			put_value(&value, tag, out.len, names, end);
			if (chosen && tag == f->tag)
				f->change(&value, f, out.len);
			buf_varint(&head, tag);
			buf_bytes(&head, value.data, value.len);
		}
		buf_add(&body, s->data + at + RECORD_FIXED + frame.head_len, frame.body_len);
		at += frame_size(&frame);
		if (frame.type == ET_REC_END)
			end = out.len;
		if (is_names_type(frame.type))
			names = out.len;
		record_put(&out, &frame, &head, &body);
		buf_free(&head);
		buf_free(&body);
	}
	buf_free(&value);
	return out;
}

static void try_forged(const char *label, const struct buf *b, struct tried *sum)
{
	struct sink s = { .data = b->data, .len = b->len };
	struct tried t = try_ranges(label, &s, 30, false);

	sum->ranges += t.ranges;
	sum->seeks += t.seeks;
}

static void test_forged_tags(void)
{
	const struct shape shape = { "forged", 1200, 2, 50000, true, true, true, false, 0 };
	const struct forgery none = { .tag = TAG_PLACE, .every = 1, .change = place_off };
	struct sink s = { 0 };
	struct tried t = { 0 };
	struct buf b;

	write_segment(&s, &shape);
	b = forge(&s, &none);
	CHECK(b.len == s.len && !memcmp(b.data, s.data, s.len));
	buf_free(&b);
	for (size_t i = 0; i < FORGERIES; i++) {
		b = forge(&s, &forgeries[i]);
		CHECK_CASE(forgeries[i].label, b.len != s.len || memcmp(b.data, s.data, s.len));
		try_forged(forgeries[i].label, &b, &t);
		buf_free(&b);
	}
	printf("%-24s %llu ranges, %llu passed over rows\n", "forged", (unsigned long long)t.ranges,
	       (unsigned long long)t.seeks);
	CHECK(t.seeks > t.ranges / 10);
	free(s.data);
}

/* Where the record of that type begins that is the last of the segment, which is whole. */
static size_t last_of(const struct sink *s, unsigned type)
{
	size_t found = 0;

	for (size_t at = 0; at < s->len;) {
		struct frame frame;

		CHECK(frame_get(s->data + at, &frame));
		if (frame.type == type)
			found = at;
		at += frame_size(&frame);
	}
	return found;
}

static void add_footer(struct buf *b, const uint8_t *like, uint64_t end_at, uint64_t segment_len)
{
	struct buf head = { 0 }, value = { 0 };
	struct frame frame;

	CHECK(frame_get(like, &frame));
	frame.type = ET_REC_FOOTER;
	buf_u64(&value, end_at);
	buf_varint(&head, TAG_END_AT);
	buf_bytes(&head, value.data, value.len);
	buf_reset(&value);
	buf_u64(&value, segment_len);
	buf_varint(&head, TAG_SEGMENT_LEN);
	buf_bytes(&head, value.data, value.len);
	record_put(b, &frame, &head, NULL);
	buf_free(&value);
	buf_free(&head);
}

static void try_and_free(const char *label, struct buf *b)
{
	struct tried t = { 0 };

	try_forged(label, b, &t);
	buf_free(b);
	*b = (struct buf){ 0 };
}

/* FOOTER and END where they do not belong. */
static void test_forged_ends(void)
{
	const struct shape shape = { "forged ends", 1000, 0, 50000, false, true, false, false, 0 };
	struct sink s = { 0 }, other = { 0 };
	size_t end, footer, chunk;
	struct buf b = { 0 };

	write_segment(&s, &shape);
	write_segment(&other, &shape);
	end = last_of(&s, ET_REC_END);
	footer = last_of(&s, ET_REC_FOOTER);
	chunk = last_of(&s, ET_REC_CHUNK);
	CHECK(end && footer && chunk && footer + FOOTER_SIZE == s.len);

	/* Of another capture; also with this one's file id. */
	buf_add(&b, s.data, footer);
	buf_add(&b, other.data + other.len - FOOTER_SIZE, FOOTER_SIZE);
	try_and_free("FOOTER of another capture", &b);
	buf_add(&b, s.data, footer);
	add_footer(&b, s.data, last_of(&other, ET_REC_END), other.len);
	try_and_free("what FOOTER of another capture says", &b);

	/* Behind a capture that was never ended. */
	for (unsigned i = 0; i < 4; i++) {
		const uint64_t says[] = { chunk, 0, end, end - 72 };

		buf_add(&b, s.data, end);
		add_footer(&b, s.data, says[i], end + FOOTER_SIZE);
		try_and_free("FOOTER without END", &b);
	}
	/* END in the midst, where FOOTER of a segment that goes on names it. */
	buf_add(&b, s.data, chunk);
	buf_add(&b, s.data + end, footer - end);
	buf_add(&b, s.data + chunk, end - chunk);
	add_footer(&b, s.data, chunk, b.len + FOOTER_SIZE);
	try_and_free("END in the midst", &b);

	/* Twice; FOOTER names the first, the second, or is there twice too. */
	for (unsigned i = 0; i < 3; i++) {
		buf_add(&b, s.data, footer);
		if (i == 2)
			buf_add(&b, s.data + footer, FOOTER_SIZE);
		buf_add(&b, s.data + end, footer - end);
		add_footer(&b, s.data, i ? b.len - (footer - end) : end, b.len + FOOTER_SIZE);
		try_and_free("END twice", &b);
	}
	free(s.data);
	free(other.data);
}

int main(void)
{
	test_shapes();
	test_segments();
	test_damaged();
	test_forged_tags();
	test_forged_ends();
	return check_result();
}
