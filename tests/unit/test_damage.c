/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small capture cut at every byte, with every byte changed, with every block
 * zeroed, doubled or swapped: the reader never hands out an event that was not
 * written, never one twice, and says how many are missing.
 */
#include "check.h"
#include "events.h"
#include "memory_io.h"

#define CHUNKS 4
#define ROWS 12

static struct et_event sent[CHUNKS * ROWS];
static struct sink file;
static unsigned faults;

static void count_fault(void *ctx, const struct et_error *fault)
{
	(void)ctx;
	CHECK(fault->what && fault->code);
	faults++;
}

static void make_file(void)
{
	static const struct et_pair host[] = { { "hostname", { "box", 3 } } };
	static const struct et_name user = { 0, false, { "root", 4 } };
	static const uint64_t lost[ET_CAUSE_END];
	struct et_writer_options opt = { .program = "test" };
	struct et_io io = sink_io(&file);
	struct et_batch *b = et_batch_new();
	struct et_writer *w;
	uint64_t ts = 1000000;
	char text[4096];

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	CHECK(et_writer_host(w, host, 1, NULL) == ET_OK);
	CHECK(et_writer_names(w, ET_REC_USERS, &user, 1, NULL) == ET_OK);
	for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
		et_batch_reset(b);
		for (unsigned row = 0; row < ROWS; row++) {
			struct et_event ev;

			rng_event(&ev, 1 + rng() % 4, &ts, text);
			ev.realtime = 1000 * (int64_t)chunk;
			CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
			sent[chunk * ROWS + row] = event_copy(&ev);
		}
		CHECK(et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) == ET_OK);
	}
	CHECK(et_writer_end(w, (struct et_clock){ ts, 0 }, lost, "test", NULL) == ET_OK);
	et_writer_close(w);
	et_batch_free(b);
}

struct outcome {
	int opened;
	unsigned rows;		/* handed out, each checked against what was written */
	unsigned bad_chunks;	/* refused only when their columns were decoded */
	struct et_reader_stats stats;
};

/* Reads data to its end; every event handed out must be one that was written. */
static struct outcome read_damaged(const struct et_io *io, const char *label)
{
	bool seen[CHUNKS * ROWS] = { false };
	struct outcome o = { 0 };
	struct et_context *names = et_context_new();
	struct et_reader *r;
	struct et_record rec;
	unsigned records = 0;

	faults = 0;
	o.opened = et_reader_open(io, count_fault, NULL, &r, NULL);
	if (o.opened) {
		et_context_free(names);
		return o;
	}
	while (et_reader_next(r, &rec, NULL) == ET_OK && records++ < 1000) {
		struct et_chunk *c;

		et_context_take(names, r, &rec, NULL);
		if (!rec.rows || et_reader_chunk(r, &c, NULL))
			continue;
		for (uint32_t row = 0; row < rec.rows; row++) {
			uint64_t at = rec.seq + row;
			struct et_event ev;

			if (et_chunk_event(c, row, &ev, NULL)) {
				o.bad_chunks++;
				break;
			}
			CHECK_CASE(label, at < CHUNKS * ROWS && !seen[at] && !event_differs(&ev, &sent[at]));
			if (at < CHUNKS * ROWS)
				seen[at] = true;
			o.rows++;
		}
		et_chunk_free(c);
	}
	CHECK_CASE(label, records < 1000);
	et_reader_stats(r, &o.stats);
	et_reader_close(r);
	et_context_free(names);
	return o;
}

static struct outcome read_both(const uint8_t *data, size_t len, const char *label)
{
	struct et_io io;
	struct outcome file_way, pipe_way;

	CHECK(et_io_memory(data, len, &io) == ET_OK);
	file_way = read_damaged(&io, label);
	io = pipe_io(data, len);
	pipe_way = read_damaged(&io, label);
	CHECK_CASE(label, file_way.opened == pipe_way.opened && file_way.rows == pipe_way.rows &&
				  file_way.stats.missing == pipe_way.stats.missing &&
				  file_way.stats.truncated == pipe_way.stats.truncated &&
				  file_way.stats.damaged == pipe_way.stats.damaged);
	return file_way;
}

/* Cut short, a capture gives its whole records and is truncated or unclean, never damaged. */
static void test_prefixes(void)
{
	unsigned last = 0;

	for (size_t len = 0; len < file.len; len++) {
		struct outcome o = read_both(file.data, len, "prefix");

		CHECK(o.opened == ET_OK || o.opened == ET_EOF || o.opened == ET_CORRUPT);
		CHECK(o.opened != ET_EOF || !len);
		CHECK(!o.stats.damaged && !o.bad_chunks);
		CHECK(o.rows >= last && o.rows % ROWS == 0);
		CHECK(o.opened || o.rows == CHUNKS * ROWS || o.stats.unclean == 1);
		last = o.rows;
	}
	CHECK(last == CHUNKS * ROWS);
}

