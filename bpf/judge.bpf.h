/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * judge.bpf.h - which events are recorded: those of processes that are followed,
 * run as one of the users, in one of the cgroups and under one of the names that
 * the recorder was asked for, and never its own.
 *
 * Each question is asked only where the recorder has set its constant: the verifier
 * drops the others. They are asked before anything of a record is put together, and
 * of the very values that the record would show.
 */
#ifndef EXECTRACE_JUDGE_BPF_H
#define EXECTRACE_JUDGE_BPF_H

#include "record.bpf.h"

/* Set by the recorder before loading. */
const volatile __u32 self;
const volatile bool follow;
const volatile bool by_uid;
const volatile bool by_cgroup;
const volatile bool by_comm;

/* Sizes are the recorder's: what is asked for, or 1 where nothing is. */

/* Processes followed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);	/* tgid */
	__type(value, __u8);
} et_followed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} et_uids SEC(".maps");

/* The cgroups asked for, by id; what lies below them counts as well. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u8);
} et_cgroups SEC(".maps");

/*
 * Whether a cgroup is one of them or below one, once found out: a cgroup never gets
 * another parent, and no later one gets its id.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u8);
} et_cgroups_known SEC(".maps");

struct comm_key {
	char comm[16];		/* NULs behind its end */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct comm_key);
	__type(value, __u8);
} et_comms SEC(".maps");

/*
 * The recorder follows processes that run already: capture/tree.c. Meanwhile a process
 * that it has not found yet is followed when it forks, and those that end are noted,
 * so that none is put into the set that has left it for good.
 */
volatile bool et_seeding;
volatile __u64 et_following;	/* how many are in et_followed */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} et_seed_ended SEC(".maps");

/* Levels of cgroups, and generations of processes not found yet. */
#define CGROUP_LEVELS 256
#define GENERATIONS 256

/* Whether a cgroup is below one that was asked for. One that lies too deep is recorded. */
__noinline int et_cgroup_wanted(__u64 at)
{
	for (int level = 0; level < CGROUP_LEVELS; level++) {
		struct cgroup *cgroup = (void *)at;
		__u64 id = BPF_CORE_READ(cgroup, kn, id);

		if (bpf_map_lookup_elem(&et_cgroups, &id))
			return 1;
		at = (__u64)BPF_CORE_READ(cgroup, self.parent);
		if (!at)
			return 0;
		at -= bpf_core_field_offset(struct cgroup, self);
	}
	return 1;
}

static __always_inline bool judge_cgroup(struct task_struct *t)
{
	struct cgroup *cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp);
	__u64 id = BPF_CORE_READ(cgroup, kn, id);
	__u8 *known = bpf_map_lookup_elem(&et_cgroups_known, &id), wanted;

	if (known)
		return *known;
	wanted = et_cgroup_wanted((__u64)cgroup);
	bpf_map_update_elem(&et_cgroups_known, &id, &wanted, BPF_ANY);
	return wanted;
}

static __always_inline bool judge_uid(__u32 uid)
{
	return bpf_map_lookup_elem(&et_uids, &uid);
}

/* Behind its NUL a name may have the rest of an older one. */
static __always_inline bool judge_comm(struct task_struct *t)
{
	struct comm_key key = {};

	bpf_probe_read_kernel_str(key.comm, sizeof(key.comm), t->comm);
	return bpf_map_lookup_elem(&et_comms, &key);
}

/* Read by helpers: not every caller has a pointer that the verifier knows as a task's. */
static __always_inline bool judge_owner(struct task_struct *t)
{
	return (!by_uid || judge_uid(BPF_CORE_READ(t, cred, uid.val))) &&
	       (!by_cgroup || judge_cgroup(t));
}

/* All but whether t is followed. named: the thread whose name the record has. */
static __always_inline bool judge_task(struct task_struct *t, struct task_struct *named)
{
	return (!by_comm || judge_comm(named)) && judge_owner(t);
}

static __always_inline bool is_followed(__u32 tgid)
{
	return bpf_map_lookup_elem(&et_followed, &tgid);
}


/* Whether a thread, or one above it, belongs to a process that is followed. */
__noinline int et_descends(__u64 at)
{
	for (int i = 0; i < GENERATIONS; i++) {
		struct task_struct *t = (void *)at;
		__u64 parent = (__u64)BPF_CORE_READ(t, real_parent);

		if (is_followed(BPF_CORE_READ(t, tgid)))
			return 1;
		if (!parent || parent == at)
			return 0;
		at = parent;
	}
	return 0;
}

/* Without room for it in the set, all that it does from now on is not recorded. */
static __always_inline void follow_process(__u32 tgid)
{
	struct wire_counters *c;
	__u8 value = 1;
	int err = map_insert(&et_followed, &tgid, &value);

	if (!err) {
		add((__u64 *)&et_following, 1);
	} else if (err != -EEXIST) {
		c = counters();
		if (c)
			count_lost(c, WIRE_LOST_FOLLOW);
	}
}

/*
 * Whether process tgid, of which t is a thread, is followed. Its fork may have been skipped
 * (probe.bpf.c): who is followed has no children that are not, so then it shows by its
 * parent.
 */
static __always_inline bool follows(__u32 tgid, struct task_struct *t)
{
	if (is_followed(tgid))
		return true;
	if (!settled || !is_followed(BPF_CORE_READ(t, real_parent, tgid)))
		return false;
	follow_process(tgid);
	return true;
}

/* Whether an event of process tgid is recorded. */
static __always_inline bool judge(__u32 tgid, struct task_struct *t, struct task_struct *named)
{
	return tgid != self && (!follow || follows(tgid, t)) && judge_task(t, named);
}

/* Whether a call of process tgid may become an event: by another name, if it is an exec. */
static __always_inline bool judge_call(__u32 tgid)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();

	return tgid != self && (!follow || follows(tgid, t)) && judge_owner(t);
}

/*
 * Whether a new process is followed, from now on: its creator is, of process tgid. That is
 * the thread that forks, whoever the parent is. The child has not run yet.
 */
static __always_inline bool follow_fork(struct task_struct *creator, __u32 tgid, __u32 child)
{
	if (!follows(tgid, creator)) {
		if (!et_seeding)
			return false;
		bpf_map_delete_elem(&et_seed_ended, &child);
		if (!et_descends((__u64)BPF_CORE_READ(creator, real_parent)))
			return false;
		follow_process(tgid);
	}
	follow_process(child);
	return true;
}

/* Whether the fork of a process is recorded. Whether it is followed does not hang on it. */
static __always_inline bool judge_fork(struct task_struct *creator, struct task_struct *child,
				       const bool typed)
{
	if (follow && !follow_fork(creator, READ(typed, creator, tgid), READ(typed, child, tgid)))
		return false;
	return judge_task(child, child);
}

/* The last thread of a process ends: its pid may soon be another's. */
static __always_inline void judge_exit(__u32 tgid)
{
	__u8 value = 1;

	if (!follow)
		return;
	if (et_seeding)
		bpf_map_update_elem(&et_seed_ended, &tgid, &value, BPF_ANY);
	if (bpf_map_delete_elem(&et_followed, &tgid))
		return;
	add((__u64 *)&et_following, -1);
	/* The recording may end with it, and its exit need not have been recorded. */
	if (!et_following)
		wake_now(et_wake);
}

#endif
