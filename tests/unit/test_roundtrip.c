/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random events through writer and reader, from memory and from a pipe: what
 * comes out is what went in, in order, with the heads' counts and statistics
 * true; and what the writer must refuse it refuses, leaving the batch as it was.
 */
#include "check.h"
#include "events.h"
#include "bounds.h"
#include "memory_io.h"

#define MAX_EVENTS 30000
#define REALTIME (-5)

static struct et_event sent[MAX_EVENTS];
static unsigned n_sent;

static const uint64_t lost[ET_CAUSE_END] = { 0, 17, 0, 3 };

static void add(struct et_batch *b, unsigned kind, uint64_t *ts)
{
	static char text[4096];
	struct et_event ev;

	rng_event(&ev, kind, ts, text);
	ev.realtime = REALTIME;
	/* The same list twice in a row goes another way through the batch. */
	if (et_fields[ET_F_ARGV].kinds >> kind & 1 && rng() % 2) {
		ev.known |= 1ull << ET_F_ARGV;
		ev.v[ET_F_ARGV].l = rng() % 4 ? (struct et_list){ "gcc\0-c\0\0", 8, 3 } :
						(struct et_list){ "gcc\0-x\0\0", 8, 3 };
	}
	CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
	sent[n_sent++] = event_copy(&ev);
}

static void write_all(struct sink *sink)
{
	struct et_writer_options opt = { .program = "test 1", .boot_id = { 1, 2, 3 },
					 .started = { 7, REALTIME }, .series = { 0, 4 },
					 .number = 1ull << 63 };
	struct et_io io = sink_io(sink);
	struct et_batch *b = et_batch_new();
	struct et_writer_stats stats;
	struct et_writer *w;
	uint64_t ts = 1ull << 40;
	size_t before = sink->len;

	sink->writes = 0;
	sink->closed = 0;
	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	for (unsigned chunk = 0; chunk < 30; chunk++) {
		static const unsigned types[] = { ET_REC_CHUNK, ET_REC_CHUNK, ET_REC_PROC, ET_REC_LOST };
		unsigned type = types[chunk % 4], rows = chunk == 5 ? 5000 : 1 + rng() % 400;

		et_batch_reset(b);
		for (unsigned i = 0; i < rows; i++)
			add(b, type == ET_REC_PROC ? ET_PROC : type == ET_REC_LOST ? ET_LOST : 1 + rng() % 4, &ts);
		CHECK(et_writer_batch(w, type, b, lost, NULL) == ET_OK);
	}
	et_batch_reset(b);
	CHECK(et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) == ET_OK);
	CHECK(et_writer_end(w, (struct et_clock){ ts, REALTIME }, lost, "test", NULL) == ET_OK);
	et_writer_stats(w, &stats);
	CHECK(stats.bytes == sink->len - before && stats.chunks == 16);
	et_writer_close(w);
	CHECK(sink->closed == 1);
	/* One record, one write: FILE_HEADER, 30 batches, END, FOOTER. */
	CHECK(sink->writes == 33);
	et_batch_free(b);
}

/* A head's statistics must cover what the rows hold. */
static bool covers(const struct et_stat *s, uint64_t v)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->set[i] == v)
			return true;
	}
	return !s->n && v >= s->min && v <= s->max;
}

static void check_chunk(const struct et_record *rec, struct et_chunk *c, unsigned *at)
{
	uint64_t kinds[ET_KIND_END] = { 0 };

	CHECK(et_chunk_rows(c) == rec->rows);
	for (uint32_t row = 0; row < rec->rows; row++, ++*at) {
		struct et_event ev;

		if (*at >= n_sent || et_chunk_event(c, row, &ev, NULL) != ET_OK) {
			CHECK(!"an event that was not sent, or cannot be read");
			return;
		}
		CHECK_CASE(et_fields[event_differs(&ev, &sent[*at])].name, !event_differs(&ev, &sent[*at]));
		kinds[ev.v[ET_F_KIND].u]++;
		CHECK(ev.v[ET_F_TS].u >= rec->ts_min && ev.v[ET_F_TS].u <= rec->ts_max);
		CHECK(ev.realtime == REALTIME);
		CHECK(!ET_HAS(&ev, ET_F_COMM) ||
		      et_record_has_comm(rec, ev.v[ET_F_COMM].s.ptr, ev.v[ET_F_COMM].s.len));
		for (unsigned i = 0; i < rec->n_stats; i++) {
			unsigned f = rec->stats[i].column;

			CHECK(!ET_HAS(&ev, f) || covers(&rec->stats[i], ev.v[f].u));
		}
	}
	CHECK(!memcmp(kinds, rec->kinds, sizeof(kinds)));
	CHECK(rec->type == ET_REC_LOST || rec->n_stats == 2);
	CHECK(!memcmp(rec->lost, lost, sizeof(lost)));
	CHECK(rec->n_clocks == 1 && rec->clocks[0].offset == REALTIME);
}

