/* SPDX-License-Identifier: BSD-2-Clause */
#include "clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

static uint64_t now(clockid_t id)
{
	struct timespec t;

	/* Neither clock can fail: both are older than any kernel with BPF. */
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_boot(void)
{
	return now(CLOCK_BOOTTIME);
}

struct et_clock clock_measure(uint64_t *error)
{
	struct et_clock best = { 0, 0 };
	uint64_t width = UINT64_MAX;

	/*
	 * One clock is read between two readings of the other; the offset is wrong by
	 * at most half their distance. The narrowest of a few is one that no interrupt
	 * stretched: tens of ns.
	 */
	for (int i = 0; i < 8; i++) {
		uint64_t before = now(CLOCK_BOOTTIME);
		uint64_t wall = now(CLOCK_REALTIME);
		uint64_t after = now(CLOCK_BOOTTIME);

		if (after - before >= width)
			continue;
		width = after - before;
		best.ts = before + width / 2;
		best.offset = (int64_t)(wall - best.ts);
	}
	if (error)
		*error = (width + 1) / 2;
	return best;
}

int clock_step_rearm(int fd)
{
	/* Never reached: what counts is that a step of the clock cancels it. */
	struct itimerspec far = { .it_value.tv_sec = (time_t)1 << 33 };
	uint64_t ticks;

	/* Takes the ECANCELED that made it readable. */
	if (read(fd, &ticks, sizeof(ticks)) < 0 && errno != ECANCELED && errno != EAGAIN)
		return -1;
	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

int clock_step_fd(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0 && clock_step_rearm(fd) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}
