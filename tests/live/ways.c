/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ways.c - the attempts of hostile_exec that do not go through fork and execve of
 * a plain path.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000 /* 6.14 */
#endif

static int program_fd;

static void call_empty_path(const struct attempt *a, char *const *env)
{
	syscall(SYS_execveat, program_fd, "", a->argv, env, AT_EMPTY_PATH);
}

static void call_fexecve(const struct attempt *a, char *const *env)
{
	fexecve(program_fd, a->argv, env);
}

static void call_at(const struct attempt *a, char *const *env)
{
	syscall(SYS_execveat, program_fd, a->filename, a->argv, env, 0);
}

static void call_check(const struct attempt *a, char *const *env)
{
	syscall(SYS_execveat, AT_FDCWD, a->filename, a->argv, env, AT_EXECVE_CHECK);
}

/* ---- Ways to begin ------------------------------------------------------------ */

static int begin(void *unused)
{
	(void)unused;
	attempt_child();
	return 0;
}

static pid_t start_clone(int flags)
{
	static char stack[256 << 10] __attribute__((aligned(64)));

	return clone(begin, stack + sizeof(stack), flags | SIGCHLD, NULL);
}

static pid_t start_vfork(void)
{
	return start_clone(CLONE_VM | CLONE_VFORK);
}

static pid_t start_waiting(void)
{
	return start_clone(CLONE_VFORK);
}

static pid_t start_vm(void)
{
	return start_clone(CLONE_VM);
}

static pid_t start_shared(void)
{
	return start_clone(CLONE_VM | CLONE_FS | CLONE_SIGHAND);
}

static void starts(void)
{
	static const struct {
		const char *step;
		pid_t (*start)(void);
	} rows[] = {
		{ "vfork", start_vfork },
		{ "CLONE_VFORK", start_waiting },
		{ "CLONE_VM", start_vm },
		{ "CLONE_VM, CLONE_FS and CLONE_SIGHAND", start_shared },
	};
	static char step[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		attempt(&(struct attempt){ .step = rows[i].step,
					   .start = rows[i].start,
					   .filename = target,
					   .argv = ARGV(S("begun"), S("x")) });
		snprintf(step, sizeof(step), "%s, failing", rows[i].step);
		attempt(&(struct attempt){ .step = step,
					   .start = rows[i].start,
					   .filename = "/nonexistent/program",
					   .argv = ARGV(S("begun"), S("in vain")) });
	}
}

/* ---- Ways to call --------------------------------------------------------------- */

/* A program that is in memory alone, open for reading. */
static int memory_file(const char *name)
{
	int fd = (int)syscall(SYS_memfd_create, name, 0u), again;
	char path[64];

	check(fd >= 0, "memfd_create");
	copy_self(fd);
	/* A file open for writing is busy: execute it through a second, read-only one. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	check(again >= 0, path);
	close(fd);
	return again;
}

static void by_fd(void)
{
	char fd_path[64], relative[PATH_MAX];

	program_fd = open(target, O_PATH | O_CLOEXEC);
	check(program_fd >= 0, target);
	snprintf(fd_path, sizeof(fd_path), "/dev/fd/%d", program_fd);
	attempt(&(struct attempt){ .step = "execveat, AT_EMPTY_PATH",
				   .filename = "",
				   .as = fd_path,
				   .call = call_empty_path,
				   .argv = ARGV(S("by fd"), S("1")) });
	attempt(&(struct attempt){ .step = "fexecve",
				   .filename = "",
				   .as = fd_path,
				   .call = call_fexecve,
				   .argv = ARGV(S("fexecve"), S("2")) });
	close(program_fd);

	program_fd = memory_file("a program");
	snprintf(fd_path, sizeof(fd_path), "/dev/fd/%d", program_fd);
	attempt(&(struct attempt){ .step = "fexecve of a memfd",
				   .filename = "",
				   .as = fd_path,
				   .call = call_fexecve,
				   .argv = ARGV(S("from memory")) });
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", program_fd);
	attempt(&(struct attempt){ .step = "execve of a memfd",
				   .filename = fd_path,
				   .argv = ARGV(S("from memory"), S("by path")) });
	close(program_fd);
	program_fd = memory_file("\x1b[31m\xff '\n");
	snprintf(fd_path, sizeof(fd_path), "/dev/fd/%d", program_fd);
	attempt(&(struct attempt){ .step = "memfd of a hostile name",
				   .filename = "",
				   .as = fd_path,
				   .call = call_fexecve,
				   .argv = ARGV(S("x")) });
	close(program_fd);

	/* Deleted between being opened and being executed. */
	copy_self_to("passing", 0755);
	program_fd = open("passing", O_RDONLY | O_CLOEXEC);
	check(program_fd >= 0 && unlink("passing") == 0, "passing");
	snprintf(fd_path, sizeof(fd_path), "/dev/fd/%d", program_fd);
	attempt(&(struct attempt){ .step = "fexecve of a deleted file",
				   .filename = "",
				   .as = fd_path,
				   .call = call_fexecve,
				   .argv = ARGV(S("deleted")) });
	close(program_fd);

	program_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	check(program_fd >= 0, "open .");
	snprintf(relative, sizeof(relative), "/dev/fd/%d/target", program_fd);
	attempt(&(struct attempt){ .step = "execveat, relative to a directory",
				   .filename = "target",
				   .as = relative,
				   .call = call_at,
				   .argv = ARGV(S("relative")) });
	attempt(&(struct attempt){ .step = "execveat, absolute",
				   .filename = target,
				   .call = call_at,
				   .argv = ARGV(S("absolute")) });
	attempt(&(struct attempt){ .step = "execveat, failing",
				   .filename = "nothing",
				   .call = call_at,
				   .argv = ARGV(S("relative"), S("two words")) });
	attempt(&(struct attempt){ .step = "execveat of a directory, failing",
				   .filename = "",
				   .call = call_empty_path,
				   .argv = ARGV(S("directory"), S("x")) });
	close(program_fd);
}

