/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * living.h - the processes that live, as the events recorded so far tell. A capture
 * that begins in the middle of a recording begins with them, so that it can be read
 * without what came before.
 *
 * It takes no look at the processes themselves: for that a recorder has no privilege
 * any more, nor would what it sees be of the moment at which the capture begins.
 */
#ifndef EXECTRACE_LIVING_H
#define EXECTRACE_LIVING_H

#include <exectrace.h>

struct living;

/* all: every process is recorded, so one that is not there has ended. NULL: no memory. */
struct living *living_new(bool all);
void living_free(struct living *l);

/* Kinds of the events that it wants to see, as et_walk_next takes them. */
#define LIVING_KINDS \
	(ET_KIND_BIT(ET_EXEC) | ET_KIND_BIT(ET_FORK) | ET_KIND_BIT(ET_EXIT) | ET_KIND_BIT(ET_PROC))

/*
 * The next event, in the order of the capture. Without memory a process is left out; with
 * very many, or with very long arguments, these are cut.
 */
void living_take(struct living *l, const struct et_event *ev);

/*
 * Looks who lives, now: ns. Forgets those of whose end no event has told: those that did not
 * live at an earlier call although by now everything up to that time was seen. The end may
 * have been lost, or was none of the events that are recorded, since the process had another
 * user by then, say.
 */
void living_sweep(struct living *l, bool (*lives)(uint32_t pid), uint64_t now, uint64_t seen);

/* Non-zero ends the round. ev is borrowed during the call. */
typedef int living_fn(void *ctx, const struct et_event *ev);

/*
 * Each as an event of kind proc, in the order of their beginnings: of the moment at, or of
 * the last event about the process where that is later. 0, an errno, or what fn returned.
 */
int living_each(const struct living *l, struct et_clock at, living_fn *fn, void *ctx);

#endif
