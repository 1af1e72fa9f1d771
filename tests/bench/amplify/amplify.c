/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_amplify - a large capture of a small one.
 *
 *	bench_amplify SOURCE EVENTS FILE [-j THREADS] [--seed N]
 *
 * SOURCE is the recording of a build (exectrace record -- COMMAND). FILE gets so many
 * rows of exec, fail, fork and exit: copies of the build, four at a time, block by
 * block, each with its own pids, times, users, directories and names of files; what
 * lived when SOURCE began is there once. The same seed (1 by default) gives the same
 * events. Chunks have 16,384 rows whatever their size, so that each can be made without
 * those before it.
 *
 * In a multiple of four times the events of SOURCE, each event is there the same
 * number of times.
 */
#include <exectrace.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "block.h"
#include "need.h"

#define CHUNK_ROWS 16384u
#define THREADS_MAX 64
#define LEVEL 3 /* as recorded */
#define AHEAD 4 /* chunks of each thread that may wait to be written */

/* Chunks on their way from the threads that make them to the one that writes. */
struct line {
	const struct block *block;
	uint64_t seed, events;

	pthread_mutex_t lock;
	pthread_cond_t made, written;
	uint64_t n_chunks, n_begun, n_written;
	struct parcel {
		struct et_packed *packed;
		bool full;
	} *parcels; /* of chunk i at i % n_parcels */
	uint32_t n_parcels;
};

/* ---- Making chunks ----------------------------------------------------------------- */

static void fill(const struct line *line, struct maker *maker, uint64_t chunk,
		 struct et_batch *batch)
{
	uint64_t from = chunk * CHUNK_ROWS, until = from + CHUNK_ROWS;
	struct et_error err = { 0 };
	struct et_event ev;

	et_batch_reset(batch);
	until = until < line->events ? until : line->events;
	for (uint64_t number = from; number < until; number++) {
		block_event(line->block, maker, line->seed, number, &ev);
		need(!et_batch_add(batch, &ev, &err), "row %" PRIu64 " is refused: %s", number,
		     err.what);
	}
}

static void *make(void *arg)
{
	struct line *line = arg;
	struct et_batch *batch = et_batch_new();
	struct et_packer *packer = NULL;
	struct maker maker = { .begun = false };

	need(batch && !et_packer_new(LEVEL, &packer, NULL), "out of memory");
	pthread_mutex_lock(&line->lock);
	while (line->n_begun < line->n_chunks) {
		uint64_t chunk = line->n_begun++;
		struct parcel *parcel = &line->parcels[chunk % line->n_parcels];

		while (chunk >= line->n_written + line->n_parcels)
			pthread_cond_wait(&line->written, &line->lock);
		pthread_mutex_unlock(&line->lock);
		fill(line, &maker, chunk, batch);
		need(!et_packer_pack(packer, ET_REC_CHUNK, batch, parcel->packed, NULL),
		     "a chunk cannot be packed");
		pthread_mutex_lock(&line->lock);
		parcel->full = true;
		pthread_cond_signal(&line->made);
	}
	pthread_mutex_unlock(&line->lock);
	et_packer_free(packer);
	et_batch_free(batch);
	free(maker.bytes);
	return NULL;
}

static const uint64_t lost[ET_CAUSE_END];

