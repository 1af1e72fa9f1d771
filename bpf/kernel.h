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

struct super_block {
	__u32 s_dev;			/* major << 20 | minor */
};

struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	__s64 i_size;
	__s64 i_mtime_sec;
	__u32 i_mtime_nsec;
};

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};

struct inode___before_6_11 {
	struct timespec64 __i_mtime;
};

struct inode___before_6_7 {
	struct timespec64 i_mtime;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct fs_struct {
	struct path pwd;
};

/* Memory. */

struct mm_struct {
	unsigned long end_code;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
};

struct linux_binprm {
	int argc;
	int envc;
	const char *filename;
	const char *interp;
	unsigned int secureexec : 1;
};

/* Control groups. */

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

/* Namespaces. */

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct user_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

/* A pid as one namespace sees it. */
struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;		/* of its own namespace; the initial one is 0 */
	struct upid numbers[1];		/* one for each level */
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
	struct user_namespace *user_ns;
};

/* Tasks. */

typedef struct {
	int counter;
} atomic_t;

/* What a thread read from disks and wrote to them, where the kernel counts it. */
struct task_io_accounting {
	__u64 read_bytes;
	__u64 write_bytes;
};

struct tty_struct {
	char name[64];
};

typedef struct {
	unsigned long sig[1];		/* bit n - 1: signal n */
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct sigaction {
	void *sa_handler;
	unsigned long sa_flags;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct signal_struct {
	struct sigpending shared_pending;
	atomic_t live;			/* threads that have not begun to exit */
	int nr_threads;			/* threads that were not released yet */
	struct list_head thread_head;
	int group_exit_code;
	unsigned int flags;
	__u64 utime;			/* of the threads released so far */
	__u64 stime;
	unsigned long min_flt;
	unsigned long maj_flt;
	unsigned long maxrss;
	struct task_io_accounting ioac;
	unsigned long long sum_sched_runtime;
	struct tty_struct *tty;		/* controlling terminal of the session */
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
	struct pid *thread_pid;
	struct list_head thread_node;
	__u64 utime;
	__u64 stime;
	__u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	struct sigpending pending;
	kuid_t loginuid;		/* these two where the kernel can audit */
	unsigned int sessionid;
	struct task_io_accounting ioac;
	struct css_set *cgroups;
};

/* Registers of the caller: system calls are told apart in call.bpf.h. */

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bx;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long r10;
	unsigned long orig_ax;
};

struct thread_info {
	unsigned int status;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
};

struct thread_info {
	unsigned long flags;
};
#else
#error "no registers are known for this architecture: see call.bpf.h"
#endif

/* What programs are given by perf's handlers of tracepoints. */
struct trace_event_raw_sys_exit {
	long ret;
};

struct trace_event_raw_sched_process_exit {
	bool group_dead;		/* Linux 6.16 */
};

/* Where the kernel keeps what its entry code needs of a task. */
struct task_struct___with_thread_info {
	struct thread_info thread_info;
};

#pragma clang attribute pop

#define EINTR 4
#define EEXIST 17

/* What a call returns within the kernel when a signal has interrupted it. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

#define SIGNAL_GROUP_EXIT 0x4	/* signal_struct.flags: group_exit_code holds */

/*
 * A field behind pointers that begin with from. typed: the verifier knows what from points
 * to, and a load will do; else it takes a helper for each. A constant by then, so that of
 * functions that serve both ways nothing is left of the other one.
 */
#define READ(typed, from, ...) \
	((typed) ? ___arrow(from, __VA_ARGS__) : BPF_CORE_READ(from, __VA_ARGS__))

#define READ_BITFIELD(typed, from, field) \
	((typed) ? BPF_CORE_READ_BITFIELD(from, field) : BPF_CORE_READ_BITFIELD_PROBED(from, field))

/* An array within what a pointer points to: words of 8 bytes, as many as to holds. */
#define READ_WORDS(typed, to, from) \
	do { \
		if (typed) { \
			for (unsigned i_ = 0; i_ < sizeof(to) / sizeof(__u64); i_++) \
				((__u64 *)(to))[i_] = ((__u64 *)(from))[i_]; \
		} else { \
			bpf_probe_read_kernel(to, sizeof(to), from); \
		} \
	} while (0)

#endif
