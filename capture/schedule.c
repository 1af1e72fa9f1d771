/* SPDX-License-Identifier: BSD-2-Clause */
#include "schedule.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#define FIRST (-10)

/* The kernel's maps of CPUs, and the C library's, are bits of such words. */
_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "cpu_set_t");

static bool has(const struct schedule_cpus *cpus, unsigned cpu)
{
	return cpus->bits[cpu / 64] >> cpu % 64 & 1;
}

/* A decimal number below SCHEDULE_CPUS; false: there is none at *at. */
static bool take_number(const char **at, unsigned *out)
{
	const char *p = *at;

	for (*out = 0; *p >= '0' && *p <= '9'; p++) {
		*out = *out * 10 + (unsigned)(*p - '0');
		if (*out >= SCHEDULE_CPUS)
			return false;
	}
	if (p == *at)
		return false;
	*at = p;
	return true;
}

bool schedule_parse_cpus(const char *text, struct schedule_cpus *out)
{
	memset(out, 0, sizeof(*out));
	for (;;) {
		unsigned from, to;

		if (!take_number(&text, &from))
			return false;
		to = from;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &to) || to < from)
				return false;
		}
		for (unsigned cpu = from; cpu <= to; cpu++)
			out->bits[cpu / 64] |= 1ull << cpu % 64;
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}

int schedule_pin(pid_t tid, const struct schedule_cpus *cpus, unsigned *missing)
{
	struct schedule_cpus got = { .bits = { 0 } };
	bool refused = sched_setaffinity(tid, sizeof(*cpus), (const void *)cpus) != 0;

	/* None of them is there. */
	if (refused && errno != EINVAL)
		return errno;
	/* It takes those that it has and leaves out the others without a word. */
	if (!refused && sched_getaffinity(tid, sizeof(got), (void *)&got))
		return errno;
	for (unsigned cpu = 0; cpu < SCHEDULE_CPUS; cpu++) {
		if (has(cpus, cpu) && !has(&got, cpu)) {
			*missing = cpu;
			return ENODEV;
		}
	}
	return 0;
}

int schedule_nice(int nice)
{
	/* Of the thread: in Linux each has its own, whatever POSIX says. */
	return setpriority(PRIO_PROCESS, 0, nice) ? errno : 0;
}

void schedule_first(void)
{
	if (getpriority(PRIO_PROCESS, 0) == 0)
		setpriority(PRIO_PROCESS, 0, FIRST);
}

int schedule_realtime(void)
{
	const struct sched_param param = { .sched_priority = sched_get_priority_min(SCHED_RR) };

	return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) ? errno : 0;
}