static void write_chunks(struct line *line, struct et_writer *writer, unsigned threads)
{
	pthread_t makers[THREADS_MAX];
	struct et_error err = { 0 };

	line->n_parcels = threads * AHEAD;
	line->parcels = room(line->n_parcels, sizeof(*line->parcels));
	for (uint32_t i = 0; i < line->n_parcels; i++) {
		line->parcels[i].packed = et_packed_new();
		need(line->parcels[i].packed, "out of memory");
	}
	for (unsigned i = 0; i < threads; i++)
		need(!pthread_create(&makers[i], NULL, make, line), "cannot start a thread");
	for (uint64_t chunk = 0; chunk < line->n_chunks; chunk++) {
		struct parcel *parcel = &line->parcels[chunk % line->n_parcels];

		pthread_mutex_lock(&line->lock);
		while (!parcel->full)
			pthread_cond_wait(&line->made, &line->lock);
		pthread_mutex_unlock(&line->lock);
		need(!et_writer_packed(writer, parcel->packed, lost, &err),
		     "cannot write: %s: %s", err.what, strerror(err.sys));
		pthread_mutex_lock(&line->lock);
		parcel->full = false;
		line->n_written++;
		pthread_cond_broadcast(&line->written);
		pthread_mutex_unlock(&line->lock);
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(makers[i], NULL);
	for (uint32_t i = 0; i < line->n_parcels; i++)
		et_packed_free(line->parcels[i].packed);
	free(line->parcels);
}

/* ---- What else a capture has --------------------------------------------------------- */

struct names {
	struct et_name *names;
	size_t n;
};

static void add_name(struct names *to, bool group, uint64_t id, const char *name)
{
	for (size_t i = 0; i < to->n; i++)
		if (to->names[i].group == group && to->names[i].id == id)
			return;
	if (!name)
		return;
	to->names = more_room(to->names, to->n + 1, sizeof(*to->names));
	to->names[to->n++] = (struct et_name){ id, group, { name, (uint32_t)strlen(name) } };
}

static void write_names(struct et_writer *writer, const struct recorded *r)
{
	struct names people = { NULL, 0 }, cgroups = { NULL, 0 };
	char paths[N_USERS][SESSIONS][64];

	for (const struct user *user = users; user < users + N_USERS; user++) {
		add_name(&people, false, user->id, user->name);
		add_name(&people, true, user->id, user->name);
		for (uint32_t session = 0; session < SESSIONS; session++) {
			char *path = paths[user - users][session];

			copy_cgroup_path(user, session, path);
			add_name(&cgroups, false, copy_cgroup(user, session), path);
		}
	}
	for (const struct et_event *ev = r->procs; ev < r->procs + r->n_procs; ev++) {
		uint64_t uid = ev->v[ET_F_UID].u, gid = ev->v[ET_F_GID].u,
			 id = ev->v[ET_F_CGROUP].u;

		add_name(&people, false, uid, et_context_user(r->names, uid));
		add_name(&people, true, gid, et_context_group(r->names, gid));
		add_name(&cgroups, false, id, et_context_cgroup(r->names, id));
	}
	need(!et_writer_names(writer, ET_REC_USERS, people.names, people.n, NULL) &&
		     !et_writer_names(writer, ET_REC_CGROUPS, cgroups.names, cgroups.n, NULL),
	     "names cannot be written");
	free(people.names);
	free(cgroups.names);
}

static void write_context(struct et_writer *writer, const struct recorded *r)
{
	const struct et_pair *pairs;
	const struct et_exe *exes;
	size_t n = et_context_pairs(r->names, &pairs);
	struct et_batch *procs = et_batch_new();

	need(!et_writer_host(writer, pairs, n, NULL), "HOST cannot be written");
	write_names(writer, r);
	n = et_context_exes(r->names, &exes);
	need(!et_writer_exes(writer, exes, n, NULL), "EXES cannot be written");
	need(procs, "out of memory");
	for (uint32_t i = 0; i < r->n_procs; i++)
		need(!et_batch_add(procs, &r->procs[i], NULL), "a PROC row is refused");
	need(!et_writer_batch(writer, ET_REC_PROC, procs, lost, NULL),
	     "PROC cannot be written");
	et_batch_free(procs);
}

static struct et_writer *begin(const char *path, const struct recorded *r)
{
	struct et_writer_options opt = { .program = "bench_amplify",
					 .level = LEVEL,
					 .started = r->started };
	struct et_writer *writer = NULL;
	struct et_error err = { 0 };
	struct et_io io;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	need(fd >= 0, "%s: %s", path, strerror(errno));
	memcpy(opt.boot_id, r->boot_id, sizeof(opt.boot_id));
	need(!et_io_fd(fd, &io) && !et_writer_open(&io, &opt, &writer, &err), "%s: %s", path,
	     err.what);
	write_context(writer, r);
	return writer;
}

/* ---- The command line ---------------------------------------------------------------- */

static int usage(void)
{
	fprintf(stderr, "usage: bench_amplify SOURCE EVENTS FILE [-j THREADS] [--seed N]\n");
	return 2;
}

static bool number(const char *s, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 10);
	return *s >= '0' && *s <= '9' && !*end && !errno && *out >= least && *out <= most;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void amplify(const char *source, const char *path, struct line *line, unsigned threads)
{
	/* To the end of the program, with all that they point to. */
	static struct recorded recorded;
	static struct block block;
	struct et_writer_stats stats;
	struct et_clock ended = { 0 };
	struct et_writer *writer;
	double begun = now();

	recorded_read(source, &recorded);
	block_make(&recorded, &block);
	line->block = &block;
	line->n_chunks = (line->events + CHUNK_ROWS - 1) / CHUNK_ROWS;
	writer = begin(path, &recorded);
	write_chunks(line, writer, threads);
	ended.ts = block_end(&block, (line->events + block.n - 1) / block.n);
	ended.offset = recorded.started.offset;
	need(!et_writer_end(writer, ended, lost, recorded.reason, NULL),
	     "END cannot be written");
	et_writer_stats(writer, &stats);
	et_writer_close(writer);
	printf("%" PRIu64
	       " events: %.2f copies of %u, %d at a time; %.2f bytes/event; %.1f s\n",
	       line->events, (double)line->events / recorded.n, recorded.n, LANES,
	       (double)stats.bytes / (double)line->events, now() - begun);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "seed", required_argument, NULL, 's' },
					       { 0 } };
	struct line line = { .seed = 1,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .made = PTHREAD_COND_INITIALIZER,
			     .written = PTHREAD_COND_INITIALIZER };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t threads = cpus < 1 ? 1 : cpus < THREADS_MAX ? (uint64_t)cpus : THREADS_MAX;

	for (int c; (c = getopt_long(argc, argv, "j:", longs, NULL)) != -1;)
		if ((c == 'j' && !number(optarg, 1, THREADS_MAX, &threads)) ||
		    (c == 's' && !number(optarg, 0, UINT64_MAX, &line.seed)) ||
		    (c != 'j' && c != 's'))
			return usage();
	if (argc - optind != 3 ||
	    !number(argv[optind + 1], 1, (uint64_t)1 << 40, &line.events))
		return usage();
	amplify(argv[optind], argv[optind + 2], &line, (unsigned)threads);
	return 0;
}
