/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt.c - one child that tries to execute one thing, and what must be
 * recorded of it.
 */
#include "hostile.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static long long number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? atoll(at + strlen(key)) : -1;
}

/* What only a zombie still tells: the storage it used, and its faults without its children's.
 */
static void take_rest(pid_t pid, struct ending *e)
{
	char path[64], *text;
	unsigned long long own[2] = { 0 }, childrens[2] = { 0 };

	e->read_bytes = e->write_bytes = e->minor_faults = e->major_faults = -1;
	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	text = look_read(path, NULL);
	if (text) {
		e->read_bytes = number_after(text, "\nread_bytes: ");
		e->write_bytes = number_after(text, "\nwrite_bytes: ");
	}
	free(text);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text = look_read(path, NULL);
	if (text)
		sscanf(strrchr(text, ')') + 1,
		       " %*c %*d %*d %*d %*d %*d %*u %lld %*u %lld %*u %llu %llu %llu %llu",
		       &e->minor_faults, &e->major_faults, &own[0], &own[1], &childrens[0],
		       &childrens[1]);
	free(text);
	/* In ticks; wait4 is more exact, but adds those of its children. */
	e->had_children = childrens[0] || childrens[1];
	e->cpu_ns = (own[0] + own[1]) *
		    (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK));
}

void reap(pid_t pid, struct ending *e)
{
	siginfo_t info;

	check(pid > 0, "fork");
	check(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0, "waitid");
	take_rest(pid, e);
	check(wait4(pid, &e->status, 0, &e->usage) == pid, "wait4");
}

void unable(const char *what)
{
	snprintf(note->why, sizeof(note->why), "%s: %s", what, strerror(errno));
	note->unable = true;
	_exit(126);
}

void until_asleep(pid_t pid)
{
	char path[64], *text;
	bool asleep = false;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (int tries = 0; !asleep && tries < 5000; tries++) {
		nap(1);
		text = look_read(path, NULL);
		if (note->unable || !text || strchr(") ZX", strrchr(text, ')')[2]))
			tries = 5000;
		else
			asleep = note->stage == 1 && strchr("SD", strrchr(text, ')')[2]);
		free(text);
	}
}

