/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trees.c - the attempts of hostile_exec that need threads or families.
 *
 * What a group's exit status must be is taken from wait4, not from theory.
 */
#include "hostile.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const words[] = { S("tree"), S("two words"), NULL };
static char *const quiet[] = { S("HOSTILE_DO=exit 7"), NULL };

static void nap(unsigned ms)
{
	usleep(ms * 1000);
}

static void thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	check(pthread_create(&t, NULL, fn, arg) == 0, "pthread_create");
}

/* ---- exec from a thread that is not the first ------------------------------- */

static void *thread_exec(void *arg)
{
	(void)arg;
	self_take(&note->self);
	execve(target, words, quiet);
	_exit(127);
}

static void *thread_fail(void *arg)
{
	(void)arg;
	self_take(&note->self);
	execve("/nonexistent/program", words, quiet);
	note->error = errno;
	_exit(4);
}

static void exec_from_thread(const char *step, void *(*fn)(void *), bool leader_leaves)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct rusage usage;
	int status;
	pid_t pid;

	memset(note, 0, sizeof(*note));
	step_begin(step);
	pid = fork();
	if (pid == 0) {
		thread_start(fn, NULL);
		if (leader_leaves)
			syscall(SYS_exit, 11);
		for (;;)
			pause();
	}
	reap(pid, &status, &usage);
	say_fork(pid, getpid());
	if (note->error) {
		say_begin("fail", pid, getpid());
		say_number("uid", note->self.uid);
		say_number("gid", note->self.gid);
		say_number("tid", note->self.tid);
		say_text("filename", "/nonexistent/program");
		say_argv(words);
		say_number("errno", note->error);
		say_end();
	} else {
		say_exec(pid, getpid(), &a);
	}
	say_exit(pid, getpid(), getuid(), status, &usage);
}

/* ---- Threads that end in every order ------------------------------------------ */

enum ending { THREAD_EXIT, GROUP_EXIT, KILLED };

struct order {
	const char *step;
	bool leader_first;
	unsigned threads;
	enum ending last;
};

static const struct order *order;
static atomic_uint ended;

static void end_with(enum ending how, int code)
{
	if (how == KILLED)
		kill(getpid(), SIGKILL);
	syscall(how == GROUP_EXIT ? SYS_exit_group : SYS_exit, code);
}

static void *thread_end(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	/* One after the other, the leader before or behind them all. */
	while (atomic_load(&ended) != n + order->leader_first)
		nap(1);
	nap(5);
	atomic_fetch_add(&ended, 1);
	if (n + 1 == order->threads && order->leader_first) {
		nap(20);	/* until the others are gone for certain */
		end_with(order->last, 33);
	}
	syscall(SYS_exit, 20 + n);
	return NULL;
}

static void threads_end(const struct order *o)
{
	struct rusage usage;
	int status;
	pid_t pid;

	step_begin(o->step);
	order = o;
	pid = fork();
	if (pid == 0) {
		for (unsigned i = 0; i < o->threads; i++)
			thread_start(thread_end, (void *)(uintptr_t)i);
		if (o->leader_first) {
			atomic_fetch_add(&ended, 1);
			syscall(SYS_exit, 5);
		}
		while (atomic_load(&ended) != o->threads)
			nap(1);
		nap(20);
		end_with(o->last, 6);
	}
	reap(pid, &status, &usage);
	say_fork(pid, getpid());
	say_exit(pid, getpid(), getuid(), status, &usage);
}

/* ---- Families -------------------------------------------------------------------- */

static void wait_for_parent(pid_t parent)
{
	while (getppid() != parent)
		nap(1);
}

