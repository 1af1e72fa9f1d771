/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_codec - what the format costs, on the events of a capture.
 *
 *	bench_codec FILE [LEVEL]
 *	bench_codec FILE --threads N
 *
 * Takes the rows of the CHUNK records into memory, writes them in chunks of several
 * sizes, and reads that back: everything, and one column. All on one core; the
 * figure of each is the best of five. Ratios are to a pass of memcpy over as many
 * bytes as the rows have, taken between the runs.
 *
 * With --threads, chunks as the recorder makes them are packed by 1 to N threads and
 * written in order by the first, at several levels; best of three, ratios to one thread.
 */
#include <exectrace.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <zlib.h>

#define RUNS 5

static struct et_event *events;
static size_t n_events, cap_events;
static uint64_t row_bytes;	/* of strings and numbers, as they are in memory */

struct file {
	uint8_t *data;
	size_t len, cap;
};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_codec: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *copy(const char *p, size_t len)
{
	char *to = malloc(len + 1);

	need(to, "out of memory");
	memcpy(to, p, len);
	return to;
}

static void keep(const struct et_event *ev)
{
	struct et_event *to;

	if (n_events == cap_events) {
		cap_events = cap_events ? cap_events * 2 : 4096;
		events = reallocarray(events, cap_events, sizeof(*events));
		need(events, "out of memory");
	}
	to = &events[n_events++];
	*to = *ev;
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		if (!ET_HAS(ev, f))
			continue;
		row_bytes += 8;
		if (et_fields[f].type == ET_STR) {
			to->v[f].s.ptr = copy(ev->v[f].s.ptr, ev->v[f].s.len);
			row_bytes += ev->v[f].s.len;
		} else if (et_fields[f].type == ET_LIST) {
			to->v[f].l.ptr = copy(ev->v[f].l.ptr, ev->v[f].l.len);
			row_bytes += ev->v[f].l.len;
		}
	}
}

static void load(const char *path)
{
	struct et_reader *r = NULL;
	struct et_record rec;
	struct et_chunk *c;
	struct et_event ev;
	struct et_io io;
	int fd = open(path, O_RDONLY);

	need(fd >= 0 && !et_io_fd(fd, &io) && !et_reader_open(&io, NULL, NULL, &r, NULL),
	     "cannot read the capture");
	while (!et_reader_next(r, &rec, NULL)) {
		if (rec.type != ET_REC_CHUNK || et_reader_chunk(r, &c, NULL))
			continue;
		for (uint32_t i = 0; i < rec.rows; i++)
			if (!et_chunk_event(c, i, &ev, NULL))
				keep(&ev);
		et_chunk_free(c);
	}
	et_reader_close(r);
	need(n_events, "the capture has no events");
}

static int file_write(void *ctx, const void *p, size_t len)
{
	struct file *f = ctx;

	if (f->len + len > f->cap) {
		f->cap = (f->len + len) * 2;
		f->data = realloc(f->data, f->cap);
		need(f->data, "out of memory");
	}
	memcpy(f->data + f->len, p, len);
	f->len += len;
	return 0;
}

static void file_close(void *ctx)
{
	(void)ctx;
}

/* Adds and encodes all events. Returns seconds; *adding: of these in et_batch_add. */
static double encode(struct file *f, uint32_t rows, int level, double *adding)
{
	static const uint64_t lost[ET_CAUSE_END];
	struct et_io io = { .ctx = f, .write = file_write, .close = file_close };
	struct et_writer_options opt = { .program = "bench", .level = level };
	struct et_batch *b = et_batch_new();
	struct et_writer *w = NULL;
	double begin = now(), t;

	f->len = 0;
	*adding = 0;
	need(b && !et_writer_open(&io, &opt, &w, NULL), "cannot write");
	for (size_t at = 0; at < n_events;) {
		t = now();
		while (at < n_events && et_batch_rows(b) < rows && !et_batch_add(b, &events[at], NULL))
			at++;
		*adding += now() - t;
		need(!et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL), "cannot write");
		et_batch_reset(b);
	}
	need(!et_writer_end(w, (struct et_clock){ 0, 0 }, lost, "done", NULL), "cannot write");
	et_writer_close(w);
	et_batch_free(b);
	return now() - begin;
}

