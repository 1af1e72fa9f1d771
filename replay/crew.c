/* SPDX-License-Identifier: BSD-2-Clause */
#include "crew.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

/* Jobs under way for each thread: enough that none waits for the one that adds them. */
#define DEPTH 3

/*
 * In the sandbox malloc may open no files, which glibc's does to count processors, unless
 * its arenas are bounded, and to learn whether it may give memory back, unless no arena's
 * free end can reach what makes it think of that: an arena's heap has 64 MiB. Where these
 * are set, so has to be up to which size memory comes from an arena. It is as well for one
 * thread: what a chunk takes the next one takes too, and pages need not be had anew.
 */
#define ARENAS 4
#define TRIM_THRESHOLD (64 << 20)
#define MMAP_THRESHOLD (16 << 20)

struct crew {
	unsigned size;
	uint64_t bytes;
	/* The owner's alone. */
	unsigned under_way;
	uint64_t cost;
	bool started;
	unsigned n_threads;
	pthread_t threads[CREW_MAX - 1];

	pthread_mutex_t lock;	/* of the rest, and of the jobs' states */
	pthread_cond_t added, done;
	struct job *first, *last;
	unsigned next_worker;
	bool ends;
};

struct crew *crew_new(unsigned size, uint64_t bytes)
{
	struct crew *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->size = size;
	c->bytes = bytes;
	c->next_worker = 1;
	mallopt(M_ARENA_MAX, ARENAS);
	mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->added, NULL);
	pthread_cond_init(&c->done, NULL);
	return c;
}

unsigned crew_size(const struct crew *c)
{
	return c->size;
}

/* Called under the lock, and is so again when it returns. */
static void run_first(struct crew *c, unsigned worker)
{
	struct job *j = c->first;

	c->first = j->next;
	if (!c->first)
		c->last = NULL;
	j->state = JOB_RUNNING;
	pthread_mutex_unlock(&c->lock);
	j->run(j->arg, worker);
	pthread_mutex_lock(&c->lock);
	j->state = JOB_DONE;
}

static void *work(void *arg)
{
	struct crew *c = arg;
	unsigned worker;

	pthread_mutex_lock(&c->lock);
	worker = c->next_worker++;
	for (;;) {
		while (!c->first && !c->ends)
			pthread_cond_wait(&c->added, &c->lock);
		if (!c->first)
			break;
		run_first(c, worker);
		pthread_cond_signal(&c->done);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Signals are for the thread that reads, which knows what to do about them. */
static void start(struct crew *c)
{
	sigset_t all, before;

	c->started = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (c->n_threads + 1 < c->size &&
	       !pthread_create(&c->threads[c->n_threads], NULL, work, c))
		c->n_threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void crew_free(struct crew *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->ends = true;
	pthread_cond_broadcast(&c->added);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->n_threads; i++)
		pthread_join(c->threads[i], NULL);
	pthread_cond_destroy(&c->added);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

bool crew_room(const struct crew *c, uint64_t cost)
{
	return !c->under_way ||
	       (c->under_way < DEPTH * c->size && cost <= c->bytes && c->cost <= c->bytes - cost);
}

void crew_add(struct crew *c, struct job *j)
{
	if (!c->started)
		start(c);
	c->under_way++;
	c->cost += j->cost;
	j->next = NULL;
	pthread_mutex_lock(&c->lock);
	j->state = JOB_QUEUED;
	if (c->last)
		c->last->next = j;
	else
		c->first = j;
	c->last = j;
	pthread_cond_signal(&c->added);
	pthread_mutex_unlock(&c->lock);
}

static void ends(struct crew *c, const struct job *j)
{
	c->under_way--;
	c->cost -= j->cost;
}

void crew_wait(struct crew *c, struct job *j)
{
	pthread_mutex_lock(&c->lock);
	while (j->state != JOB_DONE) {
		if (c->first)
			run_first(c, 0);
		else
			pthread_cond_wait(&c->done, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	ends(c, j);
}

void crew_drop(struct crew *c, struct job *j)
{
	struct job **at, *before = NULL;

	pthread_mutex_lock(&c->lock);
	for (at = &c->first; *at && *at != j; at = &(*at)->next)
		before = *at;
	if (*at) {
		*at = j->next;
		if (c->last == j)
			c->last = before;
		j->state = JOB_DONE;
	}
	while (j->state != JOB_DONE)
		pthread_cond_wait(&c->done, &c->lock);
	pthread_mutex_unlock(&c->lock);
	ends(c, j);
}

unsigned crew_default(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > CREW_MAX ? CREW_MAX : (unsigned)n;
}
