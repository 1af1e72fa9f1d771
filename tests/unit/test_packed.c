/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches packed by several threads, in any order, and written in order are the
 * capture that et_writer_batch writes of them. A packing that fails is told by who
 * writes it; a write that fails leaves what was packed as it was.
 */
#include "check.h"
#include "events.h"
#include "memory_io.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#define BATCHES 60
#define PACKERS 3
#define REALTIME 1000000

static struct et_batch *batches[BATCHES];
static enum et_record_type types[BATCHES];
static struct et_packed *packed[BATCHES];
static unsigned order[BATCHES];		/* in which they are packed */
static _Atomic unsigned next;		/* of order */
static _Atomic unsigned failures;
static uint64_t losses[BATCHES][ET_CAUSE_END];

static const struct et_clock ended = { 1ull << 50, REALTIME };

/* ---- Allocations that fail: the linker leads the library's here ------------------- */

static unsigned fail_at;		/* the next but so many fails; 0: none */
static _Atomic uint64_t allocated;	/* bytes, by the allocator's own count */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static bool fails(void)
{
	return fail_at && !--fail_at;
}

static void *counted(void *p)
{
	allocated += malloc_usable_size(p);
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	size_t was = malloc_usable_size(p);

	if (fails())
		return NULL;
	p = __real_realloc(p, size);
	allocated -= p ? was : 0;
	return counted(p);
}

void __wrap_free(void *p)
{
	allocated -= malloc_usable_size(p);
	__real_free(p);
}

/* ---- Batches ------------------------------------------------------------------------ */

/* lost: counts what rows of kind lost say, as it is said in the heads. */
static void fill(struct et_batch *b, enum et_record_type type, unsigned rows, uint64_t *ts,
		 uint64_t lost[ET_CAUSE_END])
{
	static char text[4096];
	struct et_event ev;

	for (unsigned i = 0; i < rows; i++) {
		rng_event(&ev, type == ET_REC_PROC ? ET_PROC : type == ET_REC_LOST ? ET_LOST : 1 + rng() % 4, ts, text);
		/* Each record's own, as after clock steps: LATEST is told of the rows before. */
		ev.realtime = REALTIME + (int64_t)(*ts >> 20) % 3;
		if (type == ET_REC_LOST) {
			et_set_uint(&ev, ET_F_CAUSE, 1 + i % 3);
			et_set_uint(&ev, ET_F_COUNT, i);
		}
		if (et_batch_add(b, &ev, NULL) == ET_LIMIT)
			return;
		if (type == ET_REC_LOST)
			lost[1 + i % 3] += i;
	}
}

static void make_batches(void)
{
	static const enum et_record_type mix[] = { ET_REC_CHUNK, ET_REC_CHUNK, ET_REC_PROC, ET_REC_LOST };
	uint64_t ts = 1ull << 40;

	rng_state = 7;
	for (unsigned i = 0; i < BATCHES; i++) {
		batches[i] = et_batch_new();
		types[i] = mix[i % 4];
		/* Some are empty, and some take much longer than others. */
		if (i)
			memcpy(losses[i], losses[i - 1], sizeof(losses[i]));
		fill(batches[i], types[i], i % 10 == 9 ? 0 : i % 7 ? 50 : 3000, &ts, losses[i]);
		packed[i] = et_packed_new();
		order[i] = i;
	}
}

static void free_batches(void)
{
	for (unsigned i = 0; i < BATCHES; i++) {
		et_batch_free(batches[i]);
		et_packed_free(packed[i]);
	}
}

static struct et_writer *open_writer(struct sink *sink)
{
	struct et_writer_options opt = { .program = "test", .started = { 1, REALTIME } };
	struct et_io io = sink_io(sink);
	struct et_writer *w = NULL;

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	return w;
}

static void end_writer(struct et_writer *w, const uint64_t lost[ET_CAUSE_END])
{
	CHECK(et_writer_end(w, ended, lost, "test", NULL) == ET_OK);
	et_writer_close(w);
}

