/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a writer had reported as written is read, whatever ends it: a write that fails
 * at any place, having taken any part of the record, and SIGKILL at any moment. What
 * follows is at most one part of a record, and the reader says so.
 */
#include "check.h"
#include "events.h"
#include "memory_io.h"

#include <limits.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 6
#define ROWS_MAX 1500
/* Fewer where an emulator makes each dear. */
#if defined(__x86_64__) || defined(__aarch64__)
#define KILLS 1000
#else
#define KILLS 100
#endif

static struct et_batch *batches[BATCHES];
static struct et_event *sent[BATCHES];
/* The larger ones take more than a page each, so that a kill can meet them half done. */
static const unsigned rows[BATCHES] = { 40, 1, ROWS_MAX, 7, 500, 16 };

static int put_rows(struct et_writer *w, const struct et_batch *b, struct et_error *err)
{
	static const uint64_t lost[ET_CAUSE_END];

	return et_writer_batch(w, ET_REC_CHUNK, b, lost, err);
}

static void make_batches(void)
{
	uint64_t ts = 1000000;
	char text[4096];

	for (unsigned b = 0; b < BATCHES; b++) {
		batches[b] = et_batch_new();
		sent[b] = calloc(rows[b], sizeof(*sent[b]));
		for (unsigned i = 0; i < rows[b]; i++) {
			struct et_event ev;

			rng_event(&ev, 1 + rng() % 4, &ts, text);
			CHECK(et_batch_add(batches[b], &ev, NULL) == ET_OK);
			sent[b][i] = event_copy(&ev);
		}
	}
}

static void free_batches(void)
{
	for (unsigned b = 0; b < BATCHES; b++) {
		for (unsigned i = 0; i < rows[b]; i++)
			event_free(&sent[b][i]);
		free(sent[b]);
		et_batch_free(batches[b]);
	}
}

/* ---- Writing and reading --------------------------------------------------------- */

/* What a writer has reported so far; shared with whoever outlives it. */
struct reported {
	_Atomic unsigned opened;
	_Atomic unsigned chunks;
	_Atomic unsigned ended;
};

/* Writes n chunks, the batches in turn, from the one after those reported. */
static int put_chunks(struct et_writer *w, unsigned n, struct reported *told, struct et_error *err)
{
	while (told->chunks < n) {
		int rc = put_rows(w, batches[told->chunks % BATCHES], err);

		if (rc)
			return rc;
		told->chunks++;
	}
	return ET_OK;
}

static int finish(struct et_writer *w, struct reported *told, struct et_error *err)
{
	static const uint64_t lost[ET_CAUSE_END];
	int rc = et_writer_end(w, (struct et_clock){ 1, 0 }, lost, "test", err);

	told->ended = !rc;
	return rc;
}

static int begin(const struct et_io *io, struct et_writer **w, struct reported *told,
		 struct et_error *err)
{
	static const struct et_pair host[] = { { "hostname", { "box", 3 } } };
	struct et_writer_options opt = { .program = "test" };
	int rc = et_writer_open(io, &opt, w, err);

	told->opened = !rc;
	if (!rc)
		rc = et_writer_host(*w, host, 1, err);
	return rc;
}

struct found {
	int opened;
	unsigned chunks;	/* read, each equal to the batch that it was written from */
	unsigned faults;
	struct et_reader_stats stats;
};

static void count_fault(void *ctx, const struct et_error *fault)
{
	struct found *f = ctx;

	(void)fault;
	f->faults++;
}

static bool chunk_is(struct et_chunk *c, unsigned b)
{
	if (et_chunk_rows(c) != rows[b])
		return false;
	for (uint32_t i = 0; i < rows[b]; i++) {
		struct et_event ev;

		if (et_chunk_event(c, i, &ev, NULL) || event_differs(&ev, &sent[b][i]))
			return false;
	}
	return true;
}

/* Takes io. Stops counting chunks at the first that is not the next one written. */
static struct found look(const struct et_io *io)
{
	struct found f = { 0 };
	struct et_record rec;
	struct et_reader *r;
	bool right = true;

	f.opened = et_reader_open(io, count_fault, &f, &r, NULL);
	if (f.opened)
		return f;
	while (et_reader_next(r, &rec, NULL) == ET_OK) {
		struct et_chunk *c;

		if (rec.type != ET_REC_CHUNK || et_reader_chunk(r, &c, NULL))
			continue;
		right = right && chunk_is(c, f.chunks % BATCHES);
		f.chunks += right;
		et_chunk_free(c);
	}
	et_reader_stats(r, &f.stats);
	et_reader_close(r);
	return f;
}

