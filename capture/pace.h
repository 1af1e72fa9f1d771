/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pace.h - how many events a second are taken (--max-rate), as a bucket of tokens: a
 * second brings as many as are asked for, and each event that was sent takes one.
 *
 * The bucket holds two seconds of them. Failed execs get what lies above the first second's
 * worth, forks all there is; execs and exits are not asked, and may leave a debt of up to a
 * second. So forks are shed only when there is too much without failed execs, and nothing
 * is where no second has brought more than was asked for.
 *
 * Pure: no clock, no descriptors.
 */
#ifndef EXECTRACE_PACE_H
#define EXECTRACE_PACE_H

#include <stdint.h>

#define PACE_MAX 1000000000ull	/* events a second: products with seconds in ns fit */

struct pace {
	uint64_t rate;		/* events a second, 1 to PACE_MAX */
	uint64_t at;		/* ns of the boot clock: filled up to then */
	uint64_t sent;		/* events sent up to then */
	int64_t credit;		/* tokens, in 1e-9 */
};

/* A full bucket. */
struct pace pace_begin(uint64_t rate, uint64_t now);
/* Takes what was sent since, of sent in all, and adds what the time has brought. */
void pace_step(struct pace *p, uint64_t now, uint64_t sent);
/* How many failed execs may be sent now; how many forks. */
uint64_t pace_fails(const struct pace *p);
uint64_t pace_forks(const struct pace *p);
/*
 * When there is more to allow, ns of the boot clock, but no sooner than after least ns.
 * UINT64_MAX: the bucket is full.
 */
uint64_t pace_due(const struct pace *p, uint64_t least);

#endif
