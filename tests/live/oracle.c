/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *step;
static uint64_t step_start;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

void self_take(struct self *s)
{
	s->pid = getpid();
	s->tid = (pid_t)syscall(SYS_gettid);
	s->ppid = getppid();
	s->uid = getuid();
	s->euid = geteuid();
	s->gid = getgid();
	s->egid = getegid();
	prctl(PR_GET_NAME, s->comm);
	if (syscall(SYS_getcwd, s->cwd, sizeof(s->cwd)) < 0)
		s->cwd[0] = '\0';
}

void step_begin(const char *name)
{
	step = name;
	step_start = boot_ns();
}

void say_begin(const char *kind, pid_t pid, pid_t ppid)
{
	printf("{\"step\":\"%s\",\"kind\":\"%s\",\"pid\":%d,\"ppid\":%d", step, kind, (int)pid,
	       (int)ppid);
}

void say_number(const char *key, long long value)
{
	printf(",\"%s\":%lld", key, value);
}

static void hex(const void *data, size_t len)
{
	const unsigned char *p = data;

	putchar('"');
	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
	putchar('"');
}

void say_bytes(const char *key, const void *data, size_t len)
{
	printf(",\"%s\":", key);
	hex(data, len);
}

void say_text(const char *key, const char *text)
{
	say_bytes(key, text, strlen(text));
}

void say_argv(char *const *argv)
{
	long long n = 0, bytes = 0;

	printf(",\"argv\":[");
	for (; argv && argv[n]; n++) {
		size_t len = strlen(argv[n]);

		if (n)
			putchar(',');
		hex(argv[n], len);
		bytes += (long long)len + 1;
	}
	putchar(']');
	say_number("argc", n);
	say_number("argv_bytes", bytes);
}

void say_self(const struct self *s)
{
	say_number("uid", s->uid);
	say_number("gid", s->gid);
	say_number("euid", s->euid);
	say_number("egid", s->egid);
	say_text("cwd", s->cwd);
}

void say_end(void)
{
	say_number("after", (long long)step_start);
	say_number("before", (long long)boot_ns());
	printf("}\n");
}

void say_fork(pid_t pid, pid_t ppid)
{
	say_begin("fork", pid, ppid);
	say_number("uid", getuid());
	say_number("gid", getgid());
	say_end();
}

static long long timeval_ns(const struct timeval *t)
{
	return (long long)t->tv_sec * 1000000000 + (long long)t->tv_usec * 1000;
}

void say_exit(pid_t pid, pid_t ppid, uid_t uid, int status, const struct rusage *usage)
{
	say_begin("exit", pid, ppid);
	say_number("uid", uid);
	if (WIFSIGNALED(status)) {
		say_number("signal", WTERMSIG(status));
		say_number("core", !!WCOREDUMP(status));
	} else {
		say_number("exit_code", WEXITSTATUS(status));
	}
	say_number("utime", timeval_ns(&usage->ru_utime));
	say_number("stime", timeval_ns(&usage->ru_stime));
	say_number("max_rss", (long long)usage->ru_maxrss * 1024);
	say_end();
}

void say_clock(void)
{
	say_begin("clock", 0, 0);
	say_number("offset", (long long)(clock_ns(CLOCK_REALTIME) - boot_ns()));
	say_end();
}
