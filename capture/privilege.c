/* SPDX-License-Identifier: BSD-2-Clause */
#include "privilege.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "syscalls.h"

#define WORDS _LINUX_CAPABILITY_U32S_3
#define SETPCAP (1ull << CAP_SETPCAP)
/* More than any kernel has; it refuses the first that it does not know. */
#define CAPABILITIES 64

static int get(struct __user_cap_data_struct set[WORDS])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &head, set) ? errno : 0;
}

void privilege_lock_memory(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

uint64_t privilege_effective(void)
{
	struct __user_cap_data_struct set[WORDS];

	return get(set) ? UINT64_MAX : set[0].effective | (uint64_t)set[1].effective << 32;
}

int privilege_drop(uint64_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct set[WORDS];
	int error = get(set);

	if (error)
		return error;
	/* The bounding set first, as long as that is allowed. */
	if (privilege_effective() & SETPCAP)
		for (unsigned long cap = 0; cap < CAPABILITIES; cap++)
			if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
				break;
	for (unsigned i = 0; i < WORDS; i++) {
		set[i].permitted &= (uint32_t)(keep >> 32 * i);
		set[i].effective = set[i].permitted;
		set[i].inheritable = 0;
	}
	/* An ambient one is gone with its inheritable one. */
	if (syscall(SYS_capset, &head, set) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;
	return 0;
}

#if defined(SYSCALLS_ARCH) && !defined(EXECTRACE_NO_SANDBOX)

#define ANY SYSCALL_ANY
#define IF SYSCALL_IF
#define WHOLE SYSCALL_WHOLE

static const struct syscall_rule common[] = {
	SYSCALLS_MEMORY,

	/* Of the C library's own accord. */
	ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(rt_sigreturn), ANY(restart_syscall),
	ANY(getpid), ANY(gettid), ANY(getrandom), ANY(sched_yield), ANY(sysinfo), ANY(writev),
	ANY(exit), ANY(exit_group),
};

/*
 * What the threads do from the beginning of a recording to its end. Nothing here takes
 * a path but newfstatat, as which the C library may express fstat: a filter sees where
 * a path is but not what it says, and knowing about a file opens none.
 */
static const struct syscall_rule recording[] = {
	/* The loop; the capture; questions to the servant; what the kernel counts of programs. */
#ifdef __NR_epoll_wait
	ANY(epoll_wait),
#endif
	ANY(epoll_pwait), ANY(read), ANY(pread64), ANY(write), ANY(futex), ANY(clock_gettime),
	ANY(timerfd_settime),
#ifdef __NR_poll
	ANY(poll),
#endif
	ANY(ppoll),

	ANY(fsync), ANY(fdatasync), ANY(ftruncate), ANY(lseek),
#ifdef __NR_fstat
	ANY(fstat),
#endif
	IF(newfstatat, 3, WHOLE, AT_EMPTY_PATH),

	/* Files that a servant has opened; whether a process lives. */
	ANY(sendmsg), ANY(recvmsg), IF(kill, 1, WHOLE, 0),

	/* The programs are detached by closing what holds them. */
	ANY(close), ANY(membarrier), IF(ioctl, 1, WHOLE, PERF_EVENT_IOC_DISABLE),

	/* Who asks through the control socket, and who that is. */
	ANY(accept4), ANY(epoll_ctl), IF(getsockopt, 2, WHOLE, SO_PEERCRED),

	/* The line of progress. */
	IF(ioctl, 1, WHOLE, TCGETS),
#ifdef TCGETS2
	IF(ioctl, 1, WHOLE, (uint32_t)TCGETS2),
#endif
	IF(ioctl, 1, WHOLE, TIOCGWINSZ),
};

/* Executables, and the list of mounts. */
static const struct syscall_rule reading[] = {
	ANY(read), ANY(write), ANY(pread64), ANY(close), ANY(statx), ANY(lseek),
	IF(openat, 2, O_ACCMODE | O_CREAT | O_TRUNC | __O_TMPFILE, O_RDONLY),
#ifdef __NR_fstat
	ANY(fstat),
#endif
	ANY(newfstatat),
	IF(fcntl, 1, WHOLE, F_GETFL),
};

/* Files of a series; what they are opened with is added. */
static const struct syscall_rule filing[] = {
	ANY(recvmsg), ANY(sendmsg), ANY(getdents64), ANY(lseek), ANY(newfstatat), ANY(unlinkat),
	ANY(fchown), ANY(fsync), ANY(close), ANY(clock_gettime),
#ifdef __NR_fstat
	ANY(fstat),
#endif
};

/* A file of figures. */
static const struct syscall_rule replacing[] = {
	ANY(read), ANY(write), ANY(close), ANY(fchmod), ANY(unlinkat),
#ifdef __NR_renameat
	ANY(renameat),
#endif
	/* As which the C library may express it. */
	ANY(renameat2),
	IF(openat, 2, WHOLE, PRIVILEGE_CREATE),
};

/* A name in a directory. */
static const struct syscall_rule removing[] = {
	ANY(read), ANY(write), ANY(flock), ANY(newfstatat), ANY(unlinkat), ANY(clock_nanosleep),
#ifdef __NR_fstat
	ANY(fstat),
#endif
};

#define CHILDREN 6
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
_Static_assert(COUNT(common) + COUNT(recording) + 1 + 2 * CHILDREN <= SYSCALLS_MAX &&
	       COUNT(common) + COUNT(reading) + 1 <= SYSCALLS_MAX &&
	       COUNT(common) + COUNT(filing) + 2 <= SYSCALLS_MAX &&
	       COUNT(common) + COUNT(replacing) + 1 <= SYSCALLS_MAX &&
	       COUNT(common) + COUNT(removing) + 1 <= SYSCALLS_MAX, "a filter takes fewer rules");

static void begin(struct syscall_filter *f)
{
	syscalls_begin(f);
	syscalls_allow(f, common, COUNT(common));
	syscalls_allow_abort(f);
}

int privilege_seal(const pid_t *children, unsigned n)
{
	struct syscall_filter f;

	begin(&f);
	syscalls_allow(&f, recording, COUNT(recording));
	for (unsigned i = 0; i < n && i < CHILDREN; i++)
		syscalls_allow_child(&f, children[i]);
	return syscalls_enter(&f, SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_FILTER_FLAG_TSYNC);
}

static int seal(const struct syscall_rule *rules, size_t n)
{
	struct syscall_filter f;

	begin(&f);
	syscalls_allow(&f, rules, n);
	return syscalls_enter(&f, SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_FILTER_FLAG_TSYNC);
}

int privilege_seal_reading(void)
{
	return seal(reading, COUNT(reading));
}

int privilege_seal_replacing(void)
{
	return seal(replacing, COUNT(replacing));
}

int privilege_seal_removing(void)
{
	return seal(removing, COUNT(removing));
}

int privilege_seal_filing(int flags)
{
	const struct syscall_rule makes = IF(openat, 2, WHOLE, (uint32_t)flags);
	struct syscall_filter f;

	begin(&f);
	syscalls_allow(&f, filing, COUNT(filing));
	syscalls_allow(&f, &makes, 1);
	return syscalls_enter(&f, SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_FILTER_FLAG_TSYNC);
}

#else

/* With sanitizers, LeakSanitizer starts a process and opens files at the end. */
int privilege_seal(const pid_t *children, unsigned n)
{
	(void)children;
	(void)n;
	return ENOSYS;
}

int privilege_seal_reading(void)
{
	return ENOSYS;
}

int privilege_seal_filing(int flags)
{
	(void)flags;
	return ENOSYS;
}

int privilege_seal_replacing(void)
{
	return ENOSYS;
}

int privilege_seal_removing(void)
{
	return ENOSYS;
}

#endif
