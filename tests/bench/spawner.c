/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawner - executions at full speed, for the benchmarks.
 *
 *	spawner spawn COUNT PROCS PROGRAM	vfork, execve, wait
 *	spawner fail COUNT PROCS		failing execve calls
 *
 * COUNT is the sum over PROCS processes. Prints the seconds it took. What it executes
 * has its environment.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void spawn(const char *program)
{
	char *argv[] = { text("exectrace-bench"), text("-O2"), text("-Iinclude/sub"), text("-o"),
			 text("build/file.o"), text("source/file.c"), NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execve(program, argv, environ);
		_exit(127);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		_exit(1);
}

static void fail(void)
{
	char *argv[] = { text("exectrace-bench"), text("-O2"), text("-Iinclude/sub"), text("-o"),
			 text("build/file.o"), text("source/file.c"), NULL };

	execve("/usr/local/nonexistent/program", argv, environ);
}

int main(int argc, char **argv)
{
	int status, failed = 0;
	long count, procs;
	double start;

	if (argc < 4 || (!strcmp(argv[1], "spawn") && argc != 5)) {
		fprintf(stderr, "usage: spawner spawn|fail COUNT PROCS [PROGRAM]\n");
		return 2;
	}
	count = atol(argv[2]);
	procs = atol(argv[3]);
	start = seconds();
	for (long p = 0; p < procs; p++) {
		long n = count / procs + (p < count % procs);
		pid_t pid = fork();

		if (pid == 0) {
			for (long i = 0; i < n; i++) {
				if (argc == 5)
					spawn(argv[4]);
				else
					fail();
			}
			_exit(0);
		}
		failed |= pid < 0;
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	printf("%.6f\n", seconds() - start);
	return failed;
}