static struct found look_at(const void *data, size_t len)
{
	struct et_io io;

	CHECK(et_io_memory(data, len, &io) == ET_OK);
	return look(&io);
}

/* ---- A write that fails -------------------------------------------------------------- */

#define PART_ALL 1000u		/* thousandths of the record */
/* The writes of a capture: FILE, HOST, chunks, END, FOOTER. */
#define CHUNKS (2 * BATCHES)
#define END_WRITE (2 + CHUNKS + 1)
#define WRITES (END_WRITE + 1)

/* Memory that takes part of one write, and then fails. */
struct faulty {
	struct sink file;
	unsigned fail_at;	/* number of the write, from 1; 0: none */
	unsigned part;		/* thousandths of it that are taken */
	unsigned failed;	/* the number, when it has */
	size_t whole;		/* bytes before that write */
	size_t record;		/* bytes of the record without its padding */
};

static size_t le32(const uint8_t *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static int faulty_write(void *ctx, const void *buf, size_t len)
{
	struct faulty *f = ctx;
	const uint8_t *p = buf;

	if (f->file.writes + 1 != f->fail_at)
		return sink_write(&f->file, buf, len);
	f->failed = f->fail_at;
	f->fail_at = 0;
	f->whole = f->file.len;
	/* SPEC.md 3.1 */
	f->record = 48 + le32(p + 28) + le32(p + 32);
	len = (len * f->part + PART_ALL - 1) / PART_ALL;
	if (len)
		CHECK(sink_write(&f->file, buf, len) == 0);
	return ENOSPC;
}

static void faulty_close(void *ctx)
{
	struct faulty *f = ctx;

	f->file.closed++;
}

/* What the reader must say of the file as the failed write left it. */
static void check_failed(const struct faulty *f, const struct reported *told)
{
	struct found found = look_at(f->file.data, f->file.len);
	size_t taken = f->file.len - f->whole;
	bool cut = taken && taken < f->record, last_is_whole = taken >= f->record;
	bool end_is_there = f->failed > END_WRITE || (f->failed == END_WRITE && last_is_whole);

	if (!f->whole && !last_is_whole) {
		CHECK(found.opened == (taken ? ET_CORRUPT : ET_EOF));
		return;
	}
	CHECK(found.opened == ET_OK);
	/* A record that was taken whole is read, whatever the writer was told. */
	CHECK(found.chunks == told->chunks || (last_is_whole && found.chunks == told->chunks + 1));
	CHECK(!found.stats.damaged);
	/* Of a chunk whose head is there, how many rows are gone is known. */
	CHECK(!found.stats.missing || (cut && found.stats.missing == rows[told->chunks % BATCHES]));
	/* Behind END there is nothing that could be missed (SPEC.md 6.2). */
	CHECK(found.stats.unclean == !end_is_there);
	CHECK(found.stats.truncated == (cut && !end_is_there));
	CHECK(found.faults == found.stats.truncated);
}

/* Cut back to its whole records, it can be gone on with, or ended. */
static void check_resumed(struct faulty *f, struct et_writer *w, struct reported *told,
			  unsigned chunks)
{
	struct et_writer_stats stats;
	struct et_error err;
	struct found found;

	CHECK(put_rows(w, batches[0], &err) == ET_MISUSE);
	et_writer_stats(w, &stats);
	CHECK(stats.bytes == f->whole && stats.chunks == told->chunks);
	f->file.len = f->whole;
	et_writer_resume(w);
	if (chunks)
		CHECK(put_chunks(w, chunks, told, &err) == ET_OK);
	CHECK(finish(w, told, &err) == ET_OK);
	found = look_at(f->file.data, f->file.len);
	CHECK(!found.opened && found.chunks == told->chunks);
	CHECK(!found.faults && !found.stats.missing && !found.stats.truncated);
	CHECK(!found.stats.unclean);
}

/* False: there is no such write. */
static bool fail_at(unsigned number, unsigned part, bool go_on)
{
	struct faulty f = { .fail_at = number, .part = part };
	struct et_io io = { .ctx = &f, .write = faulty_write, .close = faulty_close };
	struct reported told = { 0 };
	struct et_writer *w = NULL;
	struct et_error err = { 0 };
	bool failed;
	int rc;

	rc = begin(&io, &w, &told, &err);
	if (!rc)
		rc = put_chunks(w, CHUNKS, &told, &err);
	if (!rc)
		rc = finish(w, &told, &err);
	failed = rc != ET_OK;
	if (failed) {
		CHECK(rc == ET_IO && err.sys == ENOSPC && err.at == f.whole);
		CHECK((w != NULL) == told.opened);
		check_failed(&f, &told);
		/* Behind END there is nothing to go on with. */
		if (w && told.chunks < CHUNKS)
			check_resumed(&f, w, &told, go_on ? CHUNKS : 0);
	}
	et_writer_close(w);
	CHECK(f.file.closed == 1);
	free(f.file.data);
	return failed;
}

static void test_failed_writes(void)
{
	/* Thousandths; with records of 56 to 100,000 bytes these are places of all sorts. */
	static const unsigned parts[] = { 0,   1,   20,  140, 300, 470, 480, 500, 520,
					  700, 850, 900, 960, 980, 990, 999, PART_ALL };
	unsigned number, tried = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (number = 1; fail_at(number, parts[i], number % 2); number++)
			tried++;
	printf("%u writes failed\n", tried);
	CHECK(tried == WRITES * sizeof(parts) / sizeof(parts[0]));
}

/* ---- SIGKILL ----------------------------------------------------------------------------- */

/* Writes chunks until it is killed. */
static void write_for_ever(int fd, struct reported *told)
{
	struct et_writer *w;
	struct et_io io;

	if (et_io_fd(fd, &io) || begin(&io, &w, told, NULL))
		_exit(1);
	put_chunks(w, UINT_MAX, told, NULL);
	_exit(1);
}

static void wait_ns(long ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

/* Kills a writer and looks at what it leaves. True: it ends in part of a record. */
static bool kill_one(struct reported *told)
{
	int fd = memfd_create("capture", MFD_CLOEXEC), status;
	struct found f;
	struct et_io io;
	pid_t pid;

	CHECK(fd >= 0);
	*told = (struct reported){ 0 };
	pid = fork();
	if (pid == 0)
		write_for_ever(fd, told);
	/* Some before the first byte, some in the first records, most among the chunks. */
	if (rng() % 8)
		for (unsigned chunks = rng() % 5; !told->opened || told->chunks < chunks;)
			if (waitpid(pid, &status, WNOHANG))
				break;
	wait_ns((long)(rng() % 1500000));
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(et_io_fd(fd, &io) == ET_OK);
	f = look(&io);
	if (f.opened) {
		CHECK(!told->opened && (f.opened == ET_EOF || f.opened == ET_CORRUPT));
		return f.opened == ET_CORRUPT;
	}
	/* One more was perhaps written, and not told of. */
	CHECK(f.chunks == told->chunks || f.chunks == told->chunks + 1);
	CHECK(f.stats.unclean == 1 && !f.stats.damaged && f.faults == f.stats.truncated);
	CHECK(!f.stats.missing || f.stats.truncated);
	return f.stats.truncated;
}

static void test_kills(void)
{
	struct reported *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned in_record = 0, chunks = 0, empty = 0;

	CHECK(told != MAP_FAILED);
	for (unsigned i = 0; i < KILLS; i++) {
		in_record += kill_one(told);
		chunks += told->chunks;
		empty += !told->opened;
	}
	printf("%u writers killed: %u before their first record was there, %u inside a record; "
	       "%u chunks\n", KILLS, empty, in_record, chunks);
	CHECK(chunks > KILLS);
	munmap(told, sizeof(*told));
}

/* ---- The checks themselves ------------------------------------------------------------------ */

/* An output that forgets a write without a word is found out. */
static int lying_write(void *ctx, const void *buf, size_t len)
{
	struct faulty *f = ctx;

	if (f->file.writes == 5) {
		f->file.writes++;
		return 0;
	}
	return sink_write(&f->file, buf, len);
}

static void test_checks_can_fail(void)
{
	struct faulty f = { .fail_at = 0 };
	struct et_io io = { .ctx = &f, .write = lying_write, .close = faulty_close };
	struct reported told = { 0 };
	struct et_writer *w;
	struct found found;

	CHECK(begin(&io, &w, &told, NULL) == ET_OK);
	CHECK(put_chunks(w, 8, &told, NULL) == ET_OK);
	CHECK(finish(w, &told, NULL) == ET_OK);
	et_writer_close(w);
	found = look_at(f.file.data, f.file.len);
	/* FILE, HOST and three chunks came first. */
	CHECK(found.chunks == 3 && told.chunks == 8);
	CHECK(found.stats.missing == rows[3]);
	free(f.file.data);
}

int main(void)
{
	make_batches();
	test_failed_writes();
	test_kills();
	test_checks_can_fail();
	free_batches();
	return check_result();
}
