/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew.h - a fixed number of threads that do jobs for one: whoever adds them, and waits
 * for the oldest first. That thread is one of the crew: it works while it waits, so that
 * a crew of one has no other thread.
 *
 * What is under way is bounded, by what the jobs say that they cost and in their number.
 */
#ifndef EXECTRACE_CREW_H
#define EXECTRACE_CREW_H

#include <stdbool.h>
#include <stdint.h>

/* More threads would wait for each other. */
#define CREW_MAX 64

struct crew;

/* Its fields are the crew's from crew_add on, until crew_wait or crew_drop returns. */
struct job {
	/* worker: from 0 on, less than crew_size; no two jobs run as one worker at once. */
	void (*run)(void *arg, unsigned worker);
	void *arg;
	uint64_t cost;		/* bytes of memory, at most, while it is under way */
	enum { JOB_IDLE, JOB_QUEUED, JOB_RUNNING, JOB_DONE } state;
	struct job *next;
};

/* size: threads, with the caller's, 1 to CREW_MAX. bytes: what may be under way. NULL: no memory. */
struct crew *crew_new(unsigned size, uint64_t bytes);
/* No job may be under way. NULL is fine. */
void crew_free(struct crew *c);
unsigned crew_size(const struct crew *c);
/* Whether one more job may be under way; if none is, it always may. */
bool crew_room(const struct crew *c, uint64_t cost);
/* Starts the threads, if they were not. Those that cannot be had are done without. */
void crew_add(struct crew *c, struct job *j);
/* Until the job is done. */
void crew_wait(struct crew *c, struct job *j);
/* As crew_wait for a job whose result is not wanted: it may never run. */
void crew_drop(struct crew *c, struct job *j);

/* As many threads as the process can run at once, at most CREW_MAX. */
unsigned crew_default(void);

#endif
