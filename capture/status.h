/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status.h - all there is to tell of a recording that runs, for whoever asks: through the
 * control socket, or by the file of figures. It is taken in one place, and shown in three
 * ways.
 */
#ifndef EXECTRACE_STATUS_H
#define EXECTRACE_STATUS_H

#include <exectrace.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

enum status_state {
	STATUS_STARTING,	/* what a capture begins with is being written */
	STATUS_RECORDING,
	STATUS_FLIGHT,		/* nothing is written until it is triggered */
	STATUS_BLOCKED,		/* the writer waits for the disk or the pipe, all parcels are full */
	STATUS_FAILED,		/* cannot write */
	STATUS_ENDING,
	STATUS_STATES,
};

enum status_mode {
	STATUS_EVERYTHING,
	STATUS_FILTERED,	/* of the whole machine, what --uid, --cgroup, --comm let pass */
	STATUS_FOLLOWING,	/* a command or --pid, and their descendants */
	STATUS_MODES,
};

/* How many events came in of late. */
struct status_rate {
	uint64_t at, events;	/* when measured last, ns of the boot clock, and how many then */
	uint64_t since;		/* ns: before that, for which */
	uint64_t per_1000s;	/* events in 1000 s */
};

/* Times: ns. Strings are borrowed, as long as nothing is rotated. */
struct status {
	enum status_state state;
	enum status_mode mode;
	uint32_t pid;
	int64_t since;		/* wall clock, UTC */
	uint64_t elapsed;
	uint64_t events[ET_KIND_END];	/* taken so far */
	uint64_t lost[ET_CAUSE_END];	/* so far, before the writer */
	uint64_t bytes;		/* written, in all files */
	uint64_t files;		/* begun */
	const char *directory;	/* where the recorder was started; file may be relative to it */
	const char *file;	/* being written; NULL: none, or standard output */
	char path[4096];	/* of a series, for file */
	struct status_rate rate;
	uint64_t ring_size, ring_used, ring_peak;	/* bytes; the peak as found when emptied */
	unsigned parcels, parcels_full;	/* on their way to the writer */
};

/* Measures anew when the last time is at least a second ago. */
void status_measure(struct status_rate *rate, uint64_t events, uint64_t now);
/* All but the state, the rate and the times, which the loop knows itself. */
void status_take(struct status *st, const struct loop *l);

const char *status_state_name(enum status_state state);

/* To be freed; NULL: no memory. */
char *status_json(const struct status *st);	/* one object, one line */
char *status_lines(const struct status *st);	/* to read */
/* The text format that Prometheus's node_exporter reads, without exectrace_up. */
char *status_metrics(const struct status *st);

#endif
