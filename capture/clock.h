/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h - the boot clock that events carry, and how far the wall clock is from it.
 */
#ifndef EXECTRACE_CLOCK_H
#define EXECTRACE_CLOCK_H

#include <exectrace.h>

/* CLOCK_BOOTTIME, ns. */
uint64_t clock_boot(void);

/*
 * Measures the distance between the clocks now. *error, when not NULL, gets the
 * most by which the offset can be wrong, ns.
 */
struct et_clock clock_measure(uint64_t *error);

/*
 * A descriptor that becomes readable when somebody sets the wall clock; it never
 * fires otherwise. -1 and errno on failure. Call clock_step_rearm when it did.
 */
int clock_step_fd(void);
int clock_step_rearm(int fd);

#endif
