/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads - two threads at once, each with a reader, a context, a batch and a writer
 * of its own, copy the same capture; then two, each with a packer, pack what a third
 * writes. For a build with -fsanitize=thread.
 *
 *	threads FILE [race]
 *
 * Exit code 0: each did what a thread alone does. race: they share a counter without
 * a lock as well, so that the sanitizer can be seen at work.
 */
#include <exectrace.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned shared;

struct work {
	const char *file;
	bool race;
	uint64_t events, hash, written;	/* what was read, and bytes of the copy */
	struct et_clock ended;
	uint64_t lost[ET_CAUSE_END];
	int failed;			/* line of the first call that failed; 0: none */
};

#define NEED(w, truth) ((void)((w)->failed || (truth) || ((w)->failed = __LINE__)))

/* FNV-1a. */
static void add(uint64_t *hash, const void *p, size_t len)
{
	for (const unsigned char *c = p; len; c++, len--)
		*hash = (*hash ^ *c) * 0x100000001b3ull;
}

static void add_event(uint64_t *hash, const struct et_event *ev)
{
	for (unsigned id = 1; id < ET_FIELD_END; id++) {
		if (!ET_HAS(ev, id))
			continue;
		add(hash, &id, sizeof(id));
		if (et_fields[id].type == ET_STR)
			add(hash, ev->v[id].s.ptr, ev->v[id].s.len);
		else if (et_fields[id].type == ET_LIST)
			add(hash, ev->v[id].l.ptr, ev->v[id].l.len);
		else
			add(hash, &ev->v[id].u, sizeof(ev->v[id].u));
	}
}

static int count_write(void *ctx, const void *buf, size_t len)
{
	(void)buf;
	*(uint64_t *)ctx += len;
	return 0;
}

static void no_close(void *ctx)
{
	(void)ctx;
}

static void copy_rows(struct work *w, struct et_reader *reader, const struct et_record *rec,
		      struct et_batch *batch, struct et_writer *writer)
{
	struct et_chunk *chunk = NULL;
	struct et_event ev;

	NEED(w, !et_reader_chunk(reader, &chunk, NULL));
	for (uint32_t row = 0; !w->failed && row < et_chunk_rows(chunk); row++) {
		NEED(w, !et_chunk_event(chunk, row, &ev, NULL));
		NEED(w, !et_batch_add(batch, &ev, NULL));
		add_event(&w->hash, &ev);
		w->events++;
		if (w->race)
			shared++;
	}
	NEED(w, !et_writer_batch(writer, rec->type, batch, rec->lost, NULL));
	et_batch_reset(batch);
	et_chunk_free(chunk);
}

static void *copy(void *arg)
{
	struct work *w = arg;
	struct et_io in, out = { .ctx = &w->written, .write = count_write, .close = no_close };
	struct et_writer_options opt = { .program = "threads" };
	struct et_context *names = et_context_new();
	struct et_batch *batch = et_batch_new();
	struct et_reader *reader = NULL;
	struct et_writer *writer = NULL;
	struct et_record rec = { 0 };
	int fd = open(w->file, O_RDONLY), code = ET_OK;

	NEED(w, fd >= 0 && batch && names);
	NEED(w, !et_io_fd(fd, &in));
	NEED(w, !et_reader_open(&in, NULL, NULL, &reader, NULL));
	NEED(w, !et_writer_open(&out, &opt, &writer, NULL));
	while (!w->failed && !(code = et_reader_next(reader, &rec, NULL))) {
		NEED(w, !et_context_take(names, reader, &rec, NULL));
		if (rec.rows)
			copy_rows(w, reader, &rec, batch, writer);
	}
	NEED(w, code == ET_EOF);
	memcpy(w->lost, rec.lost, sizeof(w->lost));
	w->ended = rec.ended;
	NEED(w, !et_writer_end(writer, rec.ended, rec.lost, "done", NULL));
	et_writer_close(writer);
	et_reader_close(reader);
	et_context_free(names);
	et_batch_free(batch);
	return NULL;
}

/* ---- Packing --------------------------------------------------------------------- */

#define JOBS 256

static struct job {
	struct et_batch *batch;
	struct et_packed *packed;
	enum et_record_type type;
	uint64_t lost[ET_CAUSE_END];
	bool done;
} jobs[JOBS];
static unsigned n_jobs, begun;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;

