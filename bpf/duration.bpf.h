/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * duration.bpf.h - how long an execve or execveat took: from the entry of the call to
 * the event that it becomes.
 *
 * A call is found again by the id of its thread: a thread makes one call at a time,
 * and a successful one tells by which id it was called. What is left of a call whose
 * end nobody saw is overwritten by the next call under that id, or makes room for
 * others, the oldest first.
 */
#ifndef EXECTRACE_DURATION_BPF_H
#define EXECTRACE_DURATION_BPF_H

#include "judge.bpf.h"

/* Set by the recorder before loading. */
const volatile bool exec_duration;

/* When calls began that have not ended. The recorder makes it tiny when not needed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);	/* tid */
	__type(value, __u64);	/* ns, CLOCK_BOOTTIME */
} et_calls SEC(".maps");

static __always_inline void duration_begin(void)
{
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_boot_ns();
	__u32 tid = id;

	if (judge_call(id >> 32))
		bpf_map_update_elem(&et_calls, &tid, &now, BPF_ANY);
}

/* ns until s->ts, of the call that thread tid of the process of t began; 0: not known. */
static __always_inline __u64 duration_end(struct scratch *s, struct task_struct *t, __u32 tid,
					  const bool typed)
{
	__u64 *at, began;

	if (!exec_duration)
		return 0;
	at = bpf_map_lookup_elem(&et_calls, &tid);
	if (!at)
		return 0;
	began = *at;
	bpf_map_delete_elem(&et_calls, &tid);
	/* Before this process was: left by another that had the id. */
	return began >= task_start(t, typed) && began < s->ts ? s->ts - began : 0;
}

#endif