/* Everything as events, or the matches of one value in one column. */
static double decode(const struct file *f, bool all, uint64_t *sum)
{
	double begin = now();
	struct et_reader *r = NULL;
	struct et_record rec;
	struct et_chunk *c;
	struct et_event ev;
	const uint64_t *uid;
	struct et_io io;

	need(!et_io_memory(f->data, f->len, &io) && !et_reader_open(&io, NULL, NULL, &r, NULL),
	     "cannot read back");
	while (!et_reader_next(r, &rec, NULL)) {
		if (!rec.rows || et_reader_chunk(r, &c, NULL))
			continue;
		if (all) {
			for (uint32_t i = 0; i < rec.rows; i++)
				*sum += !et_chunk_event(c, i, &ev, NULL) && ev.known;
		} else if (!et_chunk_uints(c, ET_F_UID, &uid, NULL)) {
			for (uint32_t i = 0; i < rec.rows; i++)
				*sum += uid[i] == 12345;
		}
		et_chunk_free(c);
	}
	et_reader_close(r);
	return now() - begin;
}

static double best(double a, double b)
{
	return !a || b < a ? b : a;
}

static void measure(uint32_t rows, int level, double base)
{
	double enc = 0, add = 0, all = 0, one = 0, crc = 0, adding;
	double n = (double)n_events / 1e6;
	struct file f = { 0 };
	uint64_t sum = 0;

	for (unsigned run = 0; run < RUNS; run++) {
		double t;

		enc = best(enc, encode(&f, rows, level, &adding));
		add = best(add, adding);
		all = best(all, decode(&f, true, &sum));
		one = best(one, decode(&f, false, &sum));
		t = now();
		sum += crc32_z(0, f.data, f.len);
		crc = best(crc, now() - t);
	}
	printf("%7u %11.2f %11.1f %8.0f%% %11.1f %11.0f %9.1f%% %9.1f%% %11.1f\n", rows,
	       (double)f.len / (double)n_events, n / enc, 100 * add / enc, n / all, n / one,
	       100 * crc / enc, 100 * crc / all, all / base);
	if (sum == 1)
		puts("");
	free(f.data);
}

/* Seconds that memcpy takes for the bytes of all rows. */
static double baseline(void)
{
	char *from = calloc(1, row_bytes), *to = malloc(row_bytes);
	double t, fastest = 0;

	need(from && to, "out of memory");
	memset(to, 1, row_bytes);
	for (unsigned run = 0; run < RUNS; run++) {
		t = now();
		memcpy(to, from, row_bytes);
		__asm__ volatile("" : : "r"(to) : "memory");
		fastest = best(fastest, now() - t);
	}
	free(from);
	free(to);
	return fastest;
}

/* ---- Several threads -------------------------------------------------------------- */

#define CHUNK_ROWS 16384u
#define THREADS_MAX 64

static struct job {
	struct et_batch *batch;
	struct et_packed *packed;
	bool done;
} *jobs;
static size_t n_jobs, next_job;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;

/* All events once, and from the beginning again until each thread has its four. */
static void make_jobs(unsigned threads)
{
	bool whole = false;
	size_t at = 0;

	while (n_jobs < 4 * (size_t)threads || !whole) {
		struct job *job;

		jobs = reallocarray(jobs, n_jobs + 1, sizeof(*jobs));
		need(jobs, "out of memory");
		job = &jobs[n_jobs++];
		*job = (struct job){ et_batch_new(), et_packed_new(), false };
		need(job->batch && job->packed, "out of memory");
		if (at == n_events)
			at = 0;
		while (at < n_events && et_batch_rows(job->batch) < CHUNK_ROWS &&
		       !et_batch_add(job->batch, &events[at], NULL))
			at++;
		whole |= at == n_events;
	}
}

/* Packs a job that nobody has begun; false: there is none. With the lock, in and out. */
static bool pack_one(struct et_packer *packer)
{
	struct job *job;
	int code;

	if (next_job == n_jobs)
		return false;
	job = &jobs[next_job++];
	pthread_mutex_unlock(&lock);
	code = et_packer_pack(packer, ET_REC_CHUNK, job->batch, job->packed, NULL);
	need(!code, "cannot pack");
	pthread_mutex_lock(&lock);
	job->done = true;
	pthread_cond_signal(&finished);
	return true;
}

