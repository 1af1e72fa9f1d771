/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folded.h - what programs had others executed, as folded stacks: make;sh;gcc;cc1 1234,
 * which flamegraph.pl, inferno and speedscope read.
 *
 * A frame is a program, by its name in the kernel. A process that executes something has
 * the stack of the one that forked it, as that was then, and a frame of its own; one that
 * executes nothing counts as what it was forked from. Programs that ran already when
 * recording began are frames as well.
 */
#ifndef EXECTRACE_FOLDED_H
#define EXECTRACE_FOLDED_H

#include "out.h"
#include "processes.h"

/* What folded_row has to know of a row, as bits of fields. */
#define FOLDED_FIELDS \
	(PROCESSES_FIELDS | 1ull << ET_F_COMM | 1ull << ET_F_UTIME | 1ull << ET_F_STIME)

/* Different stacks, and frames in one; beyond, programs count as what had them executed. */
#define FOLDED_STACKS (1u << 20)
#define FOLDED_DEPTH 256u

enum folded_weight {
	FOLDED_CPU,   /* us of CPU time, of processes that ended */
	FOLDED_WALL,  /* us since it began or executed, while none of its children lived */
	FOLDED_COUNT, /* execs */
};

struct folded;

/* NULL: no memory. */
struct folded *folded_new(enum folded_weight weight);
/*
 * The next row, of all there are, in the order of time: those that match have weight; by
 * FOLDED_WALL the execution does whose exec, or fork, matches. ET_OK or ET_NOMEM.
 */
int folded_row(struct folded *f, const struct input_row *row);
/* There are no more: writes the stacks that weigh anything, a line each. */
void folded_end(struct folded *f, struct out *o);
/* Programs that count as others for want of room; processes whose CPU time is not known. */
uint64_t folded_crowded(const struct folded *f);
uint64_t folded_running(const struct folded *f);
void folded_free(struct folded *f);

#endif
