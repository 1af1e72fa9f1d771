/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair - two events at the same moment on two CPUs, and then silence.
 *
 *	pair CAPTURE ROUNDS
 *
 * To be recorded into CAPTURE. After each pair it waits for the capture to grow;
 * no event of its own wakes the recorder meanwhile. Exit code 1: it did not grow.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 3000	/* ms; the recorder takes a few */

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* On a machine with one CPU the two take turns, which is something as well. */
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void fail_to_exec(unsigned spin)
{
	char *none[] = { NULL };

	for (volatile unsigned i = 0; i < spin; i++)
		;
	execve("/nonexistent/pair", none, none);
}

static void rest(long us)
{
	struct timespec t = { 0, us * 1000 };

	nanosleep(&t, NULL);
}

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (long)st.st_size;
}

int main(int argc, char **argv)
{
	atomic_long *turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long rounds = argc == 3 ? atol(argv[2]) : 0;
	pid_t peer;

	if (!rounds || turn == MAP_FAILED) {
		fprintf(stderr, "usage: pair CAPTURE ROUNDS\n");
		return 2;
	}
	peer = fork();
	if (peer < 0)
		return 2;
	srand(peer ? 1 : 2);
	pin(peer ? 0 : 1);
	for (long i = 1; i <= rounds; i++) {
		long before = size_of(argv[1]), waited = 0;

		if (!peer) {
			while (atomic_load(turn) < i)
				if (getppid() == 1)
					_exit(0);
			fail_to_exec((unsigned)rand() % 2000);
			continue;
		}
		atomic_store(turn, i);
		fail_to_exec((unsigned)rand() % 2000);
		while (size_of(argv[1]) == before && waited < PATIENCE * 1000l) {
			rest(200);
			waited += 200;
		}
		if (size_of(argv[1]) == before) {
			fprintf(stderr, "round %ld: the capture does not grow\n", i);
			return 1;
		}
		/* Long enough for the recorder to find nothing and to go to sleep. */
		rest(2000 + rand() % 2000);
	}
	return 0;
}
