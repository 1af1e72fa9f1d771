/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proctable.h - what earlier events have said about the processes that live.
 *
 * Feed it every event in the order of the file, which keeps each process's own
 * events in their order. It holds one entry per live process, of 16 bytes, by
 * its pid: at most 64 MiB, whatever a capture says, and that only for one which
 * names pids all over the 2^22 that Linux has.
 */
#ifndef EXECTRACE_PROCTABLE_H
#define EXECTRACE_PROCTABLE_H

#include <exectrace.h>

/* Start it zeroed. */
struct proctable {
	struct proctable_page **pages; /* by the upper bits of the pid; each may be NULL */
};

/* Forgets all, also for going on with another machine, or another boot. */
void proctable_free(struct proctable *t);
/*
 * One event's kind, ts, pid and start; a value not known is ET_NONE. For an
 * exit, returns the ns since the process's last exec, else since its start;
 * ET_NONE when neither is known, and for every other kind. Without memory, and
 * for a pid that Linux cannot have, durations fall back on start.
 */
uint64_t proctable_take(struct proctable *t, uint64_t kind, uint64_t ts, uint64_t pid,
			uint64_t start);

#endif
