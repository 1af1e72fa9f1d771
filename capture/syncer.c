/* SPDX-License-Identifier: BSD-2-Clause */
#include "syncer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "thread.h"

#define NS_PER_S 1000000000ull

struct syncer {
	int fd, dir;
	uint64_t when;
	pthread_t thread;
	bool threaded;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool dirty;		/* bytes were written since the last sync began */
	bool syncing;		/* a sync is under way */
	bool unnamed;		/* dir is yet to be synced */
	bool ended;
	struct timespec due;	/* CLOCK_MONOTONIC; while dirty */
	struct syncer_report report;
};

static void count(struct syncer *s, int error)
{
	s->report.done++;
	if (!error)
		return;
	s->report.failed++;
	if (!s->report.error)
		s->report.error = error;
}

/* Called and returns with the lock held; lets it go meanwhile. */
static void put_on_disk(struct syncer *s, int (*sync_file)(int))
{
	bool name;
	int error, dir_error = 0;

	while (s->syncing)
		pthread_cond_wait(&s->changed, &s->lock);
	name = s->unnamed;
	s->dirty = s->unnamed = false;
	s->syncing = true;
	pthread_mutex_unlock(&s->lock);
	error = sync_file(s->fd) == 0 ? 0 : errno;
	/* File systems that cannot sync a directory have nothing to sync there. */
	if (name && s->dir >= 0 && fsync(s->dir) != 0 && errno != EINVAL)
		dir_error = errno;
	pthread_mutex_lock(&s->lock);
	s->syncing = false;
	pthread_cond_broadcast(&s->changed);
	count(s, error);
	if (name)
		count(s, dir_error);
}

static void set_due(struct syncer *s)
{
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &s->due);
	ns = (uint64_t)s->due.tv_nsec + s->when % NS_PER_S;
	s->due.tv_sec += (time_t)(s->when / NS_PER_S + ns / NS_PER_S);
	s->due.tv_nsec = (long)(ns % NS_PER_S);
}

static void syncer_main(void *arg)
{
	struct syncer *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->ended) {
		if (!s->dirty)
			pthread_cond_wait(&s->changed, &s->lock);
		else if (pthread_cond_timedwait(&s->changed, &s->lock, &s->due) == ETIMEDOUT)
			put_on_disk(s, fdatasync);
	}
	pthread_mutex_unlock(&s->lock);
}

int syncer_new(int fd, int dir, uint64_t when, struct syncer **out)
{
	struct syncer *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int ret = 0;

	*out = NULL;
	if (!s)
		return ENOMEM;
	s->fd = fd;
	s->dir = dir;
	s->when = when;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (when != SYNC_CHUNK) {
		/* What is open takes no privilege. */
		ret = thread_start(&s->thread, 0, syncer_main, s);
		s->threaded = !ret;
	}
	if (ret)
		syncer_free(s);
	else
		*out = s;
	return ret;
}

/* With the lock held. */
static void make_dirty(struct syncer *s)
{
	if (s->dirty)
		return;
	s->dirty = true;
	if (s->threaded) {
		set_due(s);
		pthread_cond_broadcast(&s->changed);
	}
}

void syncer_wrote(struct syncer *s)
{
	pthread_mutex_lock(&s->lock);
	make_dirty(s);
	pthread_mutex_unlock(&s->lock);
}

void syncer_named(struct syncer *s)
{
	pthread_mutex_lock(&s->lock);
	s->unnamed = true;
	make_dirty(s);
	pthread_mutex_unlock(&s->lock);
}

void syncer_rows(struct syncer *s)
{
	pthread_mutex_lock(&s->lock);
	/* An empty batch has written nothing. */
	if (s->when == SYNC_CHUNK && s->dirty)
		put_on_disk(s, fdatasync);
	pthread_mutex_unlock(&s->lock);
}

void syncer_now(struct syncer *s)
{
	pthread_mutex_lock(&s->lock);
	put_on_disk(s, fdatasync);
	pthread_mutex_unlock(&s->lock);
}

/* Waits for a sync under way. */
static void stop(struct syncer *s)
{
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->threaded)
		pthread_join(s->thread, NULL);
	s->threaded = false;
}

void syncer_end(struct syncer *s)
{
	stop(s);
	pthread_mutex_lock(&s->lock);
	put_on_disk(s, fsync);
	pthread_mutex_unlock(&s->lock);
}

void syncer_switch(struct syncer *s, int fd)
{
	pthread_mutex_lock(&s->lock);
	put_on_disk(s, fsync);
	s->fd = fd;
	make_dirty(s);
	s->unnamed = true;
	pthread_mutex_unlock(&s->lock);
}

void syncer_report(struct syncer *s, struct syncer_report *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->report;
	pthread_mutex_unlock(&s->lock);
}

void syncer_free(struct syncer *s)
{
	if (!s)
		return;
	stop(s);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
