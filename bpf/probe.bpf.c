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
#include "argv.bpf.h"
#include "group.bpf.h"

char et_license[] SEC("license") = "Dual BSD/GPL";

/* Forks are not sent but only followed. Set by the recorder before loading. */
const volatile bool no_fork;

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
 * An exec took effect. When another thread than the leader called it, it has
 * taken over the leader's identity by now, and old_pid is its own from before.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(et_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct mm_struct *mm = task->mm;
	struct scratch *s;
	struct wire_exec *e;
	struct path *path;

	if (!judge(task->tgid))
		return 0;
	s = record_begin(WIRE_EXEC);
	if (!s)
		return 0;
	record_clock(s, task);
	record_task(s, task, old_pid);
	e = &s->rec.exec;
	e->span = 0;
	e->error = 0;
	e->argc = bprm->argc;
	e->argv_max = max_args;
	s->flags = WIRE_ARGC_KNOWN;

	e->filename_len = string_put(s, bprm->filename, PATH_SIZE);
	/* The same pointer, unless a script or binfmt_misc has put another program in. */
	e->interpreter_len = WIRE_NONE;
	if (bprm->interp != bprm->filename)
		e->interpreter_len = string_put(s, bprm->interp, INTERPRETER_SIZE);
	path = &mm->exe_file->f_path;
	e->exe_len = path_put(s, path->mnt, path->dentry, WIRE_EXE_PARTIAL);
	path = &task->fs->pwd;
	e->cwd_len = path_put(s, path->mnt, path->dentry, WIRE_CWD_PARTIAL);
	argv_of_program(s, mm->arg_start, mm->arg_end);
	record_part(s, true);
	record_end(s);
	return 0;
}

#if defined(__TARGET_ARCH_x86)
#define ARG0(regs) ((regs)->di)
#define ARG1(regs) ((regs)->si)
#define ARG2(regs) ((regs)->dx)
#elif defined(__TARGET_ARCH_arm64)
#define ARG0(regs) ((regs)->orig_x0)	/* regs[0] holds the result by now */
#define ARG1(regs) ((regs)->regs[1])
#define ARG2(regs) ((regs)->regs[2])
#endif

/* An exec failed; the caller and its memory are still there. */
static __always_inline void exec_failed(long ret, bool at)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;
	struct scratch *s;
	struct wire_exec *e;

	if (ret >= 0 || !judge(task->tgid))
		return;
	s = record_begin(WIRE_FAIL);
	if (!s)
		return;
	record_clock(s, task);
	record_task(s, task, task->pid);
	e = &s->rec.exec;
	e->span = 0;
	e->error = -ret;
	e->argc = 0;
	e->argv_size = 0;
	e->argv_max = max_args;
	e->filename_len = WIRE_NONE;
	e->interpreter_len = WIRE_NONE;
	e->exe_len = WIRE_NONE;
	e->cwd_len = WIRE_NONE;

	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	/*
	 * An exec that failed too late to go back has lost the caller's memory: what
	 * lies at these addresses now is a new program, not ready yet, soon killed.
	 */
	if (!task->mm->end_code)
		s->flags |= WIRE_ARGV_UNREADABLE;
	else if (at)
		argv_of_caller(s, (const char *)ARG1(regs), ARG2(regs));
	else
		argv_of_caller(s, (const char *)ARG0(regs), ARG1(regs));
	record_part(s, true);
	record_end(s);
}

/*
 * What these two return decides for everybody whether perf sees the event: with 0,
 * perf, trace-cmd and others beside us would miss it.
 */
#define SEEN_BY_OTHERS 1

/*
 * Calls of 32-bit programs do not come by: the kernel keeps them from perf's system
 * call tracepoints. raw_syscalls has them, at a price for every system call.
 */
SEC("tracepoint/syscalls/sys_exit_execve")
int et_exec_fail(struct sys_exit_args *ctx)
{
	exec_failed(ctx->ret, false);
	return SEEN_BY_OTHERS;
}

SEC("tracepoint/syscalls/sys_exit_execveat")
int et_execat_fail(struct sys_exit_args *ctx)
{
	exec_failed(ctx->ret, true);
	return SEEN_BY_OTHERS;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(et_fork, struct task_struct *parent, struct task_struct *child)
{
	struct scratch *s;

	if (child->pid != child->tgid)
		return 0;
	if (!judge_fork(parent->tgid, child->tgid) || no_fork)
		return 0;
	s = record_begin(WIRE_FORK);
	if (!s)
		return 0;
	record_clock(s, parent);
	/* Its parent is not its creator after CLONE_PARENT. */
	record_task(s, child, parent->pid);
	record_send(s, sizeof(struct wire_head) + sizeof(struct wire_task));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(et_exit, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct scratch *s;

	/* The argument is touched only where there is one: the verifier insists. */
	if (!group_ended(task, has_group_dead ? (bool)ctx[1] : false))
		return 0;
	if (judge(task->tgid) && (s = record_begin(WIRE_EXIT))) {
		record_clock(s, task);
		record_task(s, task, task->pid);
		task_comm(s->rec.task.comm, leader);
		s->rec.exit.status = group_status(task);
		s->rec.exit.pad = 0;
		group_usage(s, task);
		record_send(s, sizeof(struct wire_head) + sizeof(struct wire_task) +
				       sizeof(struct wire_exit));
	}
	judge_exit(task->tgid);
	return 0;
}
