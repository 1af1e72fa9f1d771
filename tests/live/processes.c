/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processes - a great many processes that live shortly.
 *
 *	processes COUNT CREATORS
 *
 * Each creator makes its share of COUNT one after the other, by vfork and execve of
 * this program with the arguments "-", creator's number, number and exit code, and
 * waits for each. Prints per process, when all is over: creator's number and pid,
 * number, pid, and the boot clock's ns before the vfork and behind the wait.
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

struct life {
	pid_t creator, pid;
	uint64_t before, after;
};

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool live(struct life *life, long creator, long number)
{
	char self[] = "/proc/self/exe", dash[] = "-", texts[3][24];
	char *argv[] = { dash, texts[0], texts[1], texts[2], NULL }, *env[] = { NULL };
	int status;

	snprintf(texts[0], sizeof(texts[0]), "%ld", creator);
	snprintf(texts[1], sizeof(texts[1]), "%ld", number);
	snprintf(texts[2], sizeof(texts[2]), "%ld", number % 256);
	life->creator = getpid();
	life->before = boot_ns();
	life->pid = vfork();
	if (life->pid == 0) {
		execve(self, argv, env);
		_exit(127);
	}
	if (life->pid < 0 || waitpid(life->pid, &status, 0) != life->pid)
		return false;
	life->after = boot_ns();
	return WIFEXITED(status) && WEXITSTATUS(status) == number % 256;
}

int main(int argc, char **argv)
{
	long count, creators;
	struct life *lives;
	int status, failed = 0;

	if (argc == 4 && !strcmp(argv[0], "-"))
		_exit(atoi(argv[3]));
	if (argc != 3) {
		fprintf(stderr, "usage: processes COUNT CREATORS\n");
		return 2;
	}
	creators = atol(argv[2]);
	count = atol(argv[1]) / creators;
	lives = mmap(NULL, sizeof(*lives) * (size_t)(count * creators), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (lives == MAP_FAILED)
		return 2;
	for (long c = 0; c < creators; c++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (long i = 0; i < count; i++) {
				if (!live(&lives[c * count + i], c, i))
					_exit(1);
			}
			_exit(0);
		}
		failed |= pid < 0;
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	for (long i = 0; i < count * creators; i++)
		printf("%ld %d %ld %d %llu %llu\n", i / count, (int)lives[i].creator,
		       i % count, (int)lives[i].pid, (unsigned long long)lives[i].before,
		       (unsigned long long)lives[i].after);
	return failed ? 1 : 0;
}
