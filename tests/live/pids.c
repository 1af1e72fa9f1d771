/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pids.c - pids that are given a second time, at once: to another process, and of
 * a thread to a process.
 */
#include "hostile.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 200

static const char last_pid[] = "/proc/sys/kernel/ns_last_pid";

/* The next process is to get this pid, unless somebody else is quicker. */
static bool next_is(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid - 1);
	return put_file(last_pid, text);
}

static char *const words[] = { S("again"), S("x"), NULL };
static char *const quiet[] = { S("HOSTILE_DO=exit 5"), NULL };

/* One process that executes, with whatever pid it gets; said only if that is the one wanted.
 */
static bool run_as(pid_t wanted, const char *step)
{
	const struct attempt a = { .filename = target, .argv = words };
	pid_t pid;

	attempt_begin(step);
	if (wanted && !next_is(wanted))
		check(false, last_pid);
	pid = fork();
	if (pid == 0) {
		look_child();
		become(words, quiet);
	}
	say_executed(pid, &a);
	note->last = pid;
	return pid == wanted;
}

static void *thread_exec(void *arg)
{
	(void)arg;
	become(words, quiet);
}

/* Executes from a second thread, whose tid is free from then on; returns that. */
static pid_t run_thread(void)
{
	const struct attempt a = { .filename = target, .argv = words };
	pid_t pid;

	attempt_begin("tid that a process gets");
	pid = fork();
	if (pid == 0) {
		pthread_t t;

		look_child();
		check(pthread_create(&t, NULL, thread_exec, NULL) == 0, "pthread_create");
		for (;;)
			pause();
	}
	say_executed(pid, &a);
	return note->self.tid;
}

void pids(void)
{
	char *before = look_read(last_pid, NULL);
	pid_t first, tid;
	unsigned got = 0;

	if (!before || !put_file(last_pid, before)) {
		char reason[128];

		snprintf(reason, sizeof(reason), "%s: %s", last_pid, strerror(errno));
		say_skip("pids again", reason);
		free(before);
		return;
	}
	run_as(0, "pid that is given again");
	first = note->last;
	for (int i = 0; i < TRIES && got < 3; i++)
		got += run_as(first, "pid that is given again");
	if (got < 3)
		say_skip("pid that is given again", "others were always quicker");
	tid = run_thread();
	got = 0;
	for (int i = 0; i < TRIES && !got; i++)
		got += run_as(tid, "pid that was a tid");
	if (!got)
		say_skip("pid that was a tid", "others were always quicker");
	/* So that pids that others have had are not given again at once. */
	snprintf(before, 16, "%d", (int)(first > tid ? first : tid) + 1000);
	put_file(last_pid, before);
	free(before);
}
