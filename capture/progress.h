/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - the one line on the terminal while recording.
 */
#ifndef EXECTRACE_PROGRESS_H
#define EXECTRACE_PROGRESS_H

#include <exectrace.h>

/* What there is to show; numbers so far. */
struct progress_state {
	uint64_t events;
	uint64_t lost;
	uint64_t bytes;
};

struct progress {
	bool on;
	bool drawn;			/* there is a line on the terminal */
	uint64_t drawn_at;		/* ns of the boot clock */
	struct progress_state shown;
	uint64_t rate;			/* events per second, as shown */
};

/* wanted: unless standard error is no terminal, or that terminal is not ours now. */
void progress_init(struct progress *p, bool wanted);
/* When the line wants redrawing, ns of the boot clock; UINT64_MAX: it is up to date. */
uint64_t progress_due(const struct progress *p, const struct progress_state *s);
/* Draws it, if it is due. */
void progress_draw(struct progress *p, const struct progress_state *s, uint64_t now);
/* Removes the line, before anything else is printed. */
void progress_clear(struct progress *p);

#endif
