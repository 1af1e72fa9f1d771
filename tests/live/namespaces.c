/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * namespaces.c - programs in namespaces of their own. Captures speak in ids of the
 * first ones, as this program does, which looks from there.
 */
#include "hostile.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const words[] = { S("namespaced"), S("two words"), NULL };
static char *const quiet[] = { S("HOSTILE_DO=exit 7"), NULL };

static void own_mounts(void)
{
	if (unshare_mounts() != 0)
		unable("CLONE_NEWNS");
}

static void own_net(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		unable("CLONE_NEWNET");
}

static void own_user(void)
{
	if (unshare(CLONE_NEWUSER) != 0)
		unable("CLONE_NEWUSER");
}

static void map_root(const char *line)
{
	put_file("/proc/self/setgroups", "deny");
	if (!put_file("/proc/self/uid_map", line) || !put_file("/proc/self/gid_map", line))
		unable("uid_map");
}

/* Root in there is somebody else outside. */
static void own_user_mapped(void)
{
	check(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0,
	      "setresuid");
	check(prctl(PR_SET_DUMPABLE, 1) == 0,
	      "prctl"); /* else its files in /proc are root's */
	own_user();
	map_root("0 65534 1");
	check(getuid() == 0 && geteuid() == 0, "root of the namespace");
}

/* Each in the one before. */
static void own_users(void)
{
	for (int i = 0; i < 3; i++) {
		own_user();
		map_root("0 0 1");
	}
}

static void own_all(void)
{
	own_user();
	map_root("0 0 1");
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
		unable("CLONE_NEWNS and others");
}

/* The program tells of itself only when it has more privilege than its caller. */
static void own_user_setuid(void)
{
	copy_self_to("setuid-inside", 04755);
	own_user_mapped();
}

/* ---- Pid namespaces ------------------------------------------------------------------- */

/* Processes that are each the first one of a namespace in the one before; the last executes.
 */
static _Noreturn void nest(int depth)
{
	int status = 0;

	for (; depth > 0; depth--) {
		struct self self;
		pid_t pid;

		if (unshare(CLONE_NEWPID) != 0)
			unable("CLONE_NEWPID");
		pid = fork();
		if (pid != 0) {
			check(waitpid(pid, &status, 0) == pid, "waitpid");
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
		}
		self_take(&self);
		note->tried[depth] = self.pid;
	}
	look_child();
	become(words, quiet);
}

/* What became of the process that makes the namespaces; false: they cannot be made here. */
static bool maker_ended(pid_t maker, struct look *l)
{
	struct ending e;
	bool executed;

	look_started();
	executed = look_next(l);
	reap(maker, &e);
	say_fork(maker, getpid());
	say_exit(maker, getpid(), getuid(), &e);
	if (!executed) {
		check(note->unable, "the program in the namespace");
		say_skip(step_name(), note->why);
	}
	return executed;
}

static void pid_namespaces(const char *step, int depth)
{
	const struct attempt a = { .filename = target, .argv = words };
	pid_t maker, parent;
	struct look l;

	attempt_begin(step);
	maker = fork();
	if (maker == 0)
		nest(depth);
	if (!maker_ended(maker, &l))
		return;
	parent = maker;
	for (int i = depth; i > 0; i--) {
		say_fork(note->tried[i], parent);
		if (i == 1)
			say_exec(&a, &l);
		say_exit_code(note->tried[i], parent, 7);
		parent = note->tried[i];
	}
	look_free(&l);
}

/* Not its first process, and with a /proc of its own. */
static void second_of_namespace(void)
{
	const struct attempt a = { .filename = target, .argv = words };
	struct look l;
	pid_t maker;

	attempt_begin("second process of a pid namespace");
	maker = fork();
	if (maker == 0) {
		pid_t first, second;
		struct self self;

		if (unshare_mounts() != 0 || unshare(CLONE_NEWPID) != 0)
			unable("unshare");
		first = fork();
		if (first == 0) {
			self_take(&self);
			note->middle = self.pid;
			check(mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc");
			second = fork();
			if (second == 0) {
				self_take(&self);
				note->last = self.pid;
				look_child();
				become(words, quiet);
			}
			waitpid(second, &note->tried[0], 0);
			_exit(0);
		}
		waitpid(first, NULL, 0);
		_exit(0);
	}
	if (!maker_ended(maker, &l))
		return;
	say_fork(note->middle, maker);
	say_exit_code(note->middle, maker, 0);
	say_fork(note->last, note->middle);
	say_exec(&a, &l);
	say_exit_code(note->last, note->middle, 7);
	look_free(&l);
}

void namespaces(void)
{
	static const struct {
		const char *step;
		void (*prepare)(void);
		const char *file;
	} rows[] = {
		{ "mount namespace", own_mounts, NULL },
		{ "network namespace", own_net, NULL },
		{ "user namespace", own_user, NULL },
		{ "user namespace, root in it", own_user_mapped, NULL },
		{ "user namespaces, nested", own_users, NULL },
		{ "user namespace, setuid program of its root", own_user_setuid,
		  "./setuid-inside" },
		{ "namespaces of all kinds", own_all, NULL },
	};

	if (getuid() != 0) {
		say_skip("namespaces", "needs root");
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		attempt(&(struct attempt){ .step = rows[i].step,
					   .prepare = rows[i].prepare,
					   .filename = rows[i].file ? rows[i].file : target,
					   .argv = ARGV(S("namespaced"), S("x")) });
	pid_namespaces("pid namespace", 1);
	pid_namespaces("pid namespaces, nested", 4);
	second_of_namespace();
}
