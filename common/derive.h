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
/* The same from the three times of an exit; ET_NONE: not known. */
uint64_t derive_since(uint64_t exec_ts, uint64_t start, uint64_t ts);
/* Of two numbers, or the largest number there is. */
uint64_t derive_sum(uint64_t a, uint64_t b);
/* What a shell would call its exit status: exit_code, or 128 and the signal. */
uint64_t derive_status(const struct et_event *ev);

#endif