int unshare_mounts(void)
{
	if (unshare(CLONE_NEWNS) != 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* ---- What must be recorded -------------------------------------------------- */

static void say_mode(const char *name, enum argv_mode mode)
{
	char key[64];

	if (mode == ARGV_EXACT)
		return;
	snprintf(key, sizeof(key), "%s_%s", name,
		 mode == ARGV_UNREADABLE ? "unreadable" : "may_be_unreadable");
	say_number(key, 1);
}

void say_fail(pid_t pid, pid_t ppid, const char *filename, const struct attempt *a,
	      char *const *env, int error)
{
	say_begin("fail", pid, ppid);
	say_number("uid", note->self.uid);
	say_number("gid", note->self.gid);
	say_number("tid", note->self.tid);
	say_number("called", (long long)note->self.time);
	if (a->outcome != LATE)
		say_text("comm", note->self.comm);
	if (filename && !a->no_filename && a->outcome != LATE)
		say_text("filename", filename);
	say_mode("argv", a->outcome == LATE ? ARGV_UNREADABLE : a->argv_mode);
	if (a->outcome != LATE && a->argv_mode != ARGV_UNREADABLE)
		say_list("argv", a->argv);
	say_mode("env", a->outcome == LATE ? ARGV_UNREADABLE : a->env_mode);
	if (a->outcome != LATE && a->env_mode != ARGV_UNREADABLE)
		say_list("env", env);
	say_number("errno", error);
	if (a->no_entry && filename == a->filename)
		say_number("no_entry", 1);
	say_end();
}

/* What the kernel handed over must be what the attempt meant to pass. */
static void check_argv(const struct attempt *a, const struct look *l)
{
	char *const *argv = a->committed ? a->committed : a->argv;
	const char *at = l->argv, *end = l->argv + l->argv_size;

	for (; argv && *argv; argv++) {
		size_t size = strlen(*argv) + 1;

		if (size > (size_t)(end - at) || memcmp(at, *argv, size))
			break;
		at += size;
	}
	/* Newer kernels make one empty string of none. */
	if (at == l->argv && l->argv_size == 1 && !*at)
		at = end;
	if ((argv && *argv) || at != end) {
		fprintf(stderr,
			"hostile_exec: %s: the program got other arguments than were meant: "
			"%.80s\n",
			step_name(), l->argv);
		exit(2);
	}
}

static void say_id(const char *key, uint32_t id)
{
	if (id == UINT32_MAX)
		say_nothing(key);
	else
		say_number(key, id);
}

static void say_tty(const struct look *l)
{
	char name[32];

	if (!l->tty_major && !l->tty_minor)
		say_nothing("tty");
	/* Documentation/admin-guide/devices.txt: 136 to 143 are Unix98's, 256 each. */
	if (l->tty_major >= 136 && l->tty_major <= 143) {
		snprintf(name, sizeof(name), "pts/%u",
			 (l->tty_major - 136) * 256 + l->tty_minor);
		say_text("tty", name);
	}
}

void say_exec(const struct attempt *a, const struct look *l)
{
	check_argv(a, l);
	say_begin("exec", l->pid, l->ppid);
	say_number("tid", note->self.tid);
	say_number("called", (long long)note->self.time);
	say_number("uid", l->uid);
	say_number("gid", l->gid);
	say_number("euid", l->euid);
	say_number("egid", l->egid);
	say_text("comm", l->comm);
	say_text("filename", a->as ? a->as : a->filename);
	if (a->interpreter)
		say_text("interpreter", a->interpreter);
	if (l->exe)
		say_text("exe", l->exe);
	if (l->cwd)
		say_text("cwd", l->cwd);
	say_block("argv", l->argv, l->argv_size);
	say_block("env", l->env, l->env_size);
	if (l->secure >= 0)
		say_number("secure_exec", l->secure);
	say_id("login_uid", l->login_uid);
	say_id("session", l->session);
	say_tty(l);
	if (l->pid_ns) {
		say_number("pid_ns", (long long)l->pid_ns);
		say_number("mnt_ns", (long long)l->mnt_ns);
		say_number("user_ns", (long long)l->user_ns);
		say_number("net_ns", (long long)l->net_ns);
	}
	say_number("ns_pid", l->ns_pid);
	printf(",\"exe_dev\":\"%u:%u\"", l->exe_major, l->exe_minor);
	say_number("exe_inode", (long long)l->exe_inode);
	/* The memory behind a memfd never had a name to lose. */
	if (!l->exe_memfd)
		say_number("exe_deleted", l->exe_deleted);
	say_number("exe_memfd", l->exe_memfd);
	if (l->cgroup)
		say_text("cgroup", l->cgroup);
	say_number("start_ticks", (long long)l->start_ticks);
	if (a->least_ms)
		say_number("least_ms", a->least_ms);
	say_end();
}

/* ---- The child and its parent -------------------------------------------------- */

/*
 * A fork leaves the child's literals unmapped until they are touched, and a call
 * that fails early does not touch them. Callers that make up their arguments do.
 */
static void touch(char *const *strings)
{
	for (; strings && *strings; strings++)
		note->touched += strlen(*strings);
}

static const struct attempt *current;
static char *const *current_env;

void attempt_child(void)
{
	const struct attempt *a = current;
	char *const *env = current_env;

	look_child();
	if (a->argv_mode == ARGV_EXACT && !a->cold)
		touch(a->argv);
	if (a->env_mode == ARGV_EXACT && !a->cold)
		touch(env);
	if (a->prepare)
		a->prepare();
	self_take(&note->self);
	for (const char *const *try = a->tries; try && *try; try++) {
		execve(*try, a->argv, env);
		note->tried[try - a->tries] = errno;
	}
	errno = 0;
	if (a->call)
		a->call(a, env);
	else
		execve(a->filename, a->argv, env);
	note->error = errno;
	_exit(127);
}

void attempt_begin(const char *step)
{
	memset(note, 0, sizeof(*note));
	step_begin(step);
	look_open();
}

void become(char *const *argv, char *const *env)
{
	self_take(&note->self);
	execve(target, argv, env);
	_exit(127);
}

void say_executed(pid_t pid, const struct attempt *a)
{
	struct ending e;
	struct look l;

	look_started();
	check(look_next(&l), "the program that must have come");
	reap(pid, &e);
	say_fork(pid, getpid());
	say_exec(a, &l);
	say_exit(pid, getpid(), getuid(), &e);
	look_free(&l);
}

/* What the new program, of which l tells, went on to do; an error is its exit code. */
static void say_then(const struct attempt *a, const struct look *l, const struct look *second,
		     char *const *env, int status)
{
	note->self.tid = l->pid;
	note->self.uid = l->uid;
	note->self.gid = l->gid;
	memcpy(note->self.comm, l->comm, sizeof(note->self.comm));
	if (second)
		say_exec(a, second);
	else
		say_fail(l->pid, l->ppid, a->filename, a, env, WEXITSTATUS(status));
}

struct look looked;

void attempt(const struct attempt *a)
{
	char task[64];
	char *only_task[] = { task, NULL };
	char *const *env = a->env ? a->env : only_task;
	struct ending e;
	struct look l, second;
	pid_t pid;
	bool executed, again;

	snprintf(task, sizeof(task), "HOSTILE_DO=%s", a->task ? a->task : "exit 0");
	attempt_begin(a->step);
	current = a;
	current_env = env;
	pid = a->start ? a->start() : fork();
	if (pid == 0)
		attempt_child();
	check(pid > 0, "fork");
	look_started();
	if (a->meanwhile)
		a->meanwhile(pid);
	executed = look_next(&l);
	if (a->outcome == KILLED) {
		check(!executed, "was killed, but ran");
		l = looked;
		executed = l.pid != 0;
		memset(&looked, 0, sizeof(looked));
	}
	again = a->then && look_next(&second);
	reap(pid, &e);

	say_fork(pid, getpid());
	for (const char *const *try = a->tries; try && *try; try++)
		say_fail(pid, getpid(), *try, a, env, note->tried[try - a->tries]);
	if (executed) {
		check(a->outcome == AS_TOLD || a->outcome == KILLED,
		      "was executed, and should not have been");
		say_exec(a, &l);
		if (a->then)
			say_then(a->then, &l, again ? &second : NULL, env, e.status);
	} else if ((a->outcome == LATE || a->outcome == HIDDEN) && !note->unable) {
		check(a->outcome == HIDDEN || WIFSIGNALED(e.status),
		      "the child should have been killed");
		say_fail(pid, getpid(), a->filename, a, env, a->error);
	} else if (a->outcome == AS_TOLD && !note->unable) {
		check(note->error, "the program did not come, and there was no error");
		errno = note->error;
		check(!a->error || a->error == note->error, "is not the error that was meant");
		say_fail(pid, getpid(), a->filename, a, env, note->error);
	}
	say_exit(pid, getpid(),
		 note->unable ? (uid_t)-1
		 : executed   ? l.uid
			      : note->self.uid,
		 &e);
	if (note->unable)
		say_skip(a->step, note->why);
	look_free(&l);
	if (again)
		look_free(&second);
}