static void *pack_all(void *packer)
{
	pthread_mutex_lock(&lock);
	while (pack_one(packer))
		;
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Seconds for all jobs, packed by that many threads, this one among them. */
static double pack_by(unsigned threads, int level, struct file *f)
{
	static const uint64_t lost[ET_CAUSE_END];
	struct et_io io = { .ctx = f, .write = file_write, .close = file_close };
	struct et_writer_options opt = { .program = "bench", .level = level };
	struct et_packer *packers[THREADS_MAX];
	pthread_t others[THREADS_MAX];
	struct et_writer *w = NULL;
	double begin;

	f->len = 0;
	next_job = 0;
	for (size_t i = 0; i < n_jobs; i++)
		jobs[i].done = false;
	for (unsigned i = 0; i < threads; i++)
		need(!et_packer_new(level, &packers[i], NULL), "out of memory");
	need(!et_writer_open(&io, &opt, &w, NULL), "cannot write");
	begin = now();
	for (unsigned i = 1; i < threads; i++)
		need(!pthread_create(&others[i], NULL, pack_all, packers[i]), "cannot start a thread");
	for (size_t i = 0; i < n_jobs; i++) {
		pthread_mutex_lock(&lock);
		while (!jobs[i].done)
			if (!pack_one(packers[0]))
				pthread_cond_wait(&finished, &lock);
		pthread_mutex_unlock(&lock);
		need(!et_writer_packed(w, jobs[i].packed, lost, NULL), "cannot write");
	}
	begin = now() - begin;
	for (unsigned i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	for (unsigned i = 0; i < threads; i++)
		et_packer_free(packers[i]);
	et_writer_close(w);
	return begin;
}

static void measure_threads(unsigned most)
{
	static const int levels[] = { 3, 9, 19 };
	struct file f = { 0 };
	double rows = 0;

	make_jobs(most);
	for (size_t i = 0; i < n_jobs; i++)
		rows += et_batch_rows(jobs[i].batch);
	printf("%.0f events in %zu chunks, M events/s packed and written\n", rows, n_jobs);
	printf("  level threads      packed   ratio\n");
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		double fastest[THREADS_MAX + 1] = { 0 };

		/* In turn, so that what else the machine does meets all of them. */
		for (unsigned run = 0; run < 3; run++)
			for (unsigned n = 1; n <= most; n++)
				fastest[n] = best(fastest[n], pack_by(n, levels[i], &f));
		for (unsigned n = 1; n <= most; n++)
			printf("%7d %7u %11.2f %7.2f\n", levels[i], n, rows / 1e6 / fastest[n],
			       fastest[1] / fastest[n]);
	}
	for (size_t i = 0; i < n_jobs; i++) {
		et_batch_free(jobs[i].batch);
		et_packed_free(jobs[i].packed);
	}
	free(jobs);
	free(f.data);
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_codec FILE [LEVEL | --threads N]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 256, 1024, 4096, 16384, 65536 };
	struct rusage use;
	int level = argc == 3 ? atoi(argv[2]) : 3, threads = argc == 4 ? atoi(argv[3]) : 1;

	if (argc < 2 || argc > 4 || level < 1 || level > 19 || threads < 1 || threads > THREADS_MAX ||
	    (argc == 4 && strcmp(argv[2], "--threads")))
		return usage();
	load(argv[1]);
	if (argc == 4) {
		measure_threads((unsigned)threads);
		return 0;
	}
	printf("%zu events, %.0f bytes each in memory, zstd level %d, M events/s on one core\n", n_events,
	       (double)row_bytes / (double)n_events, level);
	printf("   rows bytes/event      encode   adding  decode all   count uid  crc/enc.  crc/dec. "
	       "all/memcpy\n");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		measure(sizes[i], level, baseline());
	getrusage(RUSAGE_SELF, &use);
	printf("peak memory %ld MiB, the events of the capture among it\n", use.ru_maxrss / 1024);
	return 0;
}
