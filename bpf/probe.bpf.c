/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probe.bpf.c - the programs: one for each way a process begins, changes and ends.
 *
 * Each judges first whether the process is recorded, then puts one record
 * together and sends it. What a program finds and what it loses is counted per
 * CPU, so that sent + lost = happened.
 */
#include "kernel.h"
#include "wire.h"
#include "record.bpf.h"
#include "judge.bpf.h"
#include "path.bpf.h"
#include "identity.bpf.h"
#include "argv.bpf.h"
#include "call.bpf.h"
#include "interrupt.bpf.h"
#include "group.bpf.h"
#include "duration.bpf.h"
#include "fits.bpf.h"

char et_license[] SEC("license") = "Dual BSD/GPL";

/* Set by the recorder before loading. */
const volatile bool no_fork;		/* forks are not sent but only followed */
const volatile bool has_task_btf;	/* bpf_get_current_task_btf (Linux 5.11) */

/* Appends a string of the kernel's, without its NUL; returns its length. */
static __always_inline __u16 string_put(struct scratch *s, const char *from, const __u32 size)
{
	__u32 used = s->used;
	long n;

	if (used > FIXED_SIZE - size)
		return WIRE_NONE;
	n = bpf_probe_read_kernel_str(s->rec.data + used, size, from);
	if (n <= 0)
		return WIRE_NONE;
	s->used = used + n - 1;
	return n - 1;
}

/*
 * Each program has two entries, of one body. The kernel looks up in its own BTF what those
 * of tp_btf are attached to, and then knows the types of what they are given: typed. Those
 * of raw_tp get numbers, on a kernel without BTF too, and all that lies behind them is
 * read by helpers. The recorder loads one of the two.
 */

/*
 * Tracepoints of newer kernels (7.2, not yet 6.18) leave preemption on. A program that was
 * preempted is skipped for whoever hits its tracepoint next on that CPU, and those may be
 * thousands: each system call hits sys_exit. What perf attaches is run with preemption off, still, so
 * there the two that need no more than the current task have a third entry, of type tp.
 * For it the kernel puts together a record of perf's first, which takes longer. perf's
 * other users get to see what a program returns 1 for.
 */
#define PERF_GO_ON 1

/*
 * An exec took effect. When another thread than the leader called it, it has
 * taken over the leader's identity by now, and old_pid is its own from before.
 */
static __always_inline int exec_done(struct task_struct *task, int old_pid,
				     struct linux_binprm *bprm, const bool typed)
{
	struct mm_struct *mm = READ(typed, task, mm);
	const char *filename, *interp;
	struct scratch *s;
	struct wire_exec *e;
	struct file *exe;
	struct fs_struct *fs;
	__u64 start;
	__u32 size;

	if (!judge(READ(typed, task, tgid), task, task))
		return 0;
	s = record_begin(WIRE_EXEC);
	if (!s)
		return 0;
	record_clock(s, READ(typed, task, se.exec_start));
	record_task(s, task, old_pid, typed);
	e = &s->rec.exec;
	e->span = 0;
	e->duration = duration_end(s, task, old_pid, typed);
	e->error = 0;
	e->argc = READ(typed, bprm, argc);
	e->argv_max = max_args;
	s->flags = WIRE_ARGC_KNOWN;

