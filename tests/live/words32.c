/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words32.c - programs and calls of 32 bits on a machine of 64. The calls have
 * numbers and pointers of their own, and most recorders never see them.
 */
#include "hostile.h"

#ifdef __x86_64__

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_EXECVE32 11
#define NR_EXECVEAT32 358
#define NR_GETPID32 20
#define X32 0x40000000
#define NR_EXECVE_X32 (X32 + 520)
#define NR_EXECVEAT_X32 (X32 + 545)
#define NR_GETPID_X32 (X32 + 39)

extern const char tiny32_bytes[], tiny32_end[];

/* A string and a list of them where pointers of 32 bits can name them. */
static char *low;

static uint32_t low_text(const char *s)
{
	char *at = low;

	low = stpcpy(low, s) + 1;
	return (uint32_t)(uintptr_t)at;
}

static uint32_t low_list(char *const *list)
{
	uint32_t pointers[64], n = 0;
	char *at;

	for (; *list; list++)
		pointers[n++] = low_text(*list);
	pointers[n++] = 0;
	at = (char *)(((uintptr_t)low + 3) & ~(uintptr_t)3);
	memcpy(at, pointers, n * sizeof(*pointers));
	low = at + n * sizeof(*pointers);
	return (uint32_t)(uintptr_t)at;
}

static void low_begin(void)
{
	low = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	check(low != MAP_FAILED, "mmap");
}

static long int80(long nr, long a, long b, long c, long d, long e)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static void call_int80(const struct attempt *a, char *const *env)
{
	low_begin();
	uint32_t filename = low_text(a->filename), argv = low_list(a->argv),
		 envp = low_list(env);
	errno = (int)-int80(NR_EXECVE32, filename, argv, envp, 0, 0);
}

static void call_int80_at(const struct attempt *a, char *const *env)
{
	low_begin();
	uint32_t filename = low_text(a->filename), argv = low_list(a->argv),
		 envp = low_list(env);
	errno = (int)-int80(NR_EXECVEAT32, -100, filename, argv, envp, 0);
}

static void call_x32(const struct attempt *a, char *const *env)
{
	low_begin();
	uint32_t filename = low_text(a->filename), argv = low_list(a->argv),
		 envp = low_list(env);
	syscall(NR_EXECVE_X32, filename, argv, envp);
}

static void call_x32_at(const struct attempt *a, char *const *env)
{
	low_begin();
	uint32_t filename = low_text(a->filename), argv = low_list(a->argv),
		 envp = low_list(env);
	syscall(NR_EXECVEAT_X32, -100L, filename, argv, envp, 0);
}

static bool works(const char *step, long (*getpid_so)(void))
{
	struct ending e;
	pid_t pid;

	step_begin(step);
	pid = fork();
	if (pid == 0)
		_exit(getpid_so() == getpid() ? 0 : 1);
	reap(pid, &e);
	say_fork(pid, getpid());
	say_exit(pid, getpid(), getuid(), &e);
	return e.status == 0;
}

static long getpid_int80(void)
{
	return int80(NR_GETPID32, 0, 0, 0, 0, 0);
}

static long getpid_x32(void)
{
	return syscall(NR_GETPID_X32);
}

/* A 64-bit program that makes calls of another kind. */
static void calls(const char *const step[4],
		  void (*execve_so)(const struct attempt *, char *const *),
		  void (*execveat_so)(const struct attempt *, char *const *))
{
	char *argv[] = { S("thirty-two"), S("bits"), S(""), NULL };

	attempt(&(struct attempt){
		.step = step[0], .filename = target, .call = execve_so, .argv = argv });
	attempt(&(struct attempt){ .step = step[1],
				   .filename = "/nonexistent/program",
				   .call = execve_so,
				   .argv = argv });
	attempt(&(struct attempt){
		.step = step[2], .filename = target, .call = execveat_so, .argv = argv });
	attempt(&(struct attempt){ .step = step[3],
				   .filename = "/nonexistent/program",
				   .call = execveat_so,
				   .argv = argv });
}

/* A 32-bit program, which is executed and executes. */
static void programs(void)
{
	static const struct {
		const char *step, *how, *path;
	} rows[] = {
		{ "32-bit program executes a 64-bit one", "exec", NULL },
		{ "32-bit program, execve fails", "exec", "/nonexistent/program" },
		{ "32-bit program, execveat", "at", NULL },
		{ "32-bit program, execveat fails", "at", "/nonexistent/program" },
		{ "32-bit program executes a 32-bit one", "exec", "./tiny32" },
	};

	write_file("tiny32", tiny32_bytes, (size_t)(tiny32_end - tiny32_bytes), 0755);
	attempt(&(struct attempt){
		.step = "32-bit program", .filename = "./tiny32", .argv = ARGV(S("tiny32")) });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *path = S(rows[i].path ? rows[i].path : target);
		char *argv[] = {
			S("tiny32"), S(rows[i].how), path, S("two words"), S(""), NULL
		};
		const struct attempt then = { .filename = path, .argv = argv + 2 };

		/* A 32-bit program that is run by another has nothing to execute. */
		if (rows[i].path && rows[i].path[0] == '.')
			argv[3] = NULL;
		attempt(&(struct attempt){ .step = rows[i].step,
					   .filename = "./tiny32",
					   .argv = argv,
					   .then = &then });
	}
}

void words32(void)
{
	static const char *const ia32[4] = { "32-bit call", "32-bit call, failing",
					     "32-bit execveat", "32-bit execveat, failing" };
	static const char *const x32[4] = { "x32 call", "x32 call, failing", "x32 execveat",
					    "x32 execveat, failing" };

	if (works("is there int 0x80", getpid_int80)) {
		calls(ia32, call_int80, call_int80_at);
		programs();
	} else {
		say_skip("32-bit programs", "the kernel does not run them");
	}
	if (works("is there x32", getpid_x32))
		calls(x32, call_x32, call_x32_at);
	else
		say_skip("x32", "the kernel does not have it");
}

#else

void words32(void)
{
	say_skip("32-bit programs", "only for x86 there is one");
	say_skip("x32", "the machine does not have it");
}

#endif
