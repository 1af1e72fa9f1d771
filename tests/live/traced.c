/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traced.c - calls that a tracer or a filter has changed.
 *
 * What counts is the system call that the kernel got to carry out or refused, and
 * its answer before a tracer put another in its place.
 */
#include "hostile.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const nowhere = "/nonexistent/program";

/* ---- Registers ------------------------------------------------------------------- */

#ifdef __x86_64__
typedef struct user_regs_struct registers;

static unsigned long long *argument(registers *r, int i)
{
	return i == 0 ? &r->rdi : i == 1 ? &r->rsi : &r->rdx;
}

static void set_number(pid_t pid, registers *r, long nr)
{
	(void)pid;
	r->orig_rax = (unsigned long long)nr;
}

static long number(const registers *r)
{
	return (long)r->orig_rax;
}

static unsigned long long *result(registers *r)
{
	return &r->rax;
}
#else
typedef struct user_regs_struct registers;

static unsigned long long *argument(registers *r, int i)
{
	return &r->regs[i];
}

static void set_number(pid_t pid, registers *r, long nr)
{
	int number = (int)nr;
	struct iovec iov = { &number, sizeof(number) };

	(void)r;
	check(ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &iov) == 0,
	      "NT_ARM_SYSTEM_CALL");
}

static long number(const registers *r)
{
	return (long)r->regs[8];
}

static unsigned long long *result(registers *r)
{
	return &r->regs[0];
}
#endif

static void get_registers(pid_t pid, registers *r)
{
	struct iovec iov = { r, sizeof(*r) };

	check(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) == 0, "PTRACE_GETREGSET");
}

static void set_registers(pid_t pid, registers *r)
{
	struct iovec iov = { r, sizeof(*r) };

	check(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov) == 0, "PTRACE_SETREGSET");
}

/* ---- The tracer -------------------------------------------------------------------- */

/* In the child: what a tracer may put in place of what the child passes. */
static char *other_argv[] = { S("put"), S("in its place"), NULL };

static void be_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		unable("PTRACE_TRACEME");
	raise(SIGSTOP);
}

static int next_stop(pid_t pid, enum __ptrace_request request)
{
	int status;

	check(ptrace(request, pid, NULL, NULL) == 0, "ptrace");
	check(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status), "the stop of a tracee");
	return status >> 8;
}

/* Up to the entry of the call with that number. */
static bool trace_to(pid_t pid, long nr, long options, registers *r)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return false;
	check(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | options) == 0,
	      "PTRACE_SETOPTIONS");
	for (;;) {
		check(next_stop(pid, PTRACE_SYSCALL) == (SIGTRAP | 0x80), "a stop at a call");
		get_registers(pid, r);
		if (number(r) == nr)
			return true;
		check(next_stop(pid, PTRACE_SYSCALL) == (SIGTRAP | 0x80),
		      "a stop behind a call");
	}
}

static void let_go(pid_t pid)
{
	check(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0, "PTRACE_DETACH");
}

static void only_watch(pid_t pid)
{
	registers r;

	if (!trace_to(pid, SYS_execve, PTRACE_O_TRACEEXEC, &r))
		return;
	check(next_stop(pid, PTRACE_SYSCALL) == (SIGTRAP | PTRACE_EVENT_EXEC << 8),
	      "PTRACE_EVENT_EXEC");
	let_go(pid);
}

static void kill_at_exec(pid_t pid)
{
	registers r;

	if (!trace_to(pid, SYS_execve, PTRACE_O_TRACEEXEC, &r))
		return;
	check(next_stop(pid, PTRACE_SYSCALL) == (SIGTRAP | PTRACE_EVENT_EXEC << 8),
	      "PTRACE_EVENT_EXEC");
	look_at(pid, &looked);
	kill(pid, SIGKILL);
}

static void make_getpid(pid_t pid)
{
	registers r;

	if (!trace_to(pid, SYS_execve, 0, &r))
		return;
	set_number(pid, &r, SYS_getpid);
	set_registers(pid, &r);
	let_go(pid);
}

static void make_none(pid_t pid)
{
	registers r;

	if (!trace_to(pid, SYS_execve, 0, &r))
		return;
	set_number(pid, &r, -1);
	set_registers(pid, &r);
	let_go(pid);
}

