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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

#ifdef __x86_64__
/* The 32-bit system call, from a place that its pointers can name. */
static void call_int80(const struct attempt *a, char *const *env)
{
	char *low = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t *pointers = (uint32_t *)(void *)low;
	char *text = low + 4096;
	uint32_t n = 0, argv_at, env_at;
	long result;

	check(low != MAP_FAILED, "mmap");
	char *filename = text;
	text = stpcpy(text, a->filename) + 1;
	argv_at = n;
	for (char *const *p = a->argv; *p; p++) {
		pointers[n++] = (uint32_t)(uintptr_t)text;
		text = stpcpy(text, *p) + 1;
	}
	pointers[n++] = 0;
	env_at = n;
	pointers[n++] = (uint32_t)(uintptr_t)text;
	strcpy(text, env[0]);
	pointers[n++] = 0;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(11L), "b"(filename), "c"(&pointers[argv_at]), "d"(&pointers[env_at])
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)-result;
}

static bool have_int80(void)
{
	struct rusage usage;
	int status;
	pid_t pid;

	step_begin("is there int 0x80");
	pid = fork();
	if (pid == 0) {
		long result;

		__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
		_exit(result == getpid() ? 0 : 1);
	}
	reap(pid, &status, &usage);
	say_fork(pid, getpid());
	say_exit(pid, getpid(), getuid(), status, &usage);
	return status == 0;
}
#endif

