/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *step;
static uint64_t step_start;
static int proc_fd = -1;

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

void self_init(void)
{
	proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void self_take(struct self *s)
{
	char link[64] = "";

	/* The link speaks in pids of the namespace in which this /proc was mounted. */
	if (readlinkat(proc_fd, "thread-self", link, sizeof(link) - 1) < 0 ||
	    sscanf(link, "%d/task/%d", &s->pid, &s->tid) != 2)
		s->pid = s->tid = -1;
	s->uid = getuid();
	s->gid = getgid();
	prctl(PR_GET_NAME, s->comm);
	s->time = boot_ns();
}

void step_begin(const char *name)
{
	step = name;
	step_start = boot_ns();
}

const char *step_name(void)
{
	return step;
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

#define PERIOD 26 /* of long_text's alphabet */

/* A long string that repeats itself is told by its beginning. */
static void hex(const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	if (len > 4096 && !memcmp(p, p + PERIOD, len - PERIOD)) {
		printf("{\"length\":%zu,\"of\":", len);
		hex(data, PERIOD);
		putchar('}');
		return;
	}
	putchar_unlocked('"');
	for (size_t i = 0; i < len; i++) {
		putchar_unlocked(digits[p[i] >> 4]);
		putchar_unlocked(digits[p[i] & 15]);
	}
	putchar_unlocked('"');
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

void say_nothing(const char *key)
{
	printf(",\"%s\":null", key);
}

static void list_item(long long n, const char *s, size_t len)
{
	if (n)
		putchar(',');
	hex(s, len);
}

static void list_end(const char *name, long long n, long long bytes)
{
	putchar(']');
	printf(",\"%s_count\":%lld,\"%s_bytes\":%lld", name, n, name, bytes);
}

void say_list(const char *name, char *const *strings)
{
	long long n = 0, bytes = 0;

	printf(",\"%s\":[", name);
	for (; strings && strings[n]; n++) {
		size_t len = strlen(strings[n]);

		list_item(n, strings[n], len);
		bytes += (long long)len + 1;
	}
	list_end(name, n, bytes);
}

void say_block(const char *name, const char *strings, size_t size)
{
	const char *end = strings + size;
	long long n = 0;

	printf(",\"%s\":[", name);
	for (const char *s = strings; s < end; n++) {
		size_t len = strnlen(s, (size_t)(end - s));

		list_item(n, s, len);
		s += len + 1;
	}
	list_end(name, n, (long long)size);
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

void say_exit(pid_t pid, pid_t ppid, uid_t uid, const struct ending *e)
{
	say_begin("exit", pid, ppid);
	if (uid != (uid_t)-1)
		say_number("uid", uid);
	if (WIFSIGNALED(e->status)) {
		say_number("signal", WTERMSIG(e->status));
		say_number("core", !!WCOREDUMP(e->status));
	} else {
		say_number("exit_code", WEXITSTATUS(e->status));
	}
	say_number("utime",
		   e->had_children ? (long long)e->cpu_ns : timeval_ns(&e->usage.ru_utime));
	say_number("stime", e->had_children ? 0 : timeval_ns(&e->usage.ru_stime));
	say_number("max_rss", (long long)e->usage.ru_maxrss * 1024);
	if (e->minor_faults >= 0) {
		say_number("minor_faults", e->minor_faults);
		say_number("major_faults", e->major_faults);
	}
	if (e->read_bytes >= 0) {
		say_number("read_bytes", e->read_bytes);
		say_number("write_bytes", e->write_bytes);
	}
	say_end();
}

void say_exit_code(pid_t pid, pid_t ppid, int code)
{
	say_begin("exit", pid, ppid);
	say_number("exit_code", code);
	say_end();
}

void say_skip(const char *name, const char *reason)
{
	step_begin(name);
	say_begin("skip", 0, 0);
	say_text("reason", reason);
	say_end();
}

void say_clock(void)
{
	say_begin("clock", 0, 0);
	say_number("offset", (long long)(clock_ns(CLOCK_REALTIME) - boot_ns()));
	say_end();
}
