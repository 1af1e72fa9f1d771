/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * group.bpf.h - a thread group at its end: whether a thread that exits is the
 * last one, and what the whole group used.
 */
#ifndef EXECTRACE_GROUP_BPF_H
#define EXECTRACE_GROUP_BPF_H

#include "account.bpf.h"
#include "record.bpf.h"

/* sched_process_exit tells by an argument which thread is the last (Linux 6.16). */
const volatile bool has_group_dead;

/* The most threads whose use is added up one by one. */
#define GROUP_THREADS 4096
#define GROUP_ROUND 16

struct group_key {
	__u64 start;
	__u32 tgid;
	__u32 pad;
};

/*
 * Groups that have ended, for kernels where several threads see it. The last thread
 * may see it long after the first (see group_ended), so there has to be room for all
 * that end meanwhile: a second at 30,000 exits a second.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct group_key);
	__type(value, __u8);
} et_ended SEC(".maps");

/*
 * Every thread takes itself off signal->live before it gets here, so threads that
 * exit at the same time may all find it 0. The first one speaks for the group. They
 * are usually microseconds apart, but a thread gives back its memory in between,
 * which can take hundreds of ms. Where the set has no room the exit is sent: rather
 * twice than not at all.
 */
static __always_inline bool group_ended(struct task_struct *t, bool group_dead, const bool typed)
{
	struct group_key key = {};
	__u8 value = 1;

	if (has_group_dead)
		return group_dead;
	if (READ(typed, t, signal, live.counter))
		return false;
	key.start = task_start(t, typed);
	key.tgid = READ(typed, t, tgid);
	return map_insert(&et_ended, &key, &value) != -EEXIST;
}

/* Adds what some threads used; threads still in the list are not in the group's sums. */
__noinline int group_steps(void)
{
	struct scratch *s = scratch();

	if (!s)
		return 0;
	for (int i = 0; i < GROUP_ROUND; i++) {
		struct list_head *node = (struct list_head *)s->thread;
		struct task_struct *t;

		if (s->thread == s->thread_head)
			return 0;
		t = (void *)node - bpf_core_field_offset(struct task_struct, thread_node);
		s->rec.exit.utime += BPF_CORE_READ(t, utime);
		s->rec.exit.stime += BPF_CORE_READ(t, stime);
		s->rec.exit.runtime += BPF_CORE_READ(t, se.sum_exec_runtime);
		account_thread(&s->rec.exit, t, false);
		s->thread = (__u64)BPF_CORE_READ(node, next);
	}
	return 1;
}

/*
 * What the group used. Threads end at the same time when a signal or exit_group
 * ends them, and then most of their use is not in the group's sums yet.
 */
static __always_inline void group_usage(struct scratch *s, struct task_struct *t, const bool typed)
{
	struct signal_struct *signal = READ(typed, t, signal);
	struct wire_exit *x = &s->rec.exit;

	x->utime = READ(typed, signal, utime);
	x->stime = READ(typed, signal, stime);
	x->runtime = READ(typed, signal, sum_sched_runtime) + s->unaccounted;
	x->max_rss = READ(typed, signal, maxrss);
	account_group(x, signal, typed);
	if (READ(typed, signal, nr_threads) == 1) {
		x->utime += READ(typed, t, utime);
		x->stime += READ(typed, t, stime);
		x->runtime += READ(typed, t, se.sum_exec_runtime);
		account_thread(x, t, typed);
		return;
	}
	s->thread_head = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	s->thread = (__u64)READ(typed, signal, thread_head.next);
	for (int i = 0; i < GROUP_THREADS / GROUP_ROUND; i++)
		if (!group_steps())
			break;
}

/* As wait(2) has it. */
static __always_inline __u32 group_status(struct task_struct *t, const bool typed)
{
	if (READ(typed, t, signal, flags) & SIGNAL_GROUP_EXIT)
		return READ(typed, t, signal, group_exit_code);
	return READ(typed, t, group_leader, exit_code);
}

#endif
