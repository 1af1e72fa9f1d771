/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.h - lists of the system calls that a process may make from now on, and
 * their translation into a seccomp filter. Both programs confine themselves with it,
 * each with a list of its own, of which some parts are the same.
 */
#ifndef EXECTRACE_SYSCALLS_H
#define EXECTRACE_SYSCALLS_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* Where a filter can be told what a number means; lists are written for these alone. */
#if defined(__x86_64__) && defined(__LP64__)
#define SYSCALLS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__) && defined(__AARCH64EL__)
#define SYSCALLS_ARCH AUDIT_ARCH_AARCH64
#elif defined(__s390x__)
#define SYSCALLS_ARCH AUDIT_ARCH_S390X
#elif defined(__riscv) && __riscv_xlen == 64
#define SYSCALLS_ARCH AUDIT_ARCH_RISCV64
#endif

/* A call that is allowed where (argument & mask) == value: the low 32 bits count. */
struct syscall_rule {
	int nr;
	unsigned arg;
	uint32_t mask; /* 0: whatever its arguments are */
	uint32_t value;
};

#define SYSCALL_ANY(name)                                                                     \
	{                                                                                     \
		__NR_##name, 0, 0, 0                                                          \
	}
#define SYSCALL_IF(name, arg, mask, value)                                                    \
	{                                                                                     \
		__NR_##name, arg, mask, value                                                 \
	}
#define SYSCALL_WHOLE UINT32_MAX

/* Rules of a list: memory, and no new code. */
#define SYSCALLS_MEMORY                                                                       \
	SYSCALL_ANY(brk), SYSCALL_ANY(munmap), SYSCALL_ANY(mremap), SYSCALL_ANY(madvise),     \
		SYSCALL_IF(mprotect, 2, PROT_EXEC, 0), SYSCALLS_MMAP
#ifdef __s390x__
/* Its arguments lie in memory there. */
#define SYSCALLS_MMAP SYSCALL_ANY(mmap)
#else
#define SYSCALLS_MMAP SYSCALL_IF(mmap, 2, PROT_EXEC, 0)
#endif

#define SYSCALLS_MAX 128 /* rules of a filter */

struct syscall_filter {
	struct sock_filter code[SYSCALLS_MAX * 6 + 8];
	unsigned short n;
};

/* Rules are tried in the order in which they come: the frequent ones first. */
void syscalls_begin(struct syscall_filter *f);
void syscalls_allow(struct syscall_filter *f, const struct syscall_rule *rules, size_t n);
/* What abort is made of: one rule. */
void syscalls_allow_abort(struct syscall_filter *f);
/* A child to be signalled and waited for: two rules. None for 0, which would be all of the group. */
void syscalls_allow_child(struct syscall_filter *f, pid_t pid);
/* This call, unless a rule before it allows it, is answered so; a SECCOMP_RET_. */
void syscalls_answer(struct syscall_filter *f, int nr, uint32_t action);
/*
 * Everything else is answered with action, and those of another architecture kill.
 * flags: SECCOMP_FILTER_FLAG_. no_new_privs is set before. Returns 0, or an errno value:
 * the kernel has no seccomp filters, or this architecture is not known here (ENOSYS).
 */
int syscalls_enter(struct syscall_filter *f, uint32_t action, unsigned flags);

#endif