/* skip: leaves that many in three bodies unread. */
static void read_all(const struct et_io *io, unsigned skip)
{
	struct et_reader_stats stats;
	struct et_reader *r;
	struct et_record rec;
	unsigned at = 0, types[ET_REC_TYPE_END] = { 0 };
	uint8_t file_id[8] = { 0 };
	uint64_t rows = 0;

	CHECK(et_reader_open(io, NULL, NULL, &r, NULL) == ET_OK);
	while (et_reader_next(r, &rec, NULL) == ET_OK) {
		struct et_chunk *c;

		CHECK(rec.type < ET_REC_TYPE_END);
		types[rec.type]++;
		CHECK(rec.seq == rows);
		CHECK(rec.type == ET_REC_FILE || !memcmp(rec.file_id, file_id, sizeof(file_id)));
		CHECK(rec.type == ET_REC_FILE || (!rec.has_series && !rec.number));
		rows += rec.rows;
		if (rec.type == ET_REC_FILE) {
			CHECK(rec.program.len == 6 && !memcmp(rec.program.ptr, "test 1", 6));
			CHECK(rec.has_started && rec.started.ts == 7 && rec.started.offset == REALTIME);
			CHECK(rec.boot_id[0] == 1 && rec.boot_id[2] == 3 && !rec.boot_id[15]);
			CHECK(rec.has_series && !rec.series[0] && rec.series[1] == 4 && !rec.series[7]);
			CHECK(rec.number == 1ull << 63);
			memcpy(file_id, rec.file_id, sizeof(file_id));
		}
		if (rec.type == ET_REC_END)
			CHECK(rec.ended.ts > 1ull << 40 && rec.ended.offset == REALTIME);
		if (rec.type == ET_REC_END)
			CHECK(rec.reason.len == 4 && !memcmp(rec.reason.ptr, "test", 4));
		if (!rec.rows)
			continue;
		if (at % 3 < skip) {
			at += rec.rows;
			continue;
		}
		CHECK(et_reader_chunk(r, &c, NULL) == ET_OK);
		check_chunk(&rec, c, &at);
		et_chunk_free(c);
	}
	CHECK(at == n_sent && rows == n_sent);
	CHECK(types[ET_REC_FILE] == 1 && types[ET_REC_CHUNK] == 16 && types[ET_REC_END] == 1 &&
	      types[ET_REC_FOOTER] == 1);
	et_reader_stats(r, &stats);
	CHECK(!stats.missing && !stats.damaged && !stats.unclean && !stats.truncated);
	CHECK(stats.segments == 1 && stats.lost[ET_CAUSE_RING_FULL] == 17);
	CHECK(et_reader_next(r, &rec, NULL) == ET_EOF);
	et_reader_close(r);
}

static void test_random(void)
{
	for (unsigned seed = 1; seed <= 5; seed++) {
		struct sink sink = { 0 };
		struct et_io io;

		rng_state = seed;
		write_all(&sink);
		for (unsigned skip = 0; skip < 3; skip++) {
			CHECK(et_io_memory(sink.data, sink.len, &io) == ET_OK);
			read_all(&io, skip);
			io = pipe_io(sink.data, sink.len);
			read_all(&io, skip);
		}
		for (unsigned i = 0; i < n_sent; i++)
			event_free(&sent[i]);
		n_sent = 0;
		free(sink.data);
	}
}

