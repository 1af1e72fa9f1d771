/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proctable.h - what earlier events have said about the processes that live.
 *
 * Feed it every event in the order of the file, which keeps each process's own
 * events in their order. It holds one entry per live process.
 */
#ifndef EXECTRACE_PROCTABLE_H
#define EXECTRACE_PROCTABLE_H

#include <exectrace.h>

struct proctable {
	struct proctable_entry *entries; /* open addressing; cap is a power of two */
	size_t n, cap;
};

void proctable_free(struct proctable *t);
/* Forgets all: another machine, or another boot. */
void proctable_clear(struct proctable *t);
/*
 * One event's kind, ts, pid and start; a value not known is ET_NONE. For an
 * exit, returns the ns since the process's last exec, else since its start;
 * ET_NONE when neither is known, and for every other kind. Without memory an
 * entry is not kept and durations fall back on start.
 */
uint64_t proctable_take(struct proctable *t, uint64_t kind, uint64_t ts, uint64_t pid,
			uint64_t start);

#endif