	identity_put(s, task, READ_BITFIELD(typed, bprm, secureexec), typed);
	filename = READ(typed, bprm, filename);
	interp = READ(typed, bprm, interp);
	e->filename_len = string_put(s, filename, PATH_SIZE);
	/* The same pointer, unless a script or binfmt_misc has put another program in. */
	e->interpreter_len = WIRE_NONE;
	if (interp != filename)
		e->interpreter_len = string_put(s, interp, INTERPRETER_SIZE);
	exe = READ(typed, mm, exe_file);
	e->exe_len = path_put(s, READ(typed, exe, f_path.mnt), READ(typed, exe, f_path.dentry),
			      WIRE_EXE_PARTIAL, typed);
	fs = READ(typed, task, fs);
	e->cwd_len = path_put(s, READ(typed, fs, pwd.mnt), READ(typed, fs, pwd.dentry),
			      WIRE_CWD_PARTIAL, typed);
	start = READ(typed, mm, arg_start);
	size = list_size(start, READ(typed, mm, arg_end));
	e->argv_size = size;
	list_of_program(s, start, size, max_args);
	if (max_env) {
		start = READ(typed, mm, env_start);
		env_of_program(s, start, list_size(start, READ(typed, mm, env_end)),
			       READ(typed, bprm, envc));
	}
	record_part(true);
	record_end(s);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(et_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	return exec_done(task, old_pid, bprm, true);
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(et_exec_raw, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	return exec_done(task, old_pid, bprm, false);
}

/* An exec failed; the caller and its memory are still there. */
static __always_inline void exec_failed(struct task_struct *task, const struct call *call,
					__u32 error, const bool typed)
{
	struct scratch *s;
	struct wire_exec *e;

	if (!judge(READ(typed, task, tgid), task, task) || shed(WIRE_FAIL))
		return;
	s = record_begin(WIRE_FAIL);
	if (!s)
		return;
	record_clock(s, READ(typed, task, se.exec_start));
	record_task(s, task, READ(typed, task, pid), typed);
	e = &s->rec.exec;
	e->span = 0;
	e->duration = duration_end(s, task, READ(typed, task, pid), typed);
	e->error = error;
	e->argc = 0;
	e->argv_size = 0;
	e->argv_max = max_args;
	e->filename_len = WIRE_NONE;
	e->interpreter_len = WIRE_NONE;
	e->exe_len = WIRE_NONE;
	e->cwd_len = WIRE_NONE;
	s->narrow = call->narrow;
	/*
	 * An exec that failed too late to go back has lost the caller's memory: what
	 * lies at these addresses now is a new program, not ready yet, soon killed.
	 */
	if (!READ(typed, task, mm, end_code)) {
		s->flags |= WIRE_ARGV_UNREADABLE | (max_env ? WIRE_ENV_UNREADABLE : 0);
	} else {
		argv_of_caller(s, call->filename, call->argv);
		if (max_env)
			env_of_caller(s, call->envp);
	}
	record_part(true);
	record_end(s);
}

/*
 * Every system call of the machine comes by here, and all but a few go at once. The
 * tracepoints of execve and execveat alone are no way around: they too make each call
 * take the kernel's slower path, and they leave out those of 32-bit programs.
 */
static __always_inline int call_ended(struct pt_regs *regs, long ret, const bool typed)
{
	__u32 error = call_error(ret);
	struct call call;

	if (!error || !call_is_exec(regs, call_number(regs, typed), &call, typed))
		return 0;
	if (call_was_interrupted(error)) {
		if (!interrupt_is_seen(error))
			return 0;
		error = EINTR;
	}
	if (typed && has_task_btf)
		exec_failed(bpf_get_current_task_btf(), &call, error, true);
	else
		exec_failed((struct task_struct *)bpf_get_current_task(), &call, error, false);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(et_fail, struct pt_regs *regs, long ret)
{
	return call_ended(regs, ret, true);
}

SEC("tp/raw_syscalls/sys_exit")
int et_fail_perf(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	call_ended(regs, ctx->ret, true);
	return PERF_GO_ON;
}

SEC("raw_tp/sys_exit")
int BPF_PROG(et_fail_raw, struct pt_regs *regs, long ret)
{
	return call_ended(regs, ret, false);
}

static __always_inline int call_began(struct pt_regs *regs, const bool typed)
{
	struct call call;

	if (call_is_exec(regs, call_number(regs, typed), &call, typed))
		duration_begin();
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(et_call, struct pt_regs *regs)
{
	return call_began(regs, true);
}

SEC("raw_tp/sys_enter")
int BPF_PROG(et_call_raw, struct pt_regs *regs)
{
	return call_began(regs, false);
}

static __always_inline int forked(struct task_struct *parent, struct task_struct *child,
				  const bool typed)
{
	struct scratch *s;

	if (READ(typed, child, pid) != READ(typed, child, tgid))
		return 0;
	if (!judge_fork(parent, child, typed) || no_fork || shed(WIRE_FORK))
		return 0;
	s = record_begin(WIRE_FORK);
	if (!s)
		return 0;
	record_clock(s, READ(typed, parent, se.exec_start));
	/* Its parent is not its creator after CLONE_PARENT. */
	record_task(s, child, READ(typed, parent, pid), typed);
	record_send(s, sizeof(struct wire_head) + sizeof(struct wire_task));
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(et_fork, struct task_struct *parent, struct task_struct *child)
{
	return forked(parent, child, true);
}

SEC("raw_tp/sched_process_fork")
int BPF_PROG(et_fork_raw, struct task_struct *parent, struct task_struct *child)
{
	return forked(parent, child, false);
}

static __always_inline int exited(struct task_struct *task, bool group_dead, const bool typed)
{
	struct task_struct *leader = READ(typed, task, group_leader);
	__u32 tgid = READ(typed, task, tgid);
	struct scratch *s;

	if (!group_ended(task, group_dead, typed))
		return 0;
	if (judge(tgid, task, leader) && (s = record_begin(WIRE_EXIT))) {
		record_clock(s, READ(typed, task, se.exec_start));
		record_task(s, task, READ(typed, task, pid), typed);
		task_comm(&s->rec.task, leader, typed);
		s->rec.exit.status = group_status(task, typed);
		s->rec.exit.pad = 0;
		group_usage(s, task, typed);
		record_send(s, sizeof(struct wire_head) + sizeof(struct wire_task) +
				       sizeof(struct wire_exit));
	}
	judge_exit(tgid);
	return 0;
}

/* The argument is touched only where there is one: the kernel insists. */
#define GROUP_DEAD(ctx) (has_group_dead ? (bool)(ctx)[1] : false)

SEC("tp_btf/sched_process_exit")
int BPF_PROG(et_exit, struct task_struct *task)
{
	return exited(task, GROUP_DEAD(ctx), true);
}

SEC("tp/sched/sched_process_exit")
int et_exit_perf(struct trace_event_raw_sched_process_exit *ctx)
{
	exited(bpf_get_current_task_btf(), has_group_dead ? ctx->group_dead : false, true);
	return PERF_GO_ON;
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(et_exit_raw, struct task_struct *task)
{
	return exited(task, GROUP_DEAD(ctx), false);
}
