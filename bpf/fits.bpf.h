/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fits.bpf.h - whether the BTF that the programs were relocated by is this kernel's, where
 * it was given and is not the kernel's own word: they would read something elsewhere, and
 * nobody would tell them. A program that runs once, for a call of the recorder's own,
 * takes what the others take of a process; the recorder knows what it has to be.
 */
#ifndef EXECTRACE_FITS_BPF_H
#define EXECTRACE_FITS_BPF_H

#include "call.bpf.h"
#include "group.bpf.h"
#include "identity.bpf.h"
#include "path.bpf.h"

/* Set by the recorder before loading: its pid in its pid namespace, and which that is; its call. */
const volatile __u32 fits_pid;
const volatile __u64 fits_ns_dev;
const volatile __u64 fits_ns_inode;
const volatile __u64 fits_number;

struct wire_fits et_seen;

/* Told without BTF. */
static __always_inline bool fits_is_recorder(void)
{
	struct bpf_pidns_info ns;

	return !bpf_get_ns_current_pid_tgid(fits_ns_dev, fits_ns_inode, &ns, sizeof(ns)) &&
	       ns.tgid == fits_pid;
}

static __always_inline void fits_helpers(struct wire_fits *w)
{
	w->now = bpf_ktime_get_boot_ns();
	w->pid_tgid = bpf_get_current_pid_tgid();
	w->uid_gid = bpf_get_current_uid_gid();
	w->cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(w->comm, sizeof(w->comm));
}

/* As the calls of two numbers that take their arguments from different places. */
static __always_inline void fits_call(struct wire_fits *w, struct pt_regs *regs)
{
	struct call call;

	w->number = call_number(regs, false);
	if (call_is_exec(regs, CALL_EXECVE, &call, false))
		w->arguments[0] = call.filename;
	if (call_is_exec(regs, CALL_EXECVEAT, &call, false)) {
		w->arguments[1] = call.filename;
		w->arguments[2] = call.argv;
		w->arguments[3] = call.envp;
	}
}

static __always_inline void fits_memory(struct wire_fits *w, struct task_struct *t)
{
	struct mm_struct *mm = BPF_CORE_READ(t, mm);

	w->end_code = BPF_CORE_READ(mm, end_code);
	w->arg_start = BPF_CORE_READ(mm, arg_start);
	w->arg_end = BPF_CORE_READ(mm, arg_end);
	w->env_start = BPF_CORE_READ(mm, env_start);
	w->env_end = BPF_CORE_READ(mm, env_end);
}

static __always_inline void fits_signals(struct wire_fits *w, struct task_struct *t)
{
	struct k_sigaction *action = (void *)BPF_CORE_READ(t, sighand) +
				     bpf_core_field_offset(struct sighand_struct, action) +
				     (WIRE_FITS_SIGNAL - 1) * bpf_core_type_size(struct k_sigaction);

	w->blocked = BPF_CORE_READ(t, blocked.sig[0]);
	w->handler = (__u64)BPF_CORE_READ(action, sa.sa_handler);
	w->self = (__u64)t;
	w->thread = (__u64)BPF_CORE_READ(t, signal, thread_head.next) -
		    bpf_core_field_offset(struct task_struct, thread_node);
}

/* By the process's own numbers, where for one in the initial namespace its ids would do. */
static __always_inline void fits_pid_numbers(struct wire_fits *w, struct task_struct *t)
{
	struct upid *upid = (void *)BPF_CORE_READ(t, thread_pid) +
			    bpf_core_field_offset(struct pid, numbers);

	w->outer_pid = BPF_CORE_READ(upid, nr);
	w->outer_pid_ns = BPF_CORE_READ(upid, ns, ns.inum);
}

/* Appends a path, and keeps of its pieces what there is room for. */
static __always_inline __u16 fits_path(struct scratch *s, struct vfsmount *mnt,
				       struct dentry *dentry, enum wire_flag partial,
				       char to[WIRE_FITS_PATH])
{
	__u32 start = s->used;
	__u16 len;

	if (start > FIXED_SIZE)
		return 0;
	len = path_put(s, mnt, dentry, partial, false);
	bpf_probe_read_kernel(to, WIRE_FITS_PATH, s->rec.data + start);
	return s->flags & partial ? 0 : len;
}

static __always_inline void fits_paths(struct wire_fits *w, struct scratch *s,
				       struct task_struct *t)
{
	struct file *exe = BPF_CORE_READ(t, mm, exe_file);
	struct fs_struct *fs = BPF_CORE_READ(t, fs);

	s->used = 0;
	w->exe_len = fits_path(s, BPF_CORE_READ(exe, f_path.mnt), BPF_CORE_READ(exe, f_path.dentry),
			       WIRE_EXE_PARTIAL, w->exe);
	s->used = 0;
	w->cwd_len = fits_path(s, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry),
			       WIRE_CWD_PARTIAL, w->cwd);
}

SEC("raw_tp/sys_enter")
int BPF_PROG(et_fits, struct pt_regs *regs, __u64 number)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct wire_fits *w = &et_seen;
	struct scratch *s;

	if (w->done || number != fits_number || !fits_is_recorder())
		return 0;
	s = record_begin(WIRE_EXEC);
	if (!s)
		return 0;
	fits_helpers(w);
	fits_call(w, regs);
	fits_memory(w, t);
	fits_signals(w, t);
	fits_pid_numbers(w, t);
	record_task(s, t, BPF_CORE_READ(t, pid), false);
	w->task = s->rec.task;
	identity_put(s, t, false, false);
	w->identity = *(struct wire_identity *)s->rec.data;
	fits_paths(w, s, t);
	s->unaccounted = 0;
	s->rec.exit.status = group_status(t, false);
	s->rec.exit.pad = 0;
	group_usage(s, t, false);
	w->exit = s->rec.exit;
	w->done = 1;
	record_leave(s);
	return 0;
}

#endif