static void *pack_some(void *arg)
{
	struct et_packer *packer;
	unsigned i;

	(void)arg;
	failures += et_packer_new(0, &packer, NULL) != ET_OK;
	while ((i = atomic_fetch_add(&next, 1)) < BATCHES)
		failures += et_packer_pack(packer, types[order[i]], batches[order[i]],
					   packed[order[i]], NULL) != ET_OK;
	et_packer_free(packer);
	return NULL;
}

/* ---- Memory --------------------------------------------------------------------------- */

/* What is told of it is what the allocator has given, but for its rounding. */
static void check_memory(uint64_t told, uint64_t before)
{
	uint64_t found = allocated - before;

	CHECK(found >= told && found - told <= told / 100 + 8192);
}

static void test_memory(void)
{
	const uint64_t before = allocated;
	uint64_t lost[ET_CAUSE_END] = { 0 }, ts = 1ull << 40, packed_before, told;
	struct et_batch *b = et_batch_new();
	struct et_packer *packer;
	struct et_packed *p;

	check_memory(et_batch_memory(b), before);
	for (unsigned rows = 10; rows <= 10000; rows *= 10) {
		fill(b, ET_REC_CHUNK, rows, &ts, lost);
		check_memory(et_batch_memory(b), before);
	}
	told = et_batch_memory(b);
	CHECK(told > 100000);
	CHECK(et_packer_new(0, &packer, NULL) == ET_OK);
	packed_before = allocated;
	p = et_packed_new();
	check_memory(et_packed_memory(p), packed_before);
	CHECK(et_packer_pack(packer, ET_REC_CHUNK, b, p, NULL) == ET_OK);
	et_packer_free(packer);
	et_batch_reset(b);
	CHECK(et_batch_memory(b) == told);
	et_batch_free(b);
	check_memory(et_packed_memory(p), before);
	et_packed_free(p);
	CHECK(allocated == before);
}

/* ---- Comparing ------------------------------------------------------------------------ */

static void tell_fault(void *ctx, const struct et_error *fault)
{
	(void)ctx;
	fprintf(stderr, "at %llu: %s\n", (unsigned long long)fault->at, fault->what);
}

static void check_whole(const struct sink *s)
{
	struct et_reader_stats stats;
	struct et_io io;

	CHECK(et_io_memory(s->data, s->len, &io) == ET_OK);
	CHECK(et_verify(&io, tell_fault, NULL, &stats, NULL) == ET_OK);
	CHECK(!stats.unclean && !stats.truncated);
}

static void check_rows(struct et_reader *a, struct et_reader *b, uint32_t rows)
{
	struct et_chunk *x = NULL, *y = NULL;

	CHECK(et_reader_chunk(a, &x, NULL) == ET_OK && et_reader_chunk(b, &y, NULL) == ET_OK);
	for (uint32_t i = 0; x && y && i < rows; i++) {
		struct et_event ev, other;

		CHECK(et_chunk_event(x, i, &ev, NULL) == ET_OK && et_chunk_event(y, i, &other, NULL) == ET_OK);
		CHECK(ev.realtime == other.realtime && !event_differs(&ev, &other));
	}
	et_chunk_free(x);
	et_chunk_free(y);
}

/* Record for record the same: heads, places, rows. */
static void check_same(const struct sink *one, const struct sink *other)
{
	struct et_reader *a = NULL, *b = NULL;
	struct et_record x, y;
	struct et_io io;
	unsigned records = 0;

	CHECK(et_io_memory(one->data, one->len, &io) == ET_OK && et_reader_open(&io, NULL, NULL, &a, NULL) == ET_OK);
	CHECK(et_io_memory(other->data, other->len, &io) == ET_OK && et_reader_open(&io, NULL, NULL, &b, NULL) == ET_OK);
	while (et_reader_next(a, &x, NULL) == ET_OK) {
		if (et_reader_next(b, &y, NULL) != ET_OK) {
			CHECK(!"a record less");
			break;
		}
		records++;
		CHECK(x.type == y.type && x.at == y.at && x.size == y.size && x.head_len == y.head_len &&
		      x.body_len == y.body_len && x.seq == y.seq && x.rows == y.rows);
		CHECK(x.ts_min == y.ts_min && x.ts_max == y.ts_max && x.n_clocks == y.n_clocks &&
		      x.has_latest == y.has_latest && x.latest == y.latest);
		CHECK(!memcmp(x.kinds, y.kinds, sizeof(x.kinds)) && !memcmp(x.lost, y.lost, sizeof(x.lost)));
		CHECK(x.has_comms == y.has_comms && x.comms.len == y.comms.len && x.n_stats == y.n_stats);
		if (x.rows)
			check_rows(a, b, x.rows);
	}
	CHECK(et_reader_next(b, &y, NULL) == ET_EOF);
	/* FILE_HEADER, END and FOOTER beside those that were not empty. */
	CHECK(records == 3 + BATCHES - BATCHES / 10);
	et_reader_close(a);
	et_reader_close(b);
}