/* Captures one behind the other are a capture. */
static void test_concatenated(void)
{
	struct sink sink = { 0 };
	struct et_reader_stats stats;
	struct et_reader *r;
	struct et_record rec;
	struct et_io io;
	unsigned events, twice = 0;

	write_all(&sink);
	events = n_sent;
	write_all(&sink);
	CHECK(et_io_memory(sink.data, sink.len, &io) == ET_OK);
	CHECK(et_reader_open(&io, NULL, NULL, &r, NULL) == ET_OK);
	while (et_reader_next(r, &rec, NULL) == ET_OK) {
		struct et_chunk *c;
		unsigned at = rec.segment ? events + (unsigned)rec.seq : (unsigned)rec.seq;

		if (!rec.rows)
			continue;
		twice += rec.rows;
		CHECK(et_reader_chunk(r, &c, NULL) == ET_OK);
		check_chunk(&rec, c, &at);
		et_chunk_free(c);
	}
	et_reader_stats(r, &stats);
	CHECK(twice == n_sent && stats.segments == 2 && !stats.unclean && !stats.missing);
	CHECK(stats.lost[ET_CAUSE_RING_FULL] == 34);
	et_reader_close(r);
	for (unsigned i = 0; i < n_sent; i++)
		event_free(&sent[i]);
	n_sent = 0;
	free(sink.data);
}

static void test_refused(void)
{
	struct et_batch *b = et_batch_new();
	struct et_event ev = { 0 };
	uint64_t bytes;
	char *big = calloc(1, LIMIT_STRING + 1);

	CHECK(et_batch_add(b, &ev, NULL) == ET_MISUSE);
	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	et_set_uint(&ev, ET_F_TS, 5);
	CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
	bytes = et_batch_bytes(b);
	et_set_str(&ev, ET_F_COMM, "a\0b", 3);
	CHECK(et_batch_add(b, &ev, NULL) == ET_MISUSE);
	memset(big, 'x', LIMIT_STRING + 1);
	et_set_str(&ev, ET_F_COMM, big, LIMIT_STRING + 1);
	CHECK(et_batch_add(b, &ev, NULL) == ET_MISUSE);
	et_set_str(&ev, ET_F_COMM, "ok", 2);
	et_set_uint(&ev, ET_F_ERRNO, 2);	/* an exec has none */
	CHECK(et_batch_add(b, &ev, NULL) == ET_MISUSE);
	ev.known &= ~(1ull << ET_F_ERRNO);
	ev.known |= 1ull << ET_F_ARGV;
	ev.v[ET_F_ARGV].l = (struct et_list){ "a\0b", 3, 2 };	/* no last NUL */
	CHECK(et_batch_add(b, &ev, NULL) == ET_MISUSE);
	ev.v[ET_F_ARGV].l = (struct et_list){ "a\0b\0", 4, 3 };	/* not three */
	CHECK(et_batch_add(b, &ev, NULL) == ET_MISUSE);
	CHECK(et_batch_rows(b) == 1 && et_batch_bytes(b) == bytes);
	ev.v[ET_F_ARGV].l = (struct et_list){ "a\0b\0", 4, 2 };
	CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
	CHECK(et_batch_rows(b) == 2);
	et_batch_free(b);
	free(big);
}

/* A full batch says so and can still be written and read. */
static void test_full(void)
{
	struct et_writer_options opt = { .program = "test" };
	struct et_batch *b = et_batch_new();
	struct et_event ev = { 0 };
	struct sink sink = { 0 };
	struct et_io io = sink_io(&sink);
	struct et_writer *w;
	struct et_reader *r;
	struct et_record rec;
	uint32_t rows, seen = 0, n;
	char name[32];
	int rc;

	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	for (rows = 0;; rows++) {
		et_set_uint(&ev, ET_F_TS, rows);
		n = (uint32_t)snprintf(name, sizeof(name), "name %u", rows);
		et_set_str(&ev, ET_F_COMM, name, n);
		rc = et_batch_add(b, &ev, NULL);
		if (rc)
			break;
	}
	CHECK(rc == ET_LIMIT && et_batch_rows(b) == rows && rows > 100000);
	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	CHECK(et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) == ET_OK);
	et_writer_close(w);
	CHECK(et_io_memory(sink.data, sink.len, &io) == ET_OK);
	CHECK(et_reader_open(&io, NULL, NULL, &r, NULL) == ET_OK);
	while (et_reader_next(r, &rec, NULL) == ET_OK)
		seen += rec.rows;
	CHECK(seen == rows);
	et_reader_close(r);
	et_batch_free(b);
	free(sink.data);
}

int main(void)
{
	test_random();
	test_concatenated();
	test_refused();
	test_full();
	return check_result();
}
