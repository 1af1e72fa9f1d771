/* SPDX-License-Identifier: BSD-2-Clause */
#include "thread.h"

#include <errno.h>
#include <semaphore.h>

#include "privilege.h"

/* On the stack of who starts it, and gone when begun is posted. */
struct start {
	uint64_t keep;
	void (*run)(void *arg);
	void *arg;
	int error;
	sem_t begun;
};

static void *begin(void *p)
{
	struct start *s = p;
	void (*run)(void *) = s->run;
	void *arg = s->arg;
	int error = privilege_drop(s->keep);

	s->error = error;
	sem_post(&s->begun);
	if (!error)
		run(arg);
	return NULL;
}

int thread_start(pthread_t *out, uint64_t keep, void (*run)(void *arg), void *arg)
{
	struct start s = { .keep = keep, .run = run, .arg = arg };
	int error;

	sem_init(&s.begun, 0, 0);
	error = pthread_create(out, NULL, begin, &s);
	if (!error) {
		while (sem_wait(&s.begun) != 0 && errno == EINTR)
			;
		error = s.error;
		if (error)
			pthread_join(*out, NULL);
	}
	sem_destroy(&s.begun);
	return error;
}
