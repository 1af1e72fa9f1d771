/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a range costs in a capture of many small records: reads in the order of the
 * logarithm of their number, not of the number.
 */
#include "check.h"
#include "memory_io.h"

#include <sys/mman.h>
#include <unistd.h>

/* Fewer where each takes longer: under a sanitizer, and on machines that are mostly emulated. The bounds hold. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	!(defined(__x86_64__) || defined(__aarch64__))
#define RECORDS 60000u
#else
#define RECORDS 1000000u
#endif
#define NAMES_EVERY (RECORDS / 20)

#define OFFSET 1790000000000000000ll
#define BEGIN 1000000000ull
#define STEP 1000000ull /* between records, ns */

/* Bounds on what a range of few rows may take, where all would take RECORDS reads and more. */
#define READS_MAX 600u
#define BYTES_MAX (4u << 20)

static int64_t wall(uint64_t record)
{
	return (int64_t)(BEGIN + record * STEP) + OFFSET;
}

static void write_capture(int fd, bool unclean)
{
	static const uint64_t lost[ET_CAUSE_END];
	const struct et_writer_options opt = { .program = "test", .level = 1 };
	const struct et_name name = { 1, false, { "one", 3 } };
	struct et_batch *b = et_batch_new();
	struct et_writer *w;
	struct et_io io;

	CHECK(!et_io_fd(dup(fd), &io));
	CHECK(!et_writer_open(&io, &opt, &w, NULL));
	for (unsigned i = 0; i < RECORDS; i++) {
		et_batch_reset(b);
		for (unsigned row = 0; row < 1 + i % 3; row++) {
			struct et_event ev = { .realtime = OFFSET };

			et_set_uint(&ev, ET_F_KIND, ET_FORK);
			et_set_uint(&ev, ET_F_TS, BEGIN + i * STEP + (row ? 1000 : 0) - row * 300);
			et_set_uint(&ev, ET_F_PID, i + row);
			if (et_batch_add(b, &ev, NULL))
				abort();
		}
		if (et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) ||
		    (i % NAMES_EVERY == 0 && et_writer_names(w, ET_REC_USERS, &name, 1, NULL)))
			abort();
	}
	if (!unclean)
		CHECK(!et_writer_end(w, (struct et_clock){ BEGIN + RECORDS * STEP, OFFSET }, lost, "x", NULL));
	et_writer_close(w);
	et_batch_free(b);
}

/* ---- An io that counts ------------------------------------------------------------ */

struct counted {
	struct et_io io;
	uint64_t reads, bytes, seeks;
};

static int counted_read(void *ctx, void *buf, size_t len, size_t *got)
{
	struct counted *c = ctx;
	int rc = c->io.read(c->io.ctx, buf, len, got);

	c->reads++;
	c->bytes += *got;
	return rc;
}

static int counted_seek(void *ctx, uint64_t offset)
{
	struct counted *c = ctx;

	c->seeks++;
	return c->io.seek(c->io.ctx, offset);
}

static int counted_size(void *ctx, uint64_t *size)
{
	struct counted *c = ctx;

	return c->io.size(c->io.ctx, size);
}

static void counted_close(void *ctx)
{
	struct counted *c = ctx;

	c->io.close(c->io.ctx);
}

/* Rows of the records from first on, and before end. */
static uint64_t rows_of(uint64_t first, uint64_t end)
{
	uint64_t rows = 0;

	for (uint64_t i = first; i < end; i++)
		rows += 1 + i % 3;
	return rows;
}

/*
 * Reads as a command does, bodies of records in the range alone; rows of the range
 * that came of so many segments.
 */
static uint64_t read_range(const void *data, size_t len, int64_t since, int64_t until,
			   unsigned segments, struct counted *c)
{
	struct et_reader_stats stats;
	struct et_record rec;
	struct et_reader *r;
	uint64_t rows = 0, names = 0;
	bool told = false;
	struct et_io io = { .ctx = c, .read = counted_read, .seek = counted_seek, .size = counted_size,
			    .close = counted_close };

	*c = (struct counted){ 0 };
	CHECK(!et_io_memory(data, len, &c->io));
	CHECK(!et_reader_open(&io, NULL, NULL, &r, NULL));
	while (!et_reader_next(r, &rec, NULL) && rec.segment < segments) {
		const uint8_t *body;

		names += rec.type == ET_REC_USERS;
		if (!rec.rows)
			continue;
		if (!told)
			et_reader_range(r, since, until);
		told = true;
		if (et_record_wall(&rec, rec.ts_max) < since || et_record_wall(&rec, rec.ts_min) >= until)
			continue;
		CHECK(!et_reader_body(r, &body, NULL));
		rows += rec.rows;
	}
	et_reader_stats(r, &stats);
	CHECK(!stats.damaged);
	et_reader_close(r);
	CHECK(names <= 21);
	return rows;
}

