/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exectable.h - when each live process last executed something, so that its exit
 * says how long it ran as that: the kernel does not remember it.
 *
 * Holds 16 bytes per process that has executed something since recording began,
 * by its pid, in pages that go when nobody of theirs lives: at most 64 MiB.
 */
#ifndef EXECTRACE_EXECTABLE_H
#define EXECTRACE_EXECTABLE_H

#include <exectrace.h>

/* Start it zeroed. */
struct exectable {
	struct exectable_page **pages; /* by the upper bits of the pid; each may be NULL */
};

void exectable_free(struct exectable *t);
/*
 * Takes each event in the order of the ring, which keeps each process's own events
 * in their order, and sets exec_ts in execs and exits. Without memory, and where
 * the only exec was lost, an exit goes without; where a later one of several was
 * lost, it has the one before.
 */
void exectable_take(struct exectable *t, struct et_event *ev);

#endif
