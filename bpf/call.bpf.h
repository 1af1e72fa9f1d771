/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call.bpf.h - a system call that returns: whether it was an exec, in any of the ways
 * that programs of this machine call the kernel, and with what arguments.
 */
#ifndef EXECTRACE_CALL_BPF_H
#define EXECTRACE_CALL_BPF_H

#include "kernel.h"

struct call {
	__u64 filename;
	__u64 argv;
	__u64 envp;
	bool narrow;		/* pointers in argv and envp are of 32 bits */
};

static __always_inline struct thread_info *thread_info(void)
{
	struct task_struct___with_thread_info *t = (void *)bpf_get_current_task();

	return &t->thread_info;
}

static __always_inline bool call_is_compat(void);

/* An exec by its number, in calls of that mode: in the other mode the number means another call. */
static __always_inline bool call_take(struct call *c, bool compat, struct call found)
{
	if (call_is_compat() != compat)
		return false;
	*c = found;
	return true;
}

/* typed: as in READ. regs are those of the caller. */
#define REG(name) READ(typed, regs, name)

#if defined(__TARGET_ARCH_x86)

#define CALL_EXECVE 59
#define CALL_EXECVEAT 322
#define TS_COMPAT 0x0002	/* thread_info.status: this is a call of a 32-bit program's */
#define X32 0x40000000		/* in the number of a call with short pointers in long registers */

static __always_inline bool call_is_compat(void)
{
	return BPF_CORE_READ(thread_info(), status) & TS_COMPAT;
}

static __always_inline __u32 call_number(struct pt_regs *regs, const bool typed)
{
	return REG(orig_ax);
}

static __always_inline bool call_is_exec(struct pt_regs *regs, __u32 number, struct call *c,
					 const bool typed)
{
	switch (number) {
	case CALL_EXECVE:
	case X32 | 520:
		return call_take(c, false, (struct call){ REG(di), REG(si), REG(dx),
							  REG(orig_ax) & X32 });
	case CALL_EXECVEAT:
	case X32 | 545:
		return call_take(c, false, (struct call){ REG(si), REG(dx), REG(r10),
							  REG(orig_ax) & X32 });
	case 11:
		return call_take(c, true, (struct call){ (__u32)REG(bx), (__u32)REG(cx),
							 (__u32)REG(dx), true });
	case 358:
		return call_take(c, true, (struct call){ (__u32)REG(cx), (__u32)REG(dx),
							 (__u32)REG(si), true });
	default:
		return false;
	}
}

#elif defined(__TARGET_ARCH_arm64)

#define CALL_EXECVE 221
#define CALL_EXECVEAT 281
#define TIF_32BIT 22		/* thread_info.flags: a 32-bit program */

static __always_inline bool call_is_compat(void)
{
	return BPF_CORE_READ(thread_info(), flags) >> TIF_32BIT & 1;
}

static __always_inline __u32 call_number(struct pt_regs *regs, const bool typed)
{
	return REG(syscallno);
}

/* The first argument is in orig_x0: regs[0] holds the result by now. */
static __always_inline bool call_is_exec(struct pt_regs *regs, __u32 number, struct call *c,
					 const bool typed)
{
	switch (number) {
	case CALL_EXECVE:
		return call_take(c, false, (struct call){ REG(orig_x0), REG(regs[1]),
							  REG(regs[2]), false });
	case CALL_EXECVEAT:
		return call_take(c, false, (struct call){ REG(regs[1]), REG(regs[2]),
							  REG(regs[3]), false });
	case 11:
		return call_take(c, true, (struct call){ (__u32)REG(orig_x0), (__u32)REG(regs[1]),
							 (__u32)REG(regs[2]), true });
	case 387:
		return call_take(c, true, (struct call){ (__u32)REG(regs[1]), (__u32)REG(regs[2]),
							 (__u32)REG(regs[3]), true });
	default:
		return false;
	}
}

#endif

/*
 * The errno of a call; 0: none. Where seccomp answered instead of the kernel it is that
 * answer; what a debugger puts in its place comes later and stays unseen. The low half
 * of the result is what a 32-bit program has, and not all kernels extend it.
 */
static __always_inline __u32 call_error(long ret)
{
	__u32 error = -(int)ret;

	return (int)ret < 0 && error <= 4095 ? error : 0;
}

static __always_inline bool call_was_interrupted(__u32 error)
{
	return error >= ERESTARTSYS && error <= ERESTART_RESTARTBLOCK;
}

#endif
