/* SPDX-License-Identifier: BSD-2-Clause */
/* derive.h - what follows from several fields of an event; ET_NONE where it does not. */
#ifndef EXECTRACE_DERIVE_H
#define EXECTRACE_DERIVE_H

#include <exectrace.h>

/*
 * How long a process that exits ran as what it was: ns since its last exec, else
 * since it began.
 */
uint64_t derive_duration(const struct et_event *ev);
/* Of two numbers, or the largest number there is. */
uint64_t derive_sum(uint64_t a, uint64_t b);
/* What a shell would call its exit status: exit_code, or 128 and the signal. */
uint64_t derive_status(const struct et_event *ev);

/* The same of the numbers that it follows from, each ET_NONE where it is not known. */
static inline uint64_t derive_duration_of(uint64_t kind, uint64_t ts, uint64_t exec_ts,
					  uint64_t start)
{
	uint64_t since = exec_ts != ET_NONE ? exec_ts : start;

	return kind == ET_EXIT && since != ET_NONE && since <= ts ? ts - since : ET_NONE;
}

static inline uint64_t derive_status_of(uint64_t exit_code, uint64_t signal)
{
	if (exit_code != ET_NONE)
		return exit_code;
	return signal <= ET_NONE - 1 - 128 ? 128 + signal : ET_NONE;
}

#endif
