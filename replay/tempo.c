/* SPDX-License-Identifier: BSD-2-Clause */
#include "tempo.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPEED_MIN 0.001
#define SPEED_MAX 1000000.0
#define SECOND 1000000000ll
/* No wait is longer than a century, whatever the times are. */
#define WAIT_MAX (100ll * 366 * 86400 * SECOND)

bool tempo_parse(const char *text, double *speed)
{
	size_t digits = strspn(text, "0123456789."), len = strlen(text);
	char *end;

	if (!digits || (text[digits] && strcmp(text + digits, "x") != 0) || len > 20)
		return false;
	*speed = strtod(text, &end);
	return end == text + digits && *speed >= SPEED_MIN && *speed <= SPEED_MAX;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* When an event of that time is due. */
static int64_t due(const struct tempo *t, int64_t wall)
{
	double since = wall > t->wall ? (double)((uint64_t)wall - (uint64_t)t->wall) / t->speed : 0;

	return t->shown + (since < (double)WAIT_MAX ? (int64_t)since : WAIT_MAX);
}

void tempo_wait(struct tempo *t, struct out *o, int64_t wall)
{
	struct pollfd reader = { .fd = o->fd };
	int64_t left;

	if (t->speed <= 0)
		return;
	if (!t->begun) {
		t->begun = true;
		t->wall = wall;
		t->shown = now();
	}
	left = due(t, wall) - now();
	if (left > 0)
		out_flush(o);
	for (; left > 0 && !o->error; left = due(t, wall) - now()) {
		struct timespec wait = { (time_t)(left / SECOND), (long)(left % SECOND) };

		if (ppoll(&reader, 1, &wait, NULL) > 0)
			o->error = EPIPE;
	}
}
