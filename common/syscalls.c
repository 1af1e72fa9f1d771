/* SPDX-License-Identifier: BSD-2-Clause */
#include "syscalls.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

static void emit(struct syscall_filter *f, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	f->code[f->n++] = (struct sock_filter){ code, yes, no, k };
}

static void load(struct syscall_filter *f, size_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void answer(struct syscall_filter *f, uint32_t action)
{
	emit(f, BPF_RET | BPF_K, 0, 0, action);
}

static size_t argument(unsigned i)
{
	const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t) +
	       (big_endian ? sizeof(uint32_t) : 0);
}

/* The number of the call is loaded, before and behind it. */
static void allow(struct syscall_filter *f, const struct syscall_rule *r)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, r->mask ? 5 : 1, (uint32_t)r->nr);
	if (r->mask) {
		load(f, argument(r->arg));
		emit(f, BPF_ALU | BPF_AND | BPF_K, 0, 0, r->mask);
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, r->value);
	}
	answer(f, SECCOMP_RET_ALLOW);
	if (r->mask)
		load(f, offsetof(struct seccomp_data, nr));
}

void syscalls_begin(struct syscall_filter *f)
{
	f->n = 0;
#ifdef SYSCALLS_ARCH
	/* The numbers mean something else in another architecture's calls. */
	load(f, offsetof(struct seccomp_data, arch));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYSCALLS_ARCH);
	answer(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
#endif
}

void syscalls_allow(struct syscall_filter *f, const struct syscall_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		allow(f, &rules[i]);
}

#ifdef SYSCALLS_ARCH
void syscalls_allow_abort(struct syscall_filter *f)
{
	const struct syscall_rule rule =
		SYSCALL_IF(tgkill, 0, SYSCALL_WHOLE, (uint32_t)getpid());

	allow(f, &rule);
}

void syscalls_allow_child(struct syscall_filter *f, pid_t pid)
{
	const struct syscall_rule rules[] = {
		SYSCALL_IF(kill, 0, SYSCALL_WHOLE, (uint32_t)pid),
		SYSCALL_IF(wait4, 0, SYSCALL_WHOLE, (uint32_t)pid),
	};

	if (pid > 0)
		syscalls_allow(f, rules, 2);
}
#endif

void syscalls_answer(struct syscall_filter *f, int nr, uint32_t action)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)nr);
	answer(f, action);
}

int syscalls_enter(struct syscall_filter *f, uint32_t action, unsigned flags)
{
#ifdef SYSCALLS_ARCH
	struct sock_fprog program = { .filter = f->code };

	answer(f, action);
	program.len = f->n;
	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) ? errno : 0;
#else
	(void)f;
	(void)action;
	(void)flags;
	return ENOSYS;
#endif
}
