/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - parcels of events on their way from the drain thread to the writer
 * thread, which gets them packed, and empty ones on their way back.
 *
 * How many parcels there are is fixed, and so is how much memory all of them may take: where
 * events are large, fewer are on their way at once. The drain thread never waits here;
 * without an empty parcel it leaves the events in the kernel's ring.
 */
#ifndef EXECTRACE_QUEUE_H
#define EXECTRACE_QUEUE_H

#include <exectrace.h>

#include "ids.h"

/* What is to be done when the parcel is written. */
enum parcel_mark {
	PARCEL_CUT = 1,		/* another file begins */
	PARCEL_DUMP = 2,	/* what is in memory goes to a file, this parcel too */
};

/* What is written in one go: it belongs to the thread that took it last. */
struct parcel {
	struct et_batch *rows;		/* events, for a CHUNK */
	struct et_batch *losses;	/* lost events, for a LOST */
	struct ids ids;			/* numbers that occur here */
	uint64_t lost[ET_CAUSE_END];	/* so far, in all */
	struct et_clock seen;		/* ts: all events up to there are in it or before; 0: not known */
	unsigned marks;			/* PARCEL_ */
	struct et_packed *packed;	/* rows, as they are written */
	bool is_packed;			/* packers.c */
	uint64_t memory;		/* queue.c: bytes that it is counted with */
	struct parcel *next, *next_offered;
};

struct packers;
struct queue;

/*
 * Bytes of memory of all parcels together, more or less by what one of them takes: no
 * other is given out while they take more, as long as one is on its way.
 */
#define QUEUE_MEMORY (36u << 20)

/* From any thread: how many parcels there are, and how many are on their way to the writer. */
void queue_fill(struct queue *q, unsigned *parcels, unsigned *full);

/* n: parcels. packers is borrowed. NULL and errno on failure. */
struct queue *queue_new(unsigned n, struct packers *packers);
/* All parcels must be back or queued, and the packers gone. NULL is fine. */
void queue_free(struct queue *q);

/*
 * The drain thread's side. An empty parcel, or NULL: queue_fd then becomes readable
 * when there is one; queue_fd_clear makes it quiet again.
 */
struct parcel *queue_take(struct queue *q);
int queue_fd(const struct queue *q);
void queue_fd_clear(struct queue *q);
void queue_put(struct queue *q, struct parcel *p);
/* Nothing more comes: queue_get returns NULL when it has given out the rest. */
void queue_close(struct queue *q);

/* The writer thread's side: waits for the next parcel, packed, and gives it back emptied. */
struct parcel *queue_get(struct queue *q);
void queue_return(struct queue *q, struct parcel *p);

#endif
