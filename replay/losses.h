/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * losses.h - where events were lost: stretches of time, each of one cause and one CPU.
 *
 * A capture tells of each loss in a row. There may be millions of them, so that of one
 * cause and CPU those that lie closest together become one, as far as it has to be.
 */
#ifndef EXECTRACE_LOSSES_H
#define EXECTRACE_LOSSES_H

#include <exectrace.h>

/* Kept apart; some 2 MiB. */
#define LOSSES_MAX 32768

#define LOSS_NO_CPU UINT64_MAX
#define LOSS_NO_END INT64_MAX

struct loss {
	uint64_t cause;		/* enum et_cause, or of a later version */
	uint64_t cpu;		/* LOSS_NO_CPU: not known */
	uint64_t count;		/* of ET_CAUSE_SKIPPED at most so many */
	uint64_t rows;		/* that told of it; 0: none, a head counted it */
	int64_t first, last;	/* wall clock, ns; last of LOSS_NO_END: not known */
};

/* Start it zeroed. */
struct losses {
	struct loss *v;
	size_t n, cap;
};

void losses_free(struct losses *l);
/* -1: no memory, and it is as before. */
int losses_add(struct losses *l, const struct loss *loss);
/* A copy in which, if causes and CPUs are no more, there are at most n; by time. -1: no memory. */
int losses_merged(const struct losses *l, size_t n, struct losses *out);
/*
 * Keeps the n with the highest counts, by time, and tells what the others are together:
 * cause is 0 where they differ. rest->rows of 0: there are no others.
 */
void losses_keep(struct losses *l, size_t n, struct loss *rest, size_t *others);
/* All together: first to last of all; count saturates. */
struct loss losses_sum(const struct losses *l);

#endif
