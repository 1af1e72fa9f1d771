/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * account.bpf.h - page faults of a thread group, and what it read from disks and
 * wrote to them: the sums over the threads released so far, and the others.
 */
#ifndef EXECTRACE_ACCOUNT_BPF_H
#define EXECTRACE_ACCOUNT_BPF_H

#include "record.bpf.h"

/* CONFIG_TASK_IO_ACCOUNTING */
static __always_inline bool io_is_counted(struct task_struct *t)
{
	return bpf_core_field_exists(t->ioac.read_bytes);
}

static __always_inline void account_group(struct wire_exit *x, struct signal_struct *signal,
					  const bool typed)
{
	x->minor_faults = READ(typed, signal, min_flt);
	x->major_faults = READ(typed, signal, maj_flt);
	x->read_bytes = WIRE_UNKNOWN_64;
	x->write_bytes = WIRE_UNKNOWN_64;
	if (bpf_core_field_exists(signal->ioac.read_bytes)) {
		x->read_bytes = READ(typed, signal, ioac.read_bytes);
		x->write_bytes = READ(typed, signal, ioac.write_bytes);
	}
}

/* Adds a thread. One that was found by a walk is not typed. */
static __always_inline void account_thread(struct wire_exit *x, struct task_struct *t,
					   const bool typed)
{
	x->minor_faults += READ(typed, t, min_flt);
	x->major_faults += READ(typed, t, maj_flt);
	if (io_is_counted(t)) {
		x->read_bytes += READ(typed, t, ioac.read_bytes);
		x->write_bytes += READ(typed, t, ioac.write_bytes);
	}
}

#endif
