/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rotation.h - when a recording goes on in the next file, and when one in memory is
 * written to a file: by time, by a signal or request, or by an event that matches. What is
 * to be done goes to the writer with the parcel that holds the last event before it.
 *
 * Used by the loop's thread.
 */
#ifndef EXECTRACE_ROTATION_H
#define EXECTRACE_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

struct drain;
struct options;
struct output;

enum rotation_phase {
	ROTATION_BEFORE,	/* what is asked for is done when the recording begins */
	ROTATION_RUNS,
	ROTATION_OVER,		/* it ends; nothing is done any more */
};

/* All borrowed; the rest zeroed. */
struct rotation {
	const struct options *options;
	struct drain *drain;
	struct output *output;

	enum rotation_phase phase;
	unsigned wanted;	/* PARCEL_, in ROTATION_BEFORE */
	uint64_t cut_at;	/* ns of the boot clock: --rotate-time began anew */
	uint64_t cut_events;	/* how many there were then */
	bool dumping;		/* memory is being written to a file, */
	bool again;		/* and that has been asked for once more */
	bool matched;		/* an event asks for it, */
	uint64_t match_from;	/* which it may from then on, ns of the boot clock */
};

void rotation_begin(struct rotation *r, uint64_t now);
void rotation_end(struct rotation *r);

/* Asks for the next file, or the next segment in memory. False: there is only one file. */
bool rotation_cut(struct rotation *r);
/* Asks for what is in memory to be written. False: it is not in memory. */
bool rotation_dump(struct rotation *r);
/* A file has been written. */
void rotation_dumped(struct rotation *r);

/* When rotation_run has something to do, ns of the boot clock; UINT64_MAX: never. */
uint64_t rotation_due(struct rotation *r, uint64_t now);
/* Does what is due: to be called after each drain_run. */
void rotation_run(struct rotation *r, uint64_t now);

#endif
