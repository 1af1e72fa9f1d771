/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perfcount - counts tracepoint hits of one comm, without BPF and without loss.
 *
 *	perfcount COMM
 *
 * Opens a counting perf event per tracepoint and CPU with a kernel filter on
 * the task's comm, prints "ready", waits for the end of standard input, and
 * prints the sums as one JSON object. A counter has no buffer that could fill.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPUS 1024

struct counter {
	const char *name;	/* in the output */
	const char *tracepoint;
	const char *filter;	/* beside that on comm; NULL: none */
	bool optional;		/* left out where the kernel has no such field */
	int fd[CPUS];
};

static struct counter counters[] = {
	{ .name = "exec", .tracepoint = "sched/sched_process_exec" },
	{ .name = "fail_execve", .tracepoint = "syscalls/sys_exit_execve", .filter = "ret < 0" },
	{ .name = "fail_execveat", .tracepoint = "syscalls/sys_exit_execveat", .filter = "ret < 0" },
	/* CLONE_THREAD */
	{ .name = "task", .tracepoint = "task/task_newtask" },
	{ .name = "thread", .tracepoint = "task/task_newtask", .filter = "clone_flags & 0x10000" },
	/* Since 6.16 the tracepoint says which thread was the last. */
	{ .name = "exit", .tracepoint = "sched/sched_process_exit", .filter = "group_dead == 1", .optional = true },
};

#define N (sizeof(counters) / sizeof(counters[0]))

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "perfcount: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t tracepoint_id(const char *name)
{
	char path[256];
	uint64_t id;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/id", name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%lu", &id) != 1)
		die(path);
	fclose(f);
	return id;
}

/* False where an optional counter cannot be had. */
static bool start(struct counter *c, const char *comm)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr),
					.config = tracepoint_id(c->tracepoint) };
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	char filter[128];

	if (c->filter)
		snprintf(filter, sizeof(filter), "(%s) && COMM == \"%s\"", c->filter, comm);
	else
		snprintf(filter, sizeof(filter), "COMM == \"%s\"", comm);
	for (long cpu = 0; cpu < CPUS; cpu++)
		c->fd[cpu] = -1;
	for (long cpu = 0; cpu < cpus && cpu < CPUS; cpu++) {
		c->fd[cpu] = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
		if (c->fd[cpu] < 0 && errno == ENODEV)
			continue;	/* not online */
		if (c->fd[cpu] < 0)
			die("perf_event_open");
		if (ioctl(c->fd[cpu], PERF_EVENT_IOC_SET_FILTER, filter) < 0) {
			if (c->optional)
				return false;
			die(filter);
		}
	}
	return true;
}

static uint64_t sum(const struct counter *c)
{
	uint64_t total = 0, one;

	for (size_t cpu = 0; cpu < CPUS; cpu++) {
		if (c->fd[cpu] < 0)
			continue;
		if (read(c->fd[cpu], &one, sizeof(one)) != sizeof(one))
			die("read");
		total += one;
	}
	return total;
}

int main(int argc, char **argv)
{
	bool have[N];
	char byte;

	if (argc != 2) {
		fprintf(stderr, "usage: perfcount COMM\n");
		return 2;
	}
	for (size_t i = 0; i < N; i++)
		have[i] = start(&counters[i], argv[1]);
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	putchar('{');
	for (size_t i = 0; i < N; i++)
		if (have[i])
			printf("%s\"%s\":%lu", i ? "," : "", counters[i].name, sum(&counters[i]));
	printf("}\n");
	return 0;
}
