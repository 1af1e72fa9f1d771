/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "units.h"
#include "write.h"

/* Who waits for less need not be told. */
#define DRAW_AFTER 2000000000ull
#define DRAW_EVERY 250000000ull
#define NS_PER_S 1000000000ull
/* The clock is looked at once in so many steps. */
#define STEPS 16u

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

bool progress_possible(void)
{
	/* In the background the terminal belongs to somebody else. */
	return isatty(STDERR_FILENO) && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

void progress_begin(struct progress *p, bool on, uint64_t bytes)
{
	*p = (struct progress){ .on = on && bytes, .bytes = bytes };
	if (p->on)
		p->began = now();
}

static void draw(struct progress *p, uint64_t at)
{
	uint64_t done = p->done < p->bytes ? p->done : p->bytes;
	double seconds = (double)(at - p->began) / NS_PER_S;
	char line[96], all[UNITS_TEXT], rate[UNITS_TEXT];
	int n;

	n = snprintf(line, sizeof(line), "\rread %u%% of %s, %s/s\033[K",
		     (unsigned)(100.0 * (double)done / (double)p->bytes),
		     units_show_size(p->bytes, all),
		     units_show_size((uint64_t)((double)done / seconds), rate));
	write_all(STDERR_FILENO, line, (size_t)n);
	p->drawn = true;
	p->drawn_at = at;
}

void progress_add(struct progress *p, uint64_t bytes)
{
	uint64_t at;

	p->done += bytes;
	if (!p->on || p->steps++ % STEPS)
		return;
	at = now();
	if (at - p->began >= DRAW_AFTER && at - p->drawn_at >= DRAW_EVERY)
		draw(p, at);
}

void progress_clear(struct progress *p)
{
	static const char erase[] = "\r\033[K";

	if (p->drawn)
		write_all(STDERR_FILENO, erase, sizeof(erase) - 1);
	p->drawn = p->on = false;
}
