/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawner - executions at full speed, for the benchmarks.
 *
 *	spawner spawn COUNT PROCS PROGRAM	vfork, execve, wait
 *	spawner fail COUNT PROCS		failing execve calls
 *
 * COUNT is the sum over PROCS processes. Prints the seconds it took, and then what it
 * did: a line of "caller PID CALLS" for each of these processes and, where it spawned,
 * of "child PID" for each that it made. What it executes has its environment.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static pid_t spawn(const char *program)
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
	return pid;
}

static void fail(void)
{
	char *argv[] = { text("exectrace-bench"), text("-O2"), text("-Iinclude/sub"), text("-o"),
			 text("build/file.o"), text("source/file.c"), NULL };

	execve("/usr/local/nonexistent/program", argv, environ);
}

/* The share of COUNT that process p of PROCS has. */
static long share(long count, long procs, long p)
{
	return count / procs + (p < count % procs);
}

int main(int argc, char **argv)
{
	int status, failed = 0;
	long count, procs;
	pid_t *callers, *children;
	double start;
	bool spawns;

	if (argc < 4 || (!strcmp(argv[1], "spawn") && argc != 5)) {
		fprintf(stderr, "usage: spawner spawn|fail COUNT PROCS [PROGRAM]\n");
		return 2;
	}
	spawns = argc == 5;
	count = atol(argv[2]);
	procs = atol(argv[3]);
	callers = mmap(NULL, sizeof(pid_t) * (size_t)(procs + count), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (callers == MAP_FAILED)
		return 1;
	children = callers + procs;
	start = seconds();
	for (long p = 0, first = 0; p < procs; first += share(count, procs, p++)) {
		pid_t pid = fork();

		if (pid == 0) {
			for (long i = 0; i < share(count, procs, p); i++) {
				if (spawns)
					children[first + i] = spawn(argv[4]);
				else
					fail();
			}
			_exit(0);
		}
		callers[p] = pid;
		failed |= pid < 0;
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	printf("%.6f\n", seconds() - start);
	for (long p = 0; p < procs; p++)
		printf("caller %d %ld\n", (int)callers[p], share(count, procs, p));
	for (long i = 0; spawns && i < count; i++)
		printf("child %d\n", (int)children[i]);
	return failed;
}
