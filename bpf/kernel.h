/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kernel.h - the kernel's types as far as the programs look at them.
 *
 * Written by hand instead of dumped from the build machine's BTF, so that the
 * object is the same wherever it is built, and so that this page is the list of
 * what the recorder depends on. Layouts do not matter: libbpf relocates every
 * access against the running kernel (CO-RE). A name with three underscores is
 * the same type as another kernel version knew it.
 */
#ifndef EXECTRACE_KERNEL_H
#define EXECTRACE_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

/* Strings and paths. */

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct fs_struct {
	struct path pwd;
};

/* Memory. */

struct mm_struct {
	unsigned long end_code;
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
};

struct linux_binprm {
	int argc;
	const char *filename;
	const char *interp;
};

/* Control groups. */

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

/* Credentials. */

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
};

/* Tasks. */

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;			/* threads that have not begun to exit */
	int nr_threads;			/* threads that were not released yet */
	struct list_head thread_head;
	int group_exit_code;
	unsigned int flags;
	__u64 utime;			/* of the threads released so far */
	__u64 stime;
	unsigned long maxrss;
	unsigned long long sum_sched_runtime;
};

struct sched_entity {
	__u64 exec_start;		/* the scheduler's clock when the sum was last brought up */
	__u64 sum_exec_runtime;
};

struct task_struct {
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct list_head thread_node;
	__u64 utime;
	__u64 stime;
	__u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct signal_struct *signal;
	struct css_set *cgroups;
};

/* Before Linux 5.5. */
struct task_struct___before_5_5 {
	__u64 real_start_time;
};

/* Registers of the caller. */

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di;
	unsigned long si;
	unsigned long dx;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
};
#else
#error "no registers are known for this architecture: see ARG0 in probe.bpf.c"
#endif

#pragma clang attribute pop

#define SIGNAL_GROUP_EXIT 0x4	/* signal_struct.flags: group_exit_code holds */

/* What perf hands to a program on syscalls/sys_exit_*; its format file says so. */
struct sys_exit_args {
	__u64 common;
	long nr;
	long ret;
};

#endif