/* ---- Tests ------------------------------------------------------------------------------ */

static void write_batches(struct sink *sink)
{
	struct et_writer *w = open_writer(sink);

	for (unsigned i = 0; i < BATCHES; i++)
		CHECK(et_writer_batch(w, types[i], batches[i], losses[i], NULL) == ET_OK);
	end_writer(w, losses[BATCHES - 1]);
}

static void write_packed(struct sink *sink)
{
	struct et_writer *w = open_writer(sink);

	for (unsigned i = 0; i < BATCHES; i++)
		CHECK(et_writer_packed(w, packed[i], losses[i], NULL) == ET_OK);
	end_writer(w, losses[BATCHES - 1]);
}

static void test_threads(const struct sink *plain)
{
	pthread_t threads[PACKERS];

	for (unsigned round = 0; round < 3; round++) {
		struct sink sink = { 0 }, again = { 0 };

		for (unsigned i = BATCHES - 1; i; i--) {
			unsigned j = (unsigned)(rng() % (i + 1)), was = order[i];

			order[i] = order[j];
			order[j] = was;
		}
		next = 0;
		for (unsigned i = 0; i < PACKERS; i++)
			CHECK(!pthread_create(&threads[i], NULL, pack_some, NULL));
		for (unsigned i = 0; i < PACKERS; i++)
			pthread_join(threads[i], NULL);
		CHECK(!failures);
		write_packed(&sink);
		check_whole(&sink);
		check_same(plain, &sink);
		/* What is packed serves one writer as it does another. */
		write_packed(&again);
		check_same(plain, &again);
		free(sink.data);
		free(again.data);
	}
}

/* Both ways in one capture. */
static void test_mixed(const struct sink *plain)
{
	struct sink sink = { 0 };
	struct et_writer *w = open_writer(&sink);

	for (unsigned i = 0; i < BATCHES; i++) {
		if (i % 2)
			CHECK(et_writer_packed(w, packed[i], losses[i], NULL) == ET_OK);
		else
			CHECK(et_writer_batch(w, types[i], batches[i], losses[i], NULL) == ET_OK);
	}
	end_writer(w, losses[BATCHES - 1]);
	check_same(plain, &sink);
	free(sink.data);
}

static void test_refused(void)
{
	struct et_packed *p = et_packed_new();
	struct et_packer *packer = NULL;
	struct et_writer_stats stats;
	struct sink sink = { 0 };
	struct et_writer *w = open_writer(&sink);
	struct et_error err = { 0 };

	CHECK(et_packer_new(20, &packer, &err) == ET_MISUSE && err.code == ET_MISUSE && !packer);
	CHECK(et_packer_new(-1, &packer, NULL) == ET_MISUSE && !packer);
	CHECK(et_packer_new(1, &packer, NULL) == ET_OK);
	/* Nothing was packed: nothing is written. */
	CHECK(et_writer_packed(w, p, losses[0], NULL) == ET_OK && sink.writes == 1);
	err = (struct et_error){ 0 };
	CHECK(types[0] == ET_REC_CHUNK && et_packer_pack(packer, ET_REC_PROC, batches[0], p, &err) == ET_MISUSE);
	CHECK(err.code == ET_MISUSE && !err.at && err.what);
	err = (struct et_error){ 0 };
	CHECK(et_writer_packed(w, p, losses[0], &err) == ET_MISUSE && err.code == ET_MISUSE);
	CHECK(err.at == sink.len && err.what && sink.writes == 1);
	CHECK(et_writer_packed(w, p, losses[0], NULL) == ET_MISUSE);
	CHECK(et_writer_batch(w, ET_REC_HOST, batches[0], losses[0], &err) == ET_MISUSE && err.at == sink.len);
	/* No failure of the writer: what comes next is written. */
	CHECK(et_packer_pack(packer, types[0], batches[0], p, NULL) == ET_OK);
	CHECK(et_writer_packed(w, p, losses[0], NULL) == ET_OK && sink.writes == 2);
	/* An empty batch in place of it. */
	CHECK(et_batch_rows(batches[9]) == 0);
	CHECK(et_packer_pack(packer, ET_REC_CHUNK, batches[9], p, NULL) == ET_OK);
	CHECK(et_writer_packed(w, p, losses[0], NULL) == ET_OK && sink.writes == 2);
	et_writer_stats(w, &stats);
	CHECK(stats.chunks == 1 && stats.bytes == sink.len);
	end_writer(w, losses[0]);
	check_whole(&sink);
	et_packer_free(packer);
	et_packer_free(NULL);
	et_packed_free(p);
	et_packed_free(NULL);
	free(sink.data);
}