static void make_execve(pid_t pid)
{
	registers r;

	if (!trace_to(pid, SYS_getppid, 0, &r))
		return;
	set_number(pid, &r, SYS_execve);
	set_registers(pid, &r);
	let_go(pid);
}

static void change_argv(pid_t pid)
{
	registers r;

	if (!trace_to(pid, SYS_execve, 0, &r))
		return;
	*argument(&r, 1) = (uintptr_t)other_argv;
	set_registers(pid, &r);
	let_go(pid);
}

static void change_result(pid_t pid, long value)
{
	registers r;

	if (!trace_to(pid, SYS_execve, 0, &r))
		return;
	check(next_stop(pid, PTRACE_SYSCALL) == (SIGTRAP | 0x80), "a stop behind a call");
	get_registers(pid, &r);
	*result(&r) = (unsigned long long)value;
	set_registers(pid, &r);
	let_go(pid);
}

static void make_success(pid_t pid)
{
	change_result(pid, 0);
}

static void make_other_error(pid_t pid)
{
	change_result(pid, -EPERM);
}

static void call_getppid(const struct attempt *a, char *const *env)
{
	/* With the arguments that another call has, which it does not look at. */
	syscall(SYS_getppid, a->filename, a->argv, env);
}

static void call_other(const struct attempt *a, char *const *env)
{
	execve(a->filename, ARGV(S("passed"), S("by the child")), env);
}

static void tracers(void)
{
#define TRY(name, file, what, ...)                                                            \
	attempt(&(struct attempt){ .step = name,                                              \
				   .filename = file,                                          \
				   .prepare = be_traced,                                      \
				   .meanwhile = what,                                         \
				   .argv = ARGV(S("traced"), S("x")),                         \
				   __VA_ARGS__ })
	TRY("traced", target, only_watch);
	TRY("traced, failing", nowhere, make_other_error, .outcome = HIDDEN, .error = ENOENT);
	TRY("tracer makes a failure a success", nowhere, make_success, .outcome = HIDDEN,
	    .error = ENOENT);
	TRY("tracer makes execve another call", target, make_getpid, .outcome = UNSEEN);
	TRY("tracer makes execve no call", target, make_none, .outcome = UNSEEN);
	TRY("tracer makes another call an execve", target, make_execve, .call = call_getppid);
	TRY("tracer makes another call an execve, failing", nowhere, make_execve,
	    .call = call_getppid, .error = ENOENT);
	TRY("tracer kills what was just executed", target, kill_at_exec, .outcome = KILLED);
#undef TRY
	attempt(&(struct attempt){ .step = "tracer changes the arguments",
				   .filename = target,
				   .prepare = be_traced,
				   .meanwhile = change_argv,
				   .call = call_other,
				   .argv = other_argv });
	attempt(&(struct attempt){ .step = "tracer changes the arguments, failing",
				   .filename = nowhere,
				   .prepare = be_traced,
				   .meanwhile = change_argv,
				   .call = call_other,
				   .argv = other_argv,
				   .error = ENOENT });
}

/* ---- Filters ------------------------------------------------------------------------- */

#ifndef SECCOMP_RET_USER_NOTIF
#define SECCOMP_RET_USER_NOTIF 0x7fc00000u
#endif

static const char *only; /* a filename to filter; NULL: all */

/*
 * Where a filter answers, the kernel has not read the name; nor can the recorder if the
 * page was not touched since the fork and the processor leaves it to the kernel to note
 * that it is (arm64 before v8.1).
 */
static void touch(const char *s)
{
	for (volatile const char *c = s; *c; c++)
		;
}

/* Installs a filter that answers execve so; a descriptor where flags ask for one. */
static int filter(uint32_t answer, unsigned flags)
{
	uint32_t low = (uint32_t)(uintptr_t)only;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	long fd;

	if (!only)
		code[3] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
	touch(target);
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (fd < 0)
		unable("seccomp");
	return (int)fd;
}

static void answer_eperm(void)
{
	filter(SECCOMP_RET_ERRNO | EPERM, 0);
}

