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
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const words[] = { S("tree"), S("two words"), NULL };
static char *const quiet[] = { S("HOSTILE_DO=exit 7"), NULL };

static void thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	check(pthread_create(&t, NULL, fn, arg) == 0, "pthread_create");
}

/* ---- exec from a thread that is not the first ------------------------------- */

static void *thread_exec(void *arg)
{
	(void)arg;
	become(words, quiet);
}

static void *thread_fail(void *arg)
{
	(void)arg;
	self_take(&note->self);
	execve("/nonexistent/program", words, quiet);
	note->error = errno;
	_exit(4);
}

static void *thread_busy(void *arg)
{
	(void)arg;
	for (;;)
		sched_yield();
	return NULL;
}

struct from_thread {
	const char *step;
	void *(*fn)(void *);
	void *(*others)(void *);
	unsigned count;
	bool leader_leaves;
};

static void exec_from_thread(const struct from_thread *f)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct ending e;
	struct look l;
	pid_t pid;
	bool executed;

	attempt_begin(f->step);
	pid = fork();
	if (pid == 0) {
		look_child();
		for (unsigned i = 0; i < f->count; i++)
			thread_start(f->others, NULL);
		thread_start(f->fn, NULL);
		if (f->leader_leaves)
			syscall(SYS_exit, 11);
		for (;;)
			pause();
	}
	look_started();
	executed = look_next(&l);
	reap(pid, &e);
	say_fork(pid, getpid());
	if (executed)
		say_exec(&a, &l);
	else
		say_fail(pid, getpid(), "/nonexistent/program", &a, quiet, note->error);
	say_exit(pid, getpid(), getuid(), &e);
	look_free(&l);
}

/* ---- Threads that end in every order ------------------------------------------ */

enum last { THREAD_EXIT, GROUP_EXIT, BY_KILL };

struct order {
	const char *step;
	bool leader_first;
	unsigned threads;
	enum last last;
};

static const struct order *order;
static atomic_uint ended;

static void end_with(enum last how, int code)
{
	if (how == BY_KILL)
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
		nap(20); /* until the others are gone for certain */
		end_with(order->last, 33);
	}
	syscall(SYS_exit, 20 + n);
	return NULL;
}

static void threads_end(const struct order *o)
{
	struct ending e;
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
	reap(pid, &e);
	say_fork(pid, getpid());
	say_exit(pid, getpid(), getuid(), &e);
}

/* All at the same moment, the leader among them: whoever is last ends the group. */
static atomic_bool now;

static void *thread_end_together(void *arg)
{
	atomic_fetch_add(&ended, 1);
	while (!atomic_load(&now))
		;
	syscall(SYS_exit, (long)(uintptr_t)arg);
	return NULL;
}

static void end_together(unsigned threads, enum last how)
{
	struct ending e;
	pid_t pid;

	step_begin(how == BY_KILL ? "all threads are killed" : "all threads end at once");
	pid = fork();
	if (pid == 0) {
		for (unsigned i = 0; i < threads; i++)
			thread_start(thread_end_together, (void *)(uintptr_t)(20 + i));
		while (atomic_load(&ended) != threads)
			nap(1);
		if (how == BY_KILL)
			kill(getpid(), SIGKILL);
		atomic_store(&now, true);
		end_with(how, 9);
	}
	reap(pid, &e);
	say_fork(pid, getpid());
	say_exit(pid, getpid(), getuid(), &e);
}

/* ---- Families -------------------------------------------------------------------- */

static void wait_for_parent(pid_t parent)
{
	while (getppid() != parent)
		nap(1);
}

static _Noreturn void execute(void)
{
	look_child();
	become(words, quiet);
}

