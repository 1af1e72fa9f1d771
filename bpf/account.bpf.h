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

static __always_inline void account_group(struct wire_exit *x, struct signal_struct *signal)
{
	x->minor_faults = signal->min_flt;
	x->major_faults = signal->maj_flt;
	x->read_bytes = WIRE_UNKNOWN_64;
	x->write_bytes = WIRE_UNKNOWN_64;
	if (bpf_core_field_exists(signal->ioac.read_bytes)) {
		x->read_bytes = signal->ioac.read_bytes;
		x->write_bytes = signal->ioac.write_bytes;
	}
}

/* Adds a thread that the verifier knows. */
static __always_inline void account_current(struct wire_exit *x, struct task_struct *t)
{
	x->minor_faults += t->min_flt;
	x->major_faults += t->maj_flt;
	if (io_is_counted(t)) {
		x->read_bytes += t->ioac.read_bytes;
		x->write_bytes += t->ioac.write_bytes;
	}
}

/* Adds one that was found by a walk. */
static __always_inline void account_thread(struct wire_exit *x, struct task_struct *t)
{
	x->minor_faults += BPF_CORE_READ(t, min_flt);
	x->major_faults += BPF_CORE_READ(t, maj_flt);
	if (io_is_counted(t)) {
		x->read_bytes += BPF_CORE_READ(t, ioac.read_bytes);
		x->write_bytes += BPF_CORE_READ(t, ioac.write_bytes);
	}
}

#endif
