/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamped - failing execve calls of which it is known when and on which CPU each was made.
 *
 *	stamped CPUS CALLS PAUSE FILE
 *
 * Of the first CPUS processors that it may use each gets a process that stays there, makes
 * CALLS calls with PAUSE microseconds between them and writes a line for each to FILE:
 * pid, CPU, and the boot clock in ns before and after the call. "go" on standard output
 * says that they begin. Before and after it is quiet for a while, so that nothing that is
 * lost can be anything but one of the calls.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUIET 1000000u	/* microseconds */

struct call {
	uint64_t before, after;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The n-th processor that this process may use, or -1. */
static int processor(const cpu_set_t *allowed, long n)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, allowed) && !n--)
			return cpu;
	return -1;
}

static int run(int cpu, long calls, unsigned pause, const char *path)
{
	char name[] = "stamped";
	char *argv[] = { name, NULL }, *env[] = { NULL };
	struct call *v = calloc((size_t)calls, sizeof(*v));
	cpu_set_t here;
	FILE *out;

	CPU_ZERO(&here);
	CPU_SET(cpu, &here);
	if (!v || sched_setaffinity(0, sizeof(here), &here))
		return 1;
	/* Touched, so that no page fault stands between two clocks. */
	for (long i = 0; i < calls; i++)
		v[i].before = 1;
	usleep(QUIET);
	for (long i = 0; i < calls; i++) {
		v[i].before = now();
		execve("/nonexistent/stamped", argv, env);
		v[i].after = now();
		if (pause)
			usleep(pause);
	}
	usleep(QUIET);
	/* Each line in one piece, whoever else writes. */
	out = fopen(path, "a");
	if (!out)
		return 1;
	setvbuf(out, NULL, _IOLBF, 0);
	for (long i = 0; i < calls; i++)
		fprintf(out, "%d %d %llu %llu\n", getpid(), cpu, (unsigned long long)v[i].before,
			(unsigned long long)v[i].after);
	return fclose(out) != 0;
}

int main(int argc, char **argv)
{
	int status, failed = 0;
	cpu_set_t allowed;

	if (argc != 5 || sched_getaffinity(0, sizeof(allowed), &allowed)) {
		fprintf(stderr, "usage: stamped CPUS CALLS PAUSE FILE\n");
		return 2;
	}
	for (long i = 0; i < atol(argv[1]); i++) {
		int cpu = processor(&allowed, i);
		pid_t pid = cpu < 0 ? 0 : fork();

		if (cpu < 0)
			break;
		if (pid == 0)
			_exit(run(cpu, atol(argv[2]), (unsigned)atol(argv[3]), argv[4]));
		failed |= pid < 0;
	}
	usleep(QUIET);
	puts("go");
	fflush(stdout);
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