/* The disk is full at each of the records, and then has room. */
static void test_full_disk(const struct sink *plain)
{
	for (unsigned stop = 0; stop < BATCHES; stop += 7) {
		struct sink sink = { 0 };
		struct et_writer *w = open_writer(&sink);
		struct et_writer_stats stats;
		struct et_error err;

		for (unsigned i = 0; i < BATCHES; i++) {
			sink.room = i == stop && et_batch_rows(batches[i]) ? sink.len + 100 : 0;
			if (!sink.room) {
				CHECK(et_writer_packed(w, packed[i], losses[i], NULL) == ET_OK);
				continue;
			}
			CHECK(et_writer_packed(w, packed[i], losses[i], &err) == ET_IO && err.sys == ENOSPC);
			sink.room = 0;
			CHECK(et_writer_packed(w, packed[i], losses[i], NULL) == ET_MISUSE);
			et_writer_stats(w, &stats);
			CHECK(err.at == stats.bytes && stats.bytes == sink.len);
			et_writer_resume(w);
			CHECK(et_writer_packed(w, packed[i], losses[i], NULL) == ET_OK);
		}
		end_writer(w, losses[BATCHES - 1]);
		check_whole(&sink);
		check_same(plain, &sink);
		free(sink.data);
	}
}

/* Each allocation in turn fails, until all is well; what has failed once then works. */
static void test_no_memory(void)
{
	unsigned failed = 0;
	bool done = false;

	for (unsigned n = 1; !done && n < 1000; n++) {
		struct et_packed *p = et_packed_new();
		struct et_packer *packer = NULL;
		struct sink sink = { 0 };
		struct et_writer *w = open_writer(&sink);
		struct et_error err = { 0 }, said = { 0 };
		int rc;

		fail_at = n;
		rc = et_packer_new(3, &packer, &err);
		if (!rc)
			rc = et_packer_pack(packer, types[0], batches[0], p, &err);
		done = fail_at;
		fail_at = 0;
		CHECK(rc == ET_OK || (rc == ET_NOMEM && err.code == ET_NOMEM && !done));
		failed += rc == ET_NOMEM;
		if (packer) {
			CHECK(et_writer_packed(w, p, losses[0], &said) == rc && said.code == err.code);
			CHECK(rc == ET_OK || (sink.writes == 1 &&
					      et_packer_pack(packer, types[0], batches[0], p, NULL) == ET_OK &&
					      et_writer_packed(w, p, losses[0], NULL) == ET_OK));
		}
		end_writer(w, losses[0]);
		check_whole(&sink);
		et_packer_free(packer);
		et_packed_free(p);
		free(sink.data);
	}
	CHECK(done && failed > 5);
	fail_at = 1;
	CHECK(!et_packed_new());
}

int main(void)
{
	struct sink plain = { 0 };

	test_memory();
	make_batches();
	write_batches(&plain);
	check_whole(&plain);
	check_same(&plain, &plain);
	test_threads(&plain);
	test_mixed(&plain);
	test_full_disk(&plain);
	test_refused();
	test_no_memory();
	free_batches();
	free(plain.data);
	return check_result();
}
