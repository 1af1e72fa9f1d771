/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schedule.h - on which CPUs the recorder's threads run, and how soon the one that empties
 * the ring does. To be set when the command is forked, which keeps its caller's, and before
 * the recorder's system calls are filtered.
 */
#ifndef EXECTRACE_SCHEDULE_H
#define EXECTRACE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SCHEDULE_CPUS 8192u	/* as many as Linux can be built for */

/* A set of CPUs. */
struct schedule_cpus {
	uint64_t bits[SCHEDULE_CPUS / 64];
};

/* Numbers and ranges, separated by commas: "0", "2-3,6". False: not such a list. */
bool schedule_parse_cpus(const char *text, struct schedule_cpus *out);

/*
 * Puts a thread, and those that it starts from now on, on these CPUs; 0 is the calling
 * thread. 0 or an errno; ENODEV: *missing is not there, or not for this thread.
 */
int schedule_pin(pid_t tid, const struct schedule_cpus *cpus, unsigned *missing);

/* The calling thread's nice value, -20 to 19. 0 or an errno. */
int schedule_nice(int nice);
/*
 * The same for a thread that empties the ring when nobody says how: before most others,
 * unless its nice value is not the usual one already, or that is not allowed. Measured: two
 * CPUs in a storm of failed execs beside two busy loops fill 8 MiB in some of the slices
 * of the others (0.3 % lost in the median, 67 % at worst); at -5 that was rare, at -10 it
 * did not happen. The storm took no longer by itself, and a third longer beside the loops.
 */
void schedule_first(void);

/*
 * The calling thread before all that are not in real time, in turns with others of the
 * lowest priority; not for threads that it starts. 0 or an errno.
 */
int schedule_realtime(void);

#endif