static pid_t start_vfork(void)
{
	/* As vfork(2), whose frame could not return twice from here. */
	return (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static void calls(void)
{
	char fd_path[64], relative[64 + 16], memfd_exe[] = "/memfd:a program";
	char loop_script[PATH_MAX + 32], script[PATH_MAX], outer[PATH_MAX], text[PATH_MAX * 2];
	int dir;

	attempt(&(struct attempt){ .step = "vfork", .start = start_vfork, .filename = target,
				   .argv = ARGV(S("vforked"), S("x")) });

	program_fd = open(target, O_PATH | O_CLOEXEC);
	check(program_fd >= 0, target);
	snprintf(fd_path, sizeof(fd_path), "/dev/fd/%d", program_fd);
	attempt(&(struct attempt){ .step = "execveat, AT_EMPTY_PATH", .filename = "", .as = fd_path,
				   .call = call_empty_path, .argv = ARGV(S("by fd"), S("1")) });
	attempt(&(struct attempt){ .step = "fexecve", .filename = "", .as = fd_path,
				   .call = call_fexecve, .argv = ARGV(S("fexecve"), S("2")) });
	close(program_fd);

	program_fd = (int)syscall(SYS_memfd_create, "a program", 0u);
	check(program_fd >= 0, "memfd_create");
	copy_self(program_fd);
	{
		/* A file open for writing is busy: execute it through a second, read-only one. */
		char path[64];
		int again;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", program_fd);
		again = open(path, O_RDONLY | O_CLOEXEC);
		check(again >= 0, path);
		close(program_fd);
		program_fd = again;
	}
	snprintf(fd_path, sizeof(fd_path), "/dev/fd/%d", program_fd);
	attempt(&(struct attempt){ .step = "fexecve of a memfd", .filename = "", .as = fd_path, .exe = memfd_exe,
				   .call = call_fexecve, .argv = ARGV(S("from memory")) });
	close(program_fd);

	dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	check(dir >= 0, "open .");
	program_fd = dir;
	snprintf(relative, sizeof(relative), "/dev/fd/%d/target", dir);
	attempt(&(struct attempt){ .step = "execveat, relative to a directory", .filename = "target",
				   .as = relative, .call = call_at, .argv = ARGV(S("relative")) });
	attempt(&(struct attempt){ .step = "execveat, failing", .filename = "nothing", .call = call_at,
				   .argv = ARGV(S("relative"), S("two words")) });
	close(dir);

	attempt(&(struct attempt){ .step = "relative path", .filename = "./target", .argv = ARGV(S("target")) });

	/* The kernel drops argv[0] and puts in front what the first line says. */
	snprintf(text, sizeof(text), "#!%s\nbody\n", target);
	write_file("script", text, 0755);
	snprintf(text, sizeof(text), "#!%s  one argument \nbody\n", target);
	write_file("script-arg", text, 0755);
	snprintf(script, sizeof(script), "./script");
	attempt(&(struct attempt){ .step = "script", .filename = script, .interpreter = target,
				   .argv = ARGV(S("dropped"), S("kept")),
				   .committed = ARGV(target, script, S("kept")) });
	attempt(&(struct attempt){ .step = "script with an argument", .filename = "script-arg", .interpreter = target,
				   .argv = ARGV(S("dropped"), S(""), S("b c")),
				   .committed = ARGV(target, S("one argument"), S("script-arg"), S(""), S("b c")) });
	snprintf(loop_script, sizeof(loop_script), "%.*s/script", (int)(strrchr(target, '/') - target), target);
	snprintf(text, sizeof(text), "#!%s outer\n", loop_script);
	write_file("outer", text, 0755);
	snprintf(outer, sizeof(outer), "outer");
	attempt(&(struct attempt){ .step = "script run by a script", .filename = outer, .interpreter = target,
				   .argv = ARGV(S("dropped"), S("x")),
				   .committed = ARGV(target, loop_script, S("outer"), outer, S("x")) });

	check(link(target, "\x1b[31m\xff'\n") == 0, "link");
	snprintf(text, sizeof(text), "%.*s/\x1b[31m\xff'\n", (int)(strrchr(target, '/') - target), target);
	attempt(&(struct attempt){ .step = "hostile name", .filename = "./\x1b[31m\xff'\n", .exe = text,
				   .argv = ARGV(S("x")) });
#ifdef __x86_64__
	if (have_int80()) {
		attempt(&(struct attempt){ .step = "32-bit call", .filename = target, .call = call_int80,
					   .argv = ARGV(S("thirty-two"), S("bits")) });
		attempt(&(struct attempt){ .step = "32-bit call, failing", .filename = "/nonexistent/program",
					   .call = call_int80, .argv = ARGV(S("thirty-two"), S("bits")),
					   .may_be_missing = true });
	}
#endif
}

static void spawned(void)
{
	char *argv[] = { S("spawned"), S("a b"), NULL };
	char *env[] = { S("HOSTILE_DO=exit 5"), NULL };
	struct attempt a = { .filename = target, .argv = argv };
	struct rusage usage;
	int status;
	pid_t pid;

	memset(note, 0, sizeof(*note));
	self_take(&note->self);
	step_begin("posix_spawn");
	check(posix_spawn(&pid, target, NULL, NULL, argv, env) == 0, "posix_spawn");
	reap(pid, &status, &usage);
	note->self.tid = pid;
	say_fork(pid, getpid());
	say_exec(pid, getpid(), &a);
	say_exit(pid, getpid(), getuid(), status, &usage);
}

static void twice(void)
{
	char *argv[] = { S("first"), NULL };
	char *env[] = { S("HOSTILE_DO=again"), NULL };
	struct attempt first = { .filename = target, .argv = argv };
	struct attempt second = { .filename = target, .argv = ARGV(target, S("second")) };
	struct rusage usage;
	int status;
	pid_t pid;

	memset(note, 0, sizeof(*note));
	step_begin("exec, then exec again");
	pid = fork();
	if (pid == 0) {
		self_take(&note->self);
		execve(target, argv, env);
		_exit(127);
	}
	reap(pid, &status, &usage);
	say_fork(pid, getpid());
	say_exec(pid, getpid(), &first);
	say_exec(pid, getpid(), &second);
	say_exit(pid, getpid(), getuid(), status, &usage);
}

void ways(void)
{
	calls();
	spawned();
	twice();
}