static void *pack(void *arg)
{
	struct work *w = arg;
	struct et_packer *packer = NULL;

	NEED(w, !et_packer_new(0, &packer, NULL));
	pthread_mutex_lock(&lock);
	while (begun < n_jobs) {
		struct job *job = &jobs[begun++];

		pthread_mutex_unlock(&lock);
		/* What has failed fails again when it is written. */
		if (packer)
			et_packer_pack(packer, job->type, job->batch, job->packed, NULL);
		pthread_mutex_lock(&lock);
		job->done = true;
		pthread_cond_signal(&finished);
	}
	pthread_mutex_unlock(&lock);
	et_packer_free(packer);
	return NULL;
}

/* The capture's rows as jobs, which are left to the process's end. */
static void read_jobs(struct work *w)
{
	struct et_reader *reader = NULL;
	struct et_chunk *chunk = NULL;
	struct et_record rec;
	struct et_event ev;
	struct et_io in;
	int fd = open(w->file, O_RDONLY);

	NEED(w, fd >= 0 && !et_io_fd(fd, &in));
	NEED(w, !et_reader_open(&in, NULL, NULL, &reader, NULL));
	while (!w->failed && !et_reader_next(reader, &rec, NULL)) {
		struct job *job = &jobs[n_jobs];

		if (!rec.rows)
			continue;
		NEED(w, n_jobs < JOBS);
		NEED(w, !et_reader_chunk(reader, &chunk, NULL));
		NEED(w, (job->batch = et_batch_new()) && (job->packed = et_packed_new()));
		for (uint32_t row = 0; !w->failed && row < rec.rows; row++)
			NEED(w, !et_chunk_event(chunk, row, &ev, NULL) &&
					!et_batch_add(job->batch, &ev, NULL));
		job->type = rec.type;
		memcpy(job->lost, rec.lost, sizeof(job->lost));
		et_chunk_free(chunk);
		n_jobs++;
	}
	et_reader_close(reader);
}

/* Writes the jobs in order while others pack them. */
static void write_jobs(struct work *w, struct et_clock ended, const uint64_t *lost)
{
	struct et_io out = { .ctx = &w->written, .write = count_write, .close = no_close };
	struct et_writer_options opt = { .program = "threads" };
	struct et_writer *writer = NULL;

	NEED(w, !et_writer_open(&out, &opt, &writer, NULL));
	for (unsigned i = 0; !w->failed && i < n_jobs; i++) {
		pthread_mutex_lock(&lock);
		while (!jobs[i].done)
			pthread_cond_wait(&finished, &lock);
		pthread_mutex_unlock(&lock);
		NEED(w, !et_writer_packed(writer, jobs[i].packed, jobs[i].lost, NULL));
	}
	NEED(w, !et_writer_end(writer, ended, lost, "done", NULL));
	et_writer_close(writer);
}

int main(int argc, char **argv)
{
	struct work alone = { .file = argc > 1 ? argv[1] : "" }, both[2], third;
	pthread_t threads[2];

	copy(&alone);
	both[0] = both[1] = (struct work){ .file = alone.file, .race = argc > 2 };
	for (int i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, copy, &both[i]))
			return 2;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (alone.failed || !alone.events) {
		fprintf(stderr, "threads: one alone failed in line %d\n", alone.failed);
		return 1;
	}
	for (int i = 0; i < 2; i++) {
		if (both[i].failed || both[i].events != alone.events ||
		    both[i].hash != alone.hash || both[i].written != alone.written) {
			fprintf(stderr, "threads: thread %d is unlike one alone (line %d)\n", i,
				both[i].failed);
			return 1;
		}
	}
	third = (struct work){ .file = alone.file };
	read_jobs(&third);
	for (int i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, pack, &both[i]))
			return 2;
	}
	write_jobs(&third, alone.ended, alone.lost);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (third.failed || both[0].failed || both[1].failed || third.written != alone.written) {
		fprintf(stderr, "threads: what two have packed is unlike what one writes (line %d)\n",
			third.failed);
		return 1;
	}
	printf("%llu events\n", (unsigned long long)alone.events);
	return 0;
}
