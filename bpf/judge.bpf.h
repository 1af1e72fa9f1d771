/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * judge.bpf.h - which processes are recorded: all but the recorder itself, or
 * those that the recorder named and all that descend from them.
 */
#ifndef EXECTRACE_JUDGE_BPF_H
#define EXECTRACE_JUDGE_BPF_H

#include "record.bpf.h"

/* Set by the recorder before loading. */
const volatile __u32 self;
const volatile bool follow;

/* Processes followed. The recorder makes it tiny when it does not follow. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);	/* tgid */
	__type(value, __u8);
} et_followed SEC(".maps");

static __always_inline bool judge(__u32 tgid)
{
	if (tgid == self)
		return false;
	return !follow || bpf_map_lookup_elem(&et_followed, &tgid);
}

/*
 * Whether a new process is recorded: its creator is, and it is followed from now on.
 * Without room for it in the set its fork is the last that is seen of it.
 */
static __always_inline bool judge_fork(__u32 creator, __u32 child)
{
	struct wire_counters *c;
	__u8 value = 1;

	if (!follow)
		return true;
	if (!bpf_map_lookup_elem(&et_followed, &creator))
		return false;
	if (bpf_map_update_elem(&et_followed, &child, &value, BPF_ANY)) {
		c = counters();
		if (c)
			count_lost(c, WIRE_LOST_FOLLOW);
	}
	return true;
}

static __always_inline void judge_exit(__u32 tgid)
{
	if (follow)
		bpf_map_delete_elem(&et_followed, &tgid);
}

#endif