static void answer_zero(void)
{
	filter(SECCOMP_RET_ERRNO, 0);
}

static void answer_trap(void)
{
	filter(SECCOMP_RET_TRAP, 0);
}

static void answer_kill(void)
{
	filter(SECCOMP_RET_KILL_PROCESS, 0);
}

static void answer_log(void)
{
	filter(SECCOMP_RET_LOG, 0);
}

static void ask_tracer(void)
{
	filter(SECCOMP_RET_TRACE | 7, 0);
}

static void ask_tracer_traced(void)
{
	be_traced();
	ask_tracer();
}

static bool trace_to_filter(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return false;
	check(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESECCOMP) == 0,
	      "PTRACE_SETOPTIONS");
	check(next_stop(pid, PTRACE_CONT) == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8),
	      "PTRACE_EVENT_SECCOMP");
	return true;
}

static void tracer_allows(pid_t pid)
{
	if (trace_to_filter(pid))
		let_go(pid);
}

static void tracer_refuses(pid_t pid)
{
	registers r;

	if (!trace_to_filter(pid))
		return;
	get_registers(pid, &r);
	set_number(pid, &r, -1);
	*result(&r) = (unsigned long long)-EACCES;
	set_registers(pid, &r);
	let_go(pid);
}

/* Another process answers, through a descriptor of the child's. */
static void ask_another(void)
{
	note->middle = filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	note->stage = 1;
}

static void answer(pid_t pid, struct seccomp_notif_resp resp)
{
	struct seccomp_notif ask = { 0 };
	int fd, process;

	while (note->stage == 0 && !note->unable)
		nap(1);
	process = (int)syscall(434 /* pidfd_open */, pid, 0);
	fd = (int)syscall(438 /* pidfd_getfd */, process, note->middle, 0);
	check(note->unable || fd >= 0, "pidfd_getfd");
	close(process);
	if (note->unable)
		return;
	check(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &ask) == 0, "SECCOMP_IOCTL_NOTIF_RECV");
	resp.id = ask.id;
	check(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0, "SECCOMP_IOCTL_NOTIF_SEND");
	close(fd);
}

static void another_refuses(pid_t pid)
{
	answer(pid, (struct seccomp_notif_resp){ .error = -EACCES });
}

static void another_allows(pid_t pid)
{
	answer(pid, (struct seccomp_notif_resp){ .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE });
}

/* A filter's answer comes before the kernel's tracepoint of the call's begin. */
static void filters(void)
{
#define TRY(name, how, ...)                                                                   \
	attempt(&(struct attempt){ .step = "seccomp, " name,                                  \
				   .filename = target,                                        \
				   .prepare = how,                                            \
				   .argv = ARGV(S("filtered"), S("x")),                       \
				   __VA_ARGS__ })
	TRY("an error", answer_eperm, .error = EPERM, .no_entry = true);
	TRY("an error that is none", answer_zero, .outcome = UNSEEN);
	TRY("trap", answer_trap, .outcome = UNSEEN);
	TRY("kill", answer_kill, .outcome = UNSEEN);
	TRY("log", answer_log, .error = 0);
	TRY("no tracer", ask_tracer, .error = ENOSYS, .no_entry = true);
	TRY("the tracer allows it", ask_tracer_traced, .meanwhile = tracer_allows);
	TRY("the tracer refuses it", ask_tracer_traced, .meanwhile = tracer_refuses,
	    .outcome = UNSEEN);
	TRY("another process allows it", ask_another, .meanwhile = another_allows);
	TRY("another process refuses it", ask_another, .meanwhile = another_refuses,
	    .error = EACCES, .no_entry = true);
#undef TRY
	/* What the calls before it passed must not be taken for its own. */
	only = target;
	attempt(&(struct attempt){ .step = "seccomp, an error after others",
				   .filename = target,
				   .prepare = answer_eperm,
				   .argv = ARGV(S("filtered"), S("y")),
				   .error = EPERM,
				   .no_entry = true,
				   .tries = (const char *const[]){ "/nonexistent/program",
								   "/nonexistent/other",
								   NULL } });
	only = NULL;
}

void traced(void)
{
	tracers();
	filters();
}
