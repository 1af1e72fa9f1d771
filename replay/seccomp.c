/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seccomp.c - the list of what is allowed.
 *
 * Only what works on descriptors, memory and the own process is on the list. fstat
 * is not: the C library may express it as a newfstatat with an empty path, and a
 * filter sees where a path is but not what it says. Calls that the C library makes
 * of its own accord are on it, or an abort would not be told from a break-out.
 */
#include "seccomp.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "syscalls.h"

#ifdef SYSCALLS_ARCH

#define ANY SYSCALL_ANY
#define IF SYSCALL_IF
#define WHOLE SYSCALL_WHOLE

#ifdef __s390x__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/* As pthread_create asks for it; no process, no namespace. */
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | \
		CLONE_THREAD | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* The frequent ones come first. */
static const struct syscall_rule rules[] = {
	ANY(read), ANY(write), ANY(lseek), ANY(pread64), ANY(readv), ANY(writev),
#ifdef __NR_poll
	ANY(poll),
#endif
	ANY(ppoll), ANY(close),

	/* An output that was opened before. */
	ANY(fsync), ANY(fdatasync), ANY(ftruncate),

	/* isatty and the width of a terminal, nothing that types into one. */
	IF(ioctl, 1, WHOLE, TCGETS),
#ifdef TCGETS2
	IF(ioctl, 1, WHOLE, (uint32_t)TCGETS2),
#endif
	IF(ioctl, 1, WHOLE, TIOCGWINSZ),
	IF(fcntl, 1, WHOLE, F_GETFD), IF(fcntl, 1, WHOLE, F_GETFL),

	SYSCALLS_MEMORY,

	/* Threads. */
	IF(clone, CLONE_FLAGS, WHOLE, THREAD),
	ANY(futex), ANY(set_robust_list),
#ifdef __NR_rseq
	ANY(rseq),
#endif
	ANY(exit), ANY(sched_getaffinity),

	ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(rt_sigreturn), ANY(restart_syscall),
	ANY(clock_gettime), ANY(getrandom), ANY(getpid), ANY(gettid),
	/* qsort asks how much memory there is before it takes some. */
	ANY(sysinfo),
	ANY(exit_group),
};

/* For following a file through rotation. */
static const struct syscall_rule opening[] = {
	IF(openat, 2, WHOLE, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
	ANY(newfstatat), ANY(inotify_add_watch), ANY(inotify_rm_watch),
#ifdef __NR_fstat
	ANY(fstat),
#endif
};

#define N_RULES (sizeof(rules) / sizeof(rules[0]))
#define N_OPENING (sizeof(opening) / sizeof(opening[0]))
_Static_assert(N_RULES + N_OPENING + 3 <= SYSCALLS_MAX, "a filter takes fewer rules");

int seccomp_enter(pid_t child, bool opens)
{
	struct syscall_filter f;

	syscalls_begin(&f);
	syscalls_allow(&f, rules, N_RULES);
	if (opens)
		syscalls_allow(&f, opening, N_OPENING);
	syscalls_allow_abort(&f);
	syscalls_allow_child(&f, child);
#ifdef __NR_clone3
	/* Its flags lie in memory; told that there is no such call, a C library takes clone. */
	syscalls_answer(&f, __NR_clone3, SECCOMP_RET_ERRNO | ENOSYS);
#endif
	return syscalls_enter(&f, SECCOMP_RET_KILL_PROCESS, 0);
}

#else

int seccomp_enter(pid_t child, bool opens)
{
	(void)child;
	(void)opens;
	return ENOSYS;
}

#endif
