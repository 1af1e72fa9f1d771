/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * interrupt.bpf.h - a call that a signal interrupted before it came to anything: whether
 * its caller sees it fail.
 *
 * The kernel decides that after the tracepoint, when it delivers the signal: a call goes
 * on from its beginning, or a signal ends the process, or a handler runs and then the
 * call has failed with EINTR, unless the handler's SA_RESTART has it go on. So this looks
 * at the signals that wait, as get_signal and handle_signal in the kernel will.
 */
#ifndef EXECTRACE_INTERRUPT_BPF_H
#define EXECTRACE_INTERRUPT_BPF_H

#include "kernel.h"

#define SIGKILL 9
#define SIGCHLD 17	/* behind it: CONT, STOP, TSTP, TTIN, TTOU, URG */
#define SIGWINCH 28

#define SIG_BIT(n) (1ull << ((n) - 1))
/* What does nothing where there is no handler, or only stops the process for a time. */
#define PASSING (0x7full << (SIGCHLD - 1) | SIG_BIT(SIGWINCH))

#define SIG_DFL 0
#define SIG_IGN 1
#define SA_RESTART 0x10000000

enum outcome {
	OUTCOME_NONE = 0,   /* none of these signals decides */
	OUTCOME_UNSEEN = 1, /* the call goes on, or the process ends */
	OUTCOME_FAILS = 2,  /* with EINTR */
};

/* What comes of a call when these signals are delivered, the lowest number first. */
__noinline int et_signals_outcome(__u64 set, __u32 error)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	__u64 action = (__u64)BPF_CORE_READ(t, sighand) +
		       bpf_core_field_offset(struct sighand_struct, action);

	for (int i = 0; i < 64; i++) {
		struct k_sigaction *a = (struct k_sigaction *)action;
		__u64 handler;

		action += bpf_core_type_size(struct k_sigaction);
		if (!(set >> i & 1))
			continue;
		handler = (__u64)BPF_CORE_READ(a, sa.sa_handler);
		if (handler == SIG_IGN || (handler == SIG_DFL && PASSING >> i & 1))
			continue;
		if (handler == SIG_DFL)
			return OUTCOME_UNSEEN;
		return error == ERESTARTSYS && BPF_CORE_READ(a, sa.sa_flags) & SA_RESTART
			       ? OUTCOME_UNSEEN
			       : OUTCOME_FAILS;
	}
	return OUTCOME_NONE;
}

/* Whether the current task sees its interrupted call fail with EINTR. */
static __always_inline bool interrupt_is_seen(__u32 error)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	__u64 blocked = BPF_CORE_READ(t, blocked.sig[0]);
	__u64 own = BPF_CORE_READ(t, pending.signal.sig[0]) & ~blocked;
	__u64 shared = BPF_CORE_READ(t, signal, shared_pending.signal.sig[0]) & ~blocked;
	int outcome;

	if (error == ERESTARTNOINTR || (own | shared) & SIG_BIT(SIGKILL))
		return false;
	outcome = et_signals_outcome(own, error);
	if (outcome == OUTCOME_NONE)
		outcome = et_signals_outcome(shared, error);
	return outcome == OUTCOME_FAILS;
}

#endif
