/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.h - empties the kernel's ring: decodes what is in it, gathers the events in
 * parcels, and hands those on when they are full or old enough.
 *
 * Never waits for anything. Used by one thread.
 */
#ifndef EXECTRACE_DRAIN_H
#define EXECTRACE_DRAIN_H

#include <exectrace.h>

struct drain;
struct binaries;
struct expr;
struct probe;
struct queue;

enum drain_result {
	DRAIN_EMPTY,	/* there was nothing in the ring that could be read */
	DRAIN_SOME,	/* there was; it may be empty now */
	DRAIN_MORE,	/* there is more: call again soon */
	DRAIN_STALLED,	/* no empty parcel: the events stay in the ring */
};

/*
 * All is borrowed until drain_free. interval: ns that an event may wait in an open
 * parcel. env: what is kept of environments, as in envnames.h; NULL: there are none.
 * trigger: events to look out for, NULL: none. clock: the offset in force at the start. NULL: no
 * memory.
 */
struct drain *drain_new(struct probe *p, struct queue *q, struct binaries *binaries,
			uint64_t interval, const char *env, const struct expr *trigger,
			const struct et_clock *clock);
/* Takes at most so many events a second: pace.h. Before the first drain_run. */
void drain_limit(struct drain *d, uint64_t max_rate);
void drain_free(struct drain *d);

enum drain_result drain_run(struct drain *d);
/* When the open parcel is to be handed over, ns of the boot clock; UINT64_MAX: never. */
uint64_t drain_due(const struct drain *d);
/* Hands it over if it is due, or to be marked. */
void drain_flush(struct drain *d, uint64_t now);
/*
 * Has the parcel handed over that holds the last of what is in the ring now, and marked:
 * PARCEL_ in queue.h. Until that was done, drain_is_marked.
 */
void drain_mark(struct drain *d, unsigned marks);
bool drain_is_marked(const struct drain *d);
/*
 * Says anew how much may come. Returns when to do so again at the latest, ns of the boot
 * clock; UINT64_MAX: not before something has come.
 */
uint64_t drain_pace(struct drain *d, uint64_t now);
/* The wall clock was set: what follows gets the new offset. */
void drain_clock_step(struct drain *d);

/*
 * The last step, when the programs are detached and drain_run says DRAIN_EMPTY:
 * places the losses behind each CPU's last event and hands the rest over. False: not
 * yet, there is no empty parcel.
 */
bool drain_finish(struct drain *d);

/* Whether an event has matched the trigger since the last call. */
bool drain_matched(struct drain *d);

/* A moment of the boot clock with the offset of the wall clock then. */
struct et_clock drain_clock(const struct drain *d, uint64_t ts);
/* Events taken so far, by kind. */
const uint64_t *drain_counts(const struct drain *d);
/* All but the losses. */
uint64_t drain_events(const struct drain *d);
/* Events lost so far, by cause. */
void drain_lost(const struct drain *d, uint64_t lost[ET_CAUSE_END]);

#endif