/* Asks whether it could be executed: that is no execution, but a refusal is one. */
static void only_asked(void)
{
	char *quiet[] = { S("x"), NULL };
	struct ending e;
	pid_t pid;
	bool known;

	memset(note, 0, sizeof(*note));
	step_begin("is there AT_EXECVE_CHECK");
	pid = fork();
	if (pid == 0) {
		/* Older kernels do not know the flag. */
		_exit(syscall(SYS_execveat, AT_FDCWD, target, quiet, quiet, AT_EXECVE_CHECK) !=
		      0);
	}
	reap(pid, &e);
	known = e.status == 0;
	say_fork(pid, getpid());
	if (!known) {
		say_begin("fail", pid, getpid());
		say_number("errno", EINVAL);
		say_text("filename", target);
		say_end();
	}
	say_exit(pid, getpid(), getuid(), &e);
	if (known)
		attempt(&(struct attempt){ .step = "AT_EXECVE_CHECK",
					   .filename = target,
					   .call = call_check,
					   .outcome = UNSEEN,
					   .argv = ARGV(S("checked")) });
	attempt(&(struct attempt){ .step = "AT_EXECVE_CHECK, refused",
				   .filename = "/nonexistent/program",
				   .call = call_check,
				   .argv = ARGV(S("checked"), S("x")) });
}

static void names(void)
{
	attempt(&(struct attempt){
		.step = "relative path", .filename = "./target", .argv = ARGV(S("target")) });
	attempt(&(struct attempt){ .step = "roundabout path",
				   .filename = ".//./../././target/../target",
				   .argv = ARGV(S("target")) });
	check(mkdir("elsewhere", 0755) == 0 && symlink("../target", "elsewhere/a link") == 0,
	      "elsewhere");
	attempt(&(struct attempt){ .step = "symbolic link",
				   .filename = "elsewhere/a link",
				   .argv = ARGV(S("link")) });
	check(link(target, "\x1b[31m\xff'\n") == 0, "link");
	attempt(&(struct attempt){ .step = "hostile name",
				   .filename = "./\x1b[31m\xff'\n",
				   .argv = ARGV(S("x")) });
	check(link(target, "sixteen-letters-and-more") == 0, "link");
	attempt(&(struct attempt){ .step = "long name",
				   .filename = "./sixteen-letters-and-more",
				   .argv = ARGV(S("x")) });
	check(link(target, "target (deleted)") == 0, "link");
	attempt(&(struct attempt){ .step = "name that looks deleted",
				   .filename = "./target (deleted)",
				   .argv = ARGV(S("x")) });
}

static void spawned(void)
{
	char *argv[] = { S("spawned"), S("a b"), NULL };
	char *env[] = { S("HOSTILE_DO=exit 5"), NULL };
	struct attempt a = { .filename = target, .argv = argv };
	posix_spawn_file_actions_t actions;
	struct ending e;
	struct look l;
	pid_t pid;

	attempt_begin("posix_spawn");
	check(posix_spawn_file_actions_init(&actions) == 0 &&
		      posix_spawn_file_actions_adddup2(&actions, look_end(), LOOK_FD) == 0,
	      "file actions");
	check(posix_spawn(&pid, target, &actions, NULL, argv, env) == 0, "posix_spawn");
	look_started();
	check(look_next(&l), "posix_spawn");
	reap(pid, &e);
	note->self.tid = pid;
	say_fork(pid, getpid());
	say_exec(&a, &l);
	say_exit(pid, getpid(), getuid(), &e);
	look_free(&l);
	posix_spawn_file_actions_destroy(&actions);
}

static void twice(void)
{
	char *argv[] = { S("first"), NULL };
	char *env[] = { S("HOSTILE_DO=again"), NULL };
	struct attempt first = { .filename = target, .argv = argv };
	struct attempt second = { .filename = target, .argv = ARGV(target, S("second")) };
	struct ending e;
	struct look l[2];
	pid_t pid;

	attempt_begin("exec, then exec again");
	pid = fork();
	if (pid == 0) {
		look_child();
		become(argv, env);
	}
	look_started();
	check(look_next(&l[0]) && look_next(&l[1]), "both programs");
	reap(pid, &e);
	say_fork(pid, getpid());
	say_exec(&first, &l[0]);
	say_exec(&second, &l[1]);
	say_exit(pid, getpid(), getuid(), &e);
	look_free(&l[0]);
	look_free(&l[1]);
}

void ways(void)
{
	starts();
	by_fd();
	only_asked();
	names();
	spawned();
	twice();
}
