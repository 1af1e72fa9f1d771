/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disturb - runs a program, and does meanwhile what only a guest's machine can be put
 * through:
 *
 *	disturb cpu PROGRAM [ARG...]	takes the last processor away and gives it back
 *	disturb clock PROGRAM [ARG...]	sets the wall clock to and fro
 *
 * Prints how often. Ends with 0 when PROGRAM does, and there was such a disturbance.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_US 250000

static char online[64];

static bool set_cpu(bool on)
{
	int fd = open(online, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, on ? "1" : "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool disturb_cpu(unsigned n)
{
	return set_cpu(n % 2);
}

static bool disturb_clock(unsigned n)
{
	static const int hours[] = { -1, 30, -29, 2, -3 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += 3600 * hours[n % (sizeof(hours) / sizeof(hours[0]))];
	return clock_settime(CLOCK_REALTIME, &now) == 0;
}

int main(int argc, char **argv)
{
	bool cpu = argc > 1 && !strcmp(argv[1], "cpu");
	unsigned n = 0;
	int status = 0;
	pid_t pid;

	if (argc < 3 || (!cpu && strcmp(argv[1], "clock") != 0)) {
		fprintf(stderr, "usage: disturb cpu|clock PROGRAM [ARG...]\n");
		return 2;
	}
	snprintf(online, sizeof(online), "/sys/devices/system/cpu/cpu%ld/online",
		 sysconf(_SC_NPROCESSORS_CONF) - 1);
	pid = fork();
	if (pid == 0) {
		execv(argv[2], argv + 2);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		usleep(PAUSE_US);
		if (!(cpu ? disturb_cpu(n) : disturb_clock(n))) {
			fprintf(stderr, "disturb: %s: %s\n", cpu ? online : "clock_settime", strerror(errno));
			return 1;
		}
		n++;
	}
	if (cpu && n % 2 && !set_cpu(true))
		return 1;
	printf("%u\n", n);
	return n > 1 && WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : 1;
}