#define ALL UINT64_MAX

static void check_cost(const char *label, const void *data, size_t len, uint64_t from, uint64_t to)
{
	int64_t since = from == ALL ? INT64_MIN : wall(from), until = to == ALL ? INT64_MAX : wall(to);
	uint64_t first = from == ALL ? 0 : from, end = to == ALL ? RECORDS : to, got;
	struct counted c;

	got = read_range(data, len, since, until, 1, &c);
	printf("%-44s %5llu rows, %4llu reads, %4llu seeks, %8llu bytes\n", label, (unsigned long long)got,
	       (unsigned long long)c.reads, (unsigned long long)c.seeks, (unsigned long long)c.bytes);
	CHECK_CASE(label, got == rows_of(first, end));
	CHECK_CASE(label, c.reads < READS_MAX);
	CHECK_CASE(label, c.bytes < BYTES_MAX);
}

static void *map(int fd, size_t *len)
{
	void *data;

	*len = (size_t)lseek(fd, 0, SEEK_END);
	data = mmap(NULL, *len, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(data != MAP_FAILED);
	return data;
}

static void test_ended(const void *data, size_t len)
{
	struct counted c;

	check_cost("since near the end", data, len, RECORDS - 20, ALL);
	check_cost("since the last", data, len, RECORDS - 1, ALL);
	check_cost("since behind the end", data, len, RECORDS + 1000, ALL);
	check_cost("in the middle", data, len, RECORDS / 2, RECORDS / 2 + 20);
	check_cost("at a third", data, len, RECORDS / 3, RECORDS / 3 + 1);
	check_cost("since near the beginning, and until there", data, len, 20, 40);
	check_cost("until near the beginning", data, len, ALL, 20);
	check_cost("until the beginning", data, len, ALL, 0);
	check_cost("near the end, and until there", data, len, RECORDS - 40, RECORDS - 20);

	/* Without a range each record is read: the counter counts. */
	read_range(data, len, INT64_MIN, INT64_MAX, 1, &c);
	printf("%-44s %llu reads, %llu bytes\n", "all", (unsigned long long)c.reads,
	       (unsigned long long)c.bytes);
	CHECK(c.reads > RECORDS && c.bytes > len / 2);
}

/* Halving needs no END; finding where a range ends does. */
static void test_unclean(const void *data, size_t len)
{
	check_cost("never ended: since near the end", data, len, RECORDS - 20, ALL);
	check_cost("never ended: since behind the end", data, len, RECORDS + 1000, ALL);
	check_cost("cut off: since near the end", data, len - 13, RECORDS - 20, RECORDS - 1);
}

/* cat a a: records of the copy have the same file id, but say that they are elsewhere. */
static void test_twice(const void *data, size_t len)
{
	struct counted c;
	uint8_t *twice = malloc(2 * len);

	CHECK(twice);
	if (!twice)
		return;
	memcpy(twice, data, len);
	memcpy(twice + len, data, len);
	/* Where the first segment ends only reading tells, so the range reaches to its end. */
	printf("twice the same: ");
	CHECK(read_range(twice, 2 * len, wall(RECORDS - 20), INT64_MAX, 1, &c) ==
	      rows_of(RECORDS - 20, RECORDS));
	printf("%llu reads, %llu bytes\n", (unsigned long long)c.reads, (unsigned long long)c.bytes);
	CHECK(c.reads < READS_MAX && c.bytes < BYTES_MAX);
	free(twice);
}

int main(void)
{
	size_t len;
	void *data;

	for (int unclean = 0; unclean < 2; unclean++) {
		int fd = memfd_create("capture", MFD_CLOEXEC);

		write_capture(fd, unclean);
		data = map(fd, &len);
		printf("%u records, %zu bytes%s\n", RECORDS, len, unclean ? ", never ended" : "");
		if (unclean)
			test_unclean(data, len);
		else
			test_ended(data, len);
		if (!unclean)
			test_twice(data, len);
		munmap(data, len);
		close(fd);
	}
	return check_result();
}
