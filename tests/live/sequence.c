/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sequence - executes itself again and again with ascending numbers, and notes when.
 *
 *	sequence LOG WORKERS
 *
 * Each worker executes "sequence WORKER:NUMBER" and waits for it, then the next. LOG
 * tells for each number when that began and when it was over, ns of the boot clock, 0:
 * not yet: what a recorder that is killed meanwhile must have, and may have. Ends when
 * its parent does.
 */
#include "spawn.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 16
#define NUMBERS 262144

struct entry {
	_Atomic uint64_t began, over;
};

struct log {
	struct entry entries[WORKERS_MAX][NUMBERS];
};

static _Atomic int *stop;

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void work(char *self, unsigned worker, struct entry *entries)
{
	char text[32];

	for (unsigned i = 0; i < NUMBERS && !*stop; i++) {
		snprintf(text, sizeof(text), "%u:%u", worker, i);
		entries[i].began = boot_ns();
		spawn(self, text);
		entries[i].over = boot_ns();
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	pid_t parent = getppid();
	unsigned workers;
	struct log *log;
	int fd, status, failed = 0;

	if (argc == 2)
		return 0;
	if (argc != 3) {
		fprintf(stderr, "usage: sequence LOG WORKERS\n");
		return 2;
	}
	workers = (unsigned)atoi(argv[2]);
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*log)) != 0 || workers > WORKERS_MAX)
		return 1;
	log = mmap(NULL, sizeof(*log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (log == MAP_FAILED || stop == MAP_FAILED)
		return 1;
	for (unsigned i = 0; i < workers; i++)
		if (fork() == 0)
			work(argv[0], i, log->entries[i]);
	while (getppid() == parent)
		usleep(5000);
	*stop = 1;
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