/* The child's parent is dead when it executes; only the fork says who it was. */
static void orphan(const char *step, bool fork_before_middle_ends)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct ending middle_end, e;
	struct look l;
	pid_t top = getpid(), middle;

	attempt_begin(step);
	middle = fork();
	if (middle == 0) {
		pid_t last = fork();

		if (last == 0) {
			if (fork_before_middle_ends)
				wait_for_parent(top);
			execute();
		}
		look_started();
		note->last = last;
		if (!fork_before_middle_ends)
			waitpid(last, &note->tried[0], 0);
		_exit(12);
	}
	look_started();
	check(look_next(&l), "the grandchild");
	reap(middle, &middle_end);
	say_fork(middle, top);
	say_exit(middle, top, getuid(), &middle_end);
	say_fork(note->last, middle);
	say_exec(&a, &l);
	if (fork_before_middle_ends) {
		reap(note->last, &e);
		say_exit(note->last, top, getuid(), &e);
	} else {
		say_exit_code(note->last, middle, WEXITSTATUS(note->tried[0]));
	}
	look_free(&l);
}

/* A child made with CLONE_PARENT is its maker's sibling. */
static void sibling(void)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct ending e, maker_end;
	struct look l;
	pid_t maker;

	attempt_begin("CLONE_PARENT");
	maker = fork();
	if (maker == 0) {
		pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

		if (pid == 0)
			execute();
		note->last = pid;
		_exit(0);
	}
	look_started();
	check(look_next(&l), "the sibling");
	reap(maker, &maker_end);
	reap(note->last, &e);
	say_fork(maker, getpid());
	say_exit(maker, getpid(), getuid(), &maker_end);
	say_fork(note->last, getpid());
	say_exec(&a, &l);
	say_exit(note->last, getpid(), getuid(), &e);
	look_free(&l);
}

/* The creator is a thread that is gone when its child executes. */
static void *thread_creates(void *arg)
{
	pid_t *made = arg;
	pid_t pid = fork();

	if (pid == 0) {
		while (note->stage == 0)
			nap(1);
		execute();
	}
	*made = pid;
	return NULL;
}

static void created_by_thread(void)
{
	const struct attempt a = { .filename = target, .argv = words };
	pthread_t t;
	pid_t pid;

	attempt_begin("created by a thread that has ended");
	check(pthread_create(&t, NULL, thread_creates, &pid) == 0 &&
		      pthread_join(t, NULL) == 0,
	      "pthread");
	note->stage = 1;
	say_executed(pid, &a);
}

static void only_fork(void)
{
	struct ending e;
	pid_t pid;

	step_begin("fork without exec");
	pid = fork();
	if (pid == 0)
		_exit(13);
	reap(pid, &e);
	say_fork(pid, getpid());
	say_exit(pid, getpid(), getuid(), &e);
}

void trees(void)
{
	static const struct from_thread execs[] = {
		{ "exec from a second thread", thread_exec, NULL, 0, false },
		{ "exec from a thread, leader gone", thread_exec, NULL, 0, true },
		{ "exec from a thread while others run", thread_exec, thread_busy, 6, false },
		{ "exec from a thread while others run, leader gone", thread_exec, thread_busy,
		  6, true },
		{ "failing exec from a second thread", thread_fail, NULL, 0, false },
		{ "failing exec from a thread while others run", thread_fail, thread_busy, 3,
		  false },
	};
	static const struct order orders[] = {
		{ "leader first, thread exits", true, 1, THREAD_EXIT },
		{ "leader first, thread ends the group", true, 1, GROUP_EXIT },
		{ "leader first, thread is killed", true, 1, BY_KILL },
		{ "leader first, four threads", true, 4, THREAD_EXIT },
		{ "leader first, the last of four ends the group", true, 4, GROUP_EXIT },
		{ "leader last, exits", false, 1, THREAD_EXIT },
		{ "leader last, ends the group", false, 4, GROUP_EXIT },
		{ "leader last, is killed", false, 4, BY_KILL },
	};

	for (size_t i = 0; i < sizeof(execs) / sizeof(execs[0]); i++)
		exec_from_thread(&execs[i]);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		threads_end(&orders[i]);
	for (unsigned i = 0; i < 12; i++)
		end_together(i % 4 + 1, THREAD_EXIT);
	end_together(4, GROUP_EXIT);
	end_together(4, BY_KILL);
	only_fork();
	orphan("grandchild", false);
	orphan("orphan", true);
	sibling();
	created_by_thread();
}
