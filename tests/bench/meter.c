/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_meter - runs a program to its end, with nothing on its standard output, and
 * prints what it took: exit code, ns, ns of CPU, peak memory in bytes.
 *
 *	bench_meter COMMAND [ARG...]
 *
 * ru_maxrss of a child is at least what its parent had in memory before exec; of this
 * one that is little, unlike that of an interpreter.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t ns(struct timeval t)
{
	return t.tv_sec * INT64_C(1000000000) + t.tv_usec * INT64_C(1000);
}

int main(int argc, char **argv)
{
	int64_t begun = now();
	struct rusage used;
	int status, null;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
			execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
		perror("bench_meter");
		return 1;
	}
	printf("%d %" PRId64 " %" PRId64 " %ld\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), now() - begun,
	       ns(used.ru_utime) + ns(used.ru_stime), used.ru_maxrss * 1024);
	return 0;
}
