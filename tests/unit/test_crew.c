/* SPDX-License-Identifier: BSD-2-Clause */
/* A crew: every job once, by one worker at a time; what is under way stays within bounds. */
#include "check.h"
#include "crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define JOBS 3000

struct task {
	struct job job;
	unsigned number, runs;
	bool fails;		/* it says so in result */
	int result;
};

static atomic_uint busy[CREW_MAX];	/* jobs that run now, by worker */
static atomic_uint clashes, together, most_together, strangers;
static unsigned size;

static void run(void *arg, unsigned worker)
{
	struct task *t = arg;
	unsigned now = atomic_fetch_add(&together, 1) + 1, most = atomic_load(&most_together);

	while (now > most && !atomic_compare_exchange_weak(&most_together, &most, now))
		;
	if (worker >= size)
		atomic_fetch_add(&strangers, 1);
	else if (atomic_fetch_add(&busy[worker], 1))
		atomic_fetch_add(&clashes, 1);
	if (t->number % 7 == 0)
		usleep(100);
	t->runs++;
	t->result = t->fails ? -1 : (int)t->number;
	if (worker < size)
		atomic_fetch_sub(&busy[worker], 1);
	atomic_fetch_sub(&together, 1);
}

static struct task *make_tasks(uint64_t cost)
{
	struct task *t = calloc(JOBS, sizeof(*t));

	for (unsigned i = 0; i < JOBS; i++) {
		t[i].number = i;
		t[i].fails = i % 100 == 3;
		t[i].job = (struct job){ .run = run, .arg = &t[i], .cost = cost };
	}
	return t;
}

/* The oldest is waited for whenever there is no room. Returns the most that were under way. */
static unsigned run_all(unsigned threads, uint64_t bytes, uint64_t cost)
{
	struct task *t = make_tasks(cost);
	struct crew *c = crew_new(threads, bytes);
	unsigned first = 0, most = 0;

	size = threads;
	atomic_store(&most_together, 0);
	CHECK(c && crew_size(c) == threads);
	for (unsigned i = 0; i < JOBS; i++) {
		while (!crew_room(c, cost)) {
			crew_wait(c, &t[first].job);
			CHECK(t[first].runs == 1);
			first++;
		}
		crew_add(c, &t[i].job);
		most = i - first + 1 > most ? i - first + 1 : most;
	}
	for (; first < JOBS; first++)
		crew_wait(c, &t[first].job);
	for (unsigned i = 0; i < JOBS; i++)
		CHECK(t[i].runs == 1 && t[i].result == (t[i].fails ? -1 : (int)i));
	CHECK(crew_room(c, bytes + 1));
	crew_free(c);
	free(t);
	CHECK(!clashes && !strangers && atomic_load(&most_together) <= threads);
	return most;
}

static void test_all_run(void)
{
	for (unsigned threads = 1; threads <= 9; threads += threads > 3 ? 5 : 1) {
		unsigned most = run_all(threads, UINT64_MAX, 1);

		CHECK(most >= threads && most <= 4 * threads);
	}
	/* Three of this cost fit; of one that is too large for all, one at a time. */
	CHECK(run_all(4, 1000, 300) == 3);
	CHECK(run_all(4, 1000, 5000) == 1);
	CHECK(run_all(4, 0, 0) > 3);
}

/* The thread that waits does the work, where there is no other. */
static void test_alone(void)
{
	struct crew *c = crew_new(1, 100);
	struct task t = { .number = 1 };

	size = 1;
	t.job = (struct job){ .run = run, .arg = &t };
	crew_add(c, &t.job);
	CHECK(!t.runs);
	crew_wait(c, &t.job);
	CHECK(t.runs == 1);
	crew_free(c);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_at_gate(void *arg, unsigned worker)
{
	(void)worker;
	pthread_mutex_lock(&gate);
	++*(unsigned *)arg;
	pthread_mutex_unlock(&gate);
}

/* Jobs that wait may be given up, also the last and those between others; one that runs is waited for. */
static void test_drop(void)
{
	struct crew *c = crew_new(2, UINT64_MAX);
	struct task t[4];
	struct job held[2];
	unsigned through = 0;

	size = 2;
	pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < 2; i++) {
		held[i] = (struct job){ .run = wait_at_gate, .arg = &through };
		crew_add(c, &held[i]);
	}
	for (unsigned i = 0; i < 4; i++) {
		t[i] = (struct task){ .number = i + 1 };
		t[i].job = (struct job){ .run = run, .arg = &t[i] };
		crew_add(c, &t[i].job);
	}
	/* One of the first two is at the gate with the other thread, or will be; all else waits. */
	crew_drop(c, &t[1].job);
	crew_drop(c, &t[3].job);
	pthread_mutex_unlock(&gate);
	crew_drop(c, &held[0]);
	crew_drop(c, &held[1]);
	crew_wait(c, &t[2].job);
	crew_wait(c, &t[0].job);
	CHECK(t[0].runs == 1 && t[2].runs == 1 && !t[1].runs && !t[3].runs && through <= 2);
	CHECK(crew_room(c, 1));
	crew_free(c);
}

int main(void)
{
	CHECK(crew_default() >= 1 && crew_default() <= CREW_MAX);
	test_all_run();
	test_alone();
	test_drop();
	crew_free(NULL);
	return check_result();
}
