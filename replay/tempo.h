/* SPDX-License-Identifier: BSD-2-Clause */
/* tempo.h - events shown at the speed at which they happened, or some times that. */
#ifndef EXECTRACE_TEMPO_H
#define EXECTRACE_TEMPO_H

#include <stdbool.h>
#include <stdint.h>

#include "out.h"

struct tempo {
	double speed;	/* of the recording: 1 as it was; 0: as fast as can be */
	bool begun;
	int64_t wall;	/* of the first event, and when it was shown: */
	int64_t shown;	/* CLOCK_MONOTONIC, ns */
};

/* 2, 2x, 0.5x */
bool tempo_parse(const char *text, double *speed);
/*
 * Waits until an event of that time is due. What is in o goes out before; nobody there to
 * read it any more is o's EPIPE, and ends the waiting.
 */
void tempo_wait(struct tempo *t, struct out *o, int64_t wall);

#endif
