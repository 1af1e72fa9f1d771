/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - the one line on the terminal while much is read.
 */
#ifndef EXECTRACE_PROGRESS_H
#define EXECTRACE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on;
	bool drawn;		/* there is a line on the terminal */
	uint64_t bytes;		/* to be read in all; 0: not known */
	uint64_t done;		/* of them */
	uint64_t began, drawn_at; /* ns of the monotonic clock */
	unsigned steps;
};

/* Whether the terminal of standard error is there and ours; to be asked before the sandbox. */
bool progress_possible(void);
void progress_begin(struct progress *p, bool on, uint64_t bytes);
/* So many bytes more are read. Draws the line when that takes long, now and then. */
void progress_add(struct progress *p, uint64_t bytes);
/* Removes the line, before anything else is printed. */
void progress_clear(struct progress *p);

#endif