/* The child's parent is dead when it executes; only the fork says who it was. */
static void orphan(const char *step, bool fork_before_middle_ends)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct rusage middle_usage, usage;
	int middle_status, status;
	pid_t top = getpid(), middle;

	memset(note, 0, sizeof(*note));
	step_begin(step);
	middle = fork();
	if (middle == 0) {
		pid_t last = fork();

		if (last == 0) {
			if (fork_before_middle_ends)
				wait_for_parent(top);
			self_take(&note->self);
			execve(target, words, quiet);
			_exit(127);
		}
		note->last = last;
		if (!fork_before_middle_ends)
			waitpid(last, &note->tried[0], 0);
		_exit(12);
	}
	reap(middle, &middle_status, &middle_usage);
	say_fork(middle, top);
	say_exit(middle, top, getuid(), middle_status, &middle_usage);
	say_fork(note->last, middle);
	if (fork_before_middle_ends) {
		reap(note->last, &status, &usage);
		say_exec(note->last, top, &a);
		say_exit(note->last, top, getuid(), status, &usage);
	} else {
		say_exec(note->last, middle, &a);
		say_begin("exit", note->last, middle);
		say_number("exit_code", WEXITSTATUS(note->tried[0]));
		say_end();
	}
}

/* A child made with CLONE_PARENT is its maker's sibling. */
static void sibling(void)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct rusage usage, maker_usage;
	int status, maker_status;
	pid_t maker;

	memset(note, 0, sizeof(*note));
	step_begin("CLONE_PARENT");
	maker = fork();
	if (maker == 0) {
		pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

		if (pid == 0) {
			self_take(&note->self);
			execve(target, words, quiet);
			_exit(127);
		}
		note->last = pid;
		_exit(0);
	}
	reap(maker, &maker_status, &maker_usage);
	reap(note->last, &status, &usage);
	say_fork(maker, getpid());
	say_exit(maker, getpid(), getuid(), maker_status, &maker_usage);
	say_fork(note->last, getpid());
	say_exec(note->last, getpid(), &a);
	say_exit(note->last, getpid(), getuid(), status, &usage);
}

/* Pid 1 of its own namespace; captures speak of the first one. */
static void namespaced(void)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct rusage usage, maker_usage;
	int status, maker_status;
	pid_t maker;

	memset(note, 0, sizeof(*note));
	step_begin("pid namespace");
	maker = fork();
	if (maker == 0) {
		pid_t pid;

		if (unshare(CLONE_NEWPID) != 0)
			_exit(1);
		pid = fork();
		if (pid == 0) {
			self_take(&note->self);
			execve(target, words, quiet);
			_exit(127);
		}
		note->last = pid;
		check(wait4(pid, &status, 0, &usage) == pid, "wait4");
		note->tried[0] = status;
		_exit(0);
	}
	reap(maker, &maker_status, &maker_usage);
	say_fork(maker, getpid());
	say_exit(maker, getpid(), getuid(), maker_status, &maker_usage);
	if (!note->last)
		return;		/* not allowed to make one */
	note->self.tid = note->last;
	say_fork(note->last, maker);
	say_exec(note->last, maker, &a);
	say_begin("exit", note->last, maker);
	say_number("exit_code", WEXITSTATUS(note->tried[0]));
	say_end();
}

static void only_fork(void)
{
	struct rusage usage;
	int status;
	pid_t pid;

	step_begin("fork without exec");
	pid = fork();
	if (pid == 0)
		_exit(13);
	reap(pid, &status, &usage);
	say_fork(pid, getpid());
	say_exit(pid, getpid(), getuid(), status, &usage);
}

void trees(void)
{
	static const struct order orders[] = {
		{ "leader first, thread exits", true, 1, THREAD_EXIT },
		{ "leader first, thread ends the group", true, 1, GROUP_EXIT },
		{ "leader first, thread is killed", true, 1, KILLED },
		{ "leader first, four threads", true, 4, THREAD_EXIT },
		{ "leader first, the last of four ends the group", true, 4, GROUP_EXIT },
		{ "leader last, exits", false, 1, THREAD_EXIT },
		{ "leader last, ends the group", false, 4, GROUP_EXIT },
		{ "leader last, is killed", false, 4, KILLED },
	};

	exec_from_thread("exec from a second thread", thread_exec, false);
	exec_from_thread("exec from a thread, leader gone", thread_exec, true);
	exec_from_thread("failing exec from a second thread", thread_fail, false);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		threads_end(&orders[i]);
	only_fork();
	orphan("grandchild", false);
	orphan("orphan", true);
	sibling();
	namespaced();
}