static void test_flips(void)
{
	uint8_t *data = malloc(file.len);

	memcpy(data, file.data, file.len);
	for (size_t at = 0; at < file.len; at++) {
		struct outcome o;

		data[at] ^= (uint8_t)(1 + rng() % 255);
		o = read_both(data, file.len, "flip");
		/* Flags and padding are ignored; anything else is a fault or refused. */
		if (!o.opened)
			CHECK(o.rows == CHUNKS * ROWS || o.stats.damaged || o.stats.truncated);
		CHECK(!o.bad_chunks);
		/* One byte costs at most one chunk. */
		CHECK(o.opened || o.rows >= (CHUNKS - 1) * ROWS);
		CHECK(o.opened || o.rows + o.stats.missing == CHUNKS * ROWS);
		data[at] = file.data[at];
	}
	free(data);
}

static void test_blocks(void)
{
	const size_t block = 512;
	uint8_t *data = malloc(file.len + block);

	for (size_t at = 0; at + block <= file.len; at += block) {
		struct outcome o;

		memcpy(data, file.data, file.len);
		memset(data + at, 0, block);
		o = read_both(data, file.len, "zeroed");
		CHECK(o.opened || o.stats.damaged || o.stats.truncated || o.rows == CHUNKS * ROWS);

		memcpy(data, file.data, at + block);
		memcpy(data + at + block, file.data + at, file.len - at);
		o = read_both(data, file.len + block, "doubled");
		CHECK(o.opened || o.stats.damaged || o.rows == CHUNKS * ROWS);

		if (at + 2 * block > file.len)
			continue;
		memcpy(data, file.data, file.len);
		memcpy(data + at, file.data + at + block, block);
		memcpy(data + at + block, file.data + at, block);
		o = read_both(data, file.len, "swapped");
		CHECK(o.opened || o.stats.damaged || o.rows == CHUNKS * ROWS);
	}
	free(data);
}

static const struct {
	const char *label;
	const char *bytes;
	size_t len;
	int code;
} not_captures[] = {
	{ "empty", "", 0, ET_EOF },
	{ "text", "hello, world\n", 13, ET_CORRUPT },
	{ "gzip", "\x1f\x8b\x08\0\0\0\0\0\0\3", 10, ET_CORRUPT },
	{ "magic alone", "\x89" "ETZ\r\n\x1a\n", 8, ET_CORRUPT },
	{ "magic and zeros", "\x89" "ETZ\r\n\x1a\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 40, ET_CORRUPT },
};

static void test_not_captures(void)
{
	for (size_t i = 0; i < sizeof(not_captures) / sizeof(not_captures[0]); i++) {
		struct outcome o = read_both((const uint8_t *)not_captures[i].bytes,
					     not_captures[i].len, not_captures[i].label);

		CHECK_CASE(not_captures[i].label, o.opened == not_captures[i].code);
	}
}

/* The output refuses at every byte in turn: no crash, the error comes through. */
static void test_full_disk(void)
{
	static const uint64_t lost[ET_CAUSE_END];
	struct et_writer_options opt = { .program = "test" };
	struct et_batch *b = et_batch_new();

	for (unsigned i = 0; i < ROWS; i++)
		CHECK(et_batch_add(b, &sent[i], NULL) == ET_OK);
	for (size_t room = 1; room < 4000; room += 7) {
		struct sink sink = { .room = room };
		struct et_io io = sink_io(&sink);
		struct et_error err;
		struct et_writer *w;
		int rc = et_writer_open(&io, &opt, &w, &err);

		for (unsigned i = 0; !rc && i < 3; i++)
			rc = et_writer_batch(w, ET_REC_CHUNK, b, lost, &err);
		CHECK(rc == ET_OK || (rc == ET_IO && err.sys == ENOSPC && err.at == sink.len));
		if (rc && w)
			CHECK(et_writer_end(w, (struct et_clock){ 0 }, lost, "x", &err) == ET_MISUSE);
		et_writer_close(w);
		CHECK(sink.closed == 1);
		free(sink.data);
	}
	et_batch_free(b);
}

int main(void)
{
	make_file();
	test_prefixes();
	test_flips();
	test_blocks();
	test_not_captures();
	test_full_disk();
	for (unsigned i = 0; i < CHUNKS * ROWS; i++)
		event_free(&sent[i]);
	free(file.data);
	return check_result();
}
