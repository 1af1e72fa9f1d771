/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm - many executions at once.
 *
 *	storm PROCS FAILS SPAWNS THREADS
 *
 * PROCS processes each do FAILS failing execve calls, SPAWNS times a vfork,
 * execve of this program (which exits at once) and wait, and start and join
 * THREADS threads. All tasks have this program's name.
 */
#include "spawn.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void *nothing(void *arg)
{
	return arg;
}

static void one(char *self, long fails, long spawns, long threads)
{
	char *argv[] = { self, text("--an-option=value"), text("file.c"), text("-o"), text("file.o"),
			 text("--long"), NULL };
	char *env[] = { NULL };

	for (long i = 0; i < fails; i++)
		execve("/nonexistent/bin/program", argv, env);
	for (long i = 0; i < spawns; i++)
		spawn(self, NULL);
	for (long i = 0; i < threads; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
			_exit(1);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int status, failed = 0;

	if (argc == 1)
		return 0;
	if (argc != 5) {
		fprintf(stderr, "usage: storm PROCS FAILS SPAWNS THREADS\n");
		return 2;
	}
	for (long i = 0; i < atol(argv[1]); i++) {
		pid_t pid = fork();

		if (pid == 0)
			one(argv[0], atol(argv[2]), atol(argv[3]), atol(argv[4]));
		failed |= pid < 0;
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
