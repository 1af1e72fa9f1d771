/* SPDX-License-Identifier: BSD-2-Clause */
#include "fits.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include <wire.h>

#include "clock.h"
#include "host.h"
#include "line.h"

/* The call takes no arguments, and is made with some: no two alike, none by chance. */
#define CALL SYS_getppid
static const uint64_t arguments[4] = { 0x6578656374726163, 0x1021324354657687, 0x2132435465768798,
				       0x32435465768798a9 };

/* Of /proc/self/stat, as proc(5) numbers them. */
enum stat_field {
	STAT_TTY = 7,
	STAT_START = 22,
	STAT_END_CODE = 27,
	STAT_ARG_START = 48,
	STAT_ARG_END = 49,
	STAT_ENV_START = 50,
	STAT_ENV_END = 51,
	STAT_FIELDS = 52,
};

/* What grows: read before the call, and after it. */
struct sums {
	uint64_t boot;		/* ns */
	uint64_t runtime;	/* ns */
	uint64_t minor_faults, major_faults;
	uint64_t max_rss;	/* KiB */
	uint64_t read_bytes, write_bytes;
	bool io;		/* these two are known */
};

struct facts {
	struct sums before, after;
	uint64_t stat[STAT_FIELDS];
	struct stat exe;
	sigset_t blocked;
	struct sigaction action;
};

static uint64_t clock_of(clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void read_sums(struct sums *s)
{
	FILE *f = fopen("/proc/self/io", "re");
	unsigned long long bytes;
	struct rusage usage;
	char line[128];

	*s = (struct sums){ .boot = clock_boot() };
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "read_bytes: %llu", &bytes) == 1)
			s->read_bytes = bytes;
		if (sscanf(line, "write_bytes: %llu", &bytes) == 1) {
			s->write_bytes = bytes;
			s->io = true;
		}
	}
	if (f)
		fclose(f);
	getrusage(RUSAGE_SELF, &usage);
	s->minor_faults = (uint64_t)usage.ru_minflt;
	s->major_faults = (uint64_t)usage.ru_majflt;
	s->max_rss = (uint64_t)usage.ru_maxrss;
	s->runtime = clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static bool read_stat(uint64_t stat[STAT_FIELDS])
{
	char text[2048], *p;

	if (!line_read("/proc/self/stat", text, sizeof(text)))
		return false;
	p = strrchr(text, ')');
	if (!p || strlen(p) < 4)
		return false;
	p += 3;	/* the state, a letter, is number 3 */
	for (unsigned i = 4; i < STAT_FIELDS; i++)
		stat[i] = strtoull(p, &p, 10);
	return stat[STAT_ENV_END] != 0;
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static bool is_between(uint64_t least, uint64_t value, uint64_t most)
{
	return least <= value && value <= most;
}

/*
 * The start is told in ticks, and this process may have a boot clock of its own, which
 * runs beside the kernel's: now says how far.
 */
static bool start_fits(const struct wire_fits *w, const struct facts *f)
{
	uint64_t tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t start = f->stat[STAT_START] * tick;
	uint64_t least = start + w->now - f->after.boot;
	uint64_t most = start + tick + w->now - f->before.boot;

	return is_between(least, w->task.start, most);
}

/* As the audit system knows it. Where it is not in the kernel, there is no such file. */
static bool audit_fits(const char *path, uint32_t value)
{
	char text[32];

	return !line_read(path, text, sizeof(text)) || strtoul(text, NULL, 10) == value;
}

/*
 * Whether pieces, from the last component to the first, end as the path does that a link
 * of /proc shows: outside of a chroot there is more of it. What has no path any more
 * tells nothing.
 */
static bool path_fits(const char *link, const char *pieces, size_t len)
{
	char path[PATH_MAX + 16];
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	struct stat st;
	size_t at = 0;

	if (n <= 0 || *path != '/' || stat(link, &st) != 0 || !st.st_nlink)
		return true;
	path[n] = '\0';
	while (n > 1) {
		char *name = (char *)memrchr(path, '/', (size_t)n) + 1;
		size_t size = strlen(name) + 1;

		if (at + size > WIRE_FITS_PATH)
			return true;
		if (at + size > len || memcmp(pieces + at, name, size) != 0)
			return false;
		at += size;
		n = name - 1 - path;
		path[n] = '\0';
	}
	return true;
}

/* On file systems that make up numbers, such as overlay, stat tells another device. */
static bool inode_fits(const struct wire_identity *w, const struct facts *f)
{
	return w->exe_dev != (major(f->exe.st_dev) << 20 | minor(f->exe.st_dev)) ||
	       w->exe_inode == f->exe.st_ino;
}

static bool io_fits(const struct wire_exit *w, const struct facts *f)
{
	return !f->before.io ||
	       (is_between(f->before.read_bytes, w->read_bytes, f->after.read_bytes) &&
		is_between(f->before.write_bytes, w->write_bytes, f->after.write_bytes));
}

static bool memory_fits(const struct wire_fits *w, const struct facts *f)
{
	return w->end_code == f->stat[STAT_END_CODE] && w->arg_start == f->stat[STAT_ARG_START] &&
	       w->arg_end == f->stat[STAT_ARG_END] && w->env_start == f->stat[STAT_ENV_START] &&
	       w->env_end == f->stat[STAT_ENV_END];
}

static bool signals_fit(const struct wire_fits *w, const struct facts *f)
{
	uint64_t blocked;

	memcpy(&blocked, &f->blocked, sizeof(blocked));
	return w->blocked == blocked && w->handler == (uintptr_t)f->action.sa_handler;
}

/* The first that is not right. */
static const char *wrong(const struct wire_fits *w, const struct facts *f)
{
	const struct wire_task *t = &w->task;
	const struct wire_identity *i = &w->identity;
	const struct wire_exit *x = &w->exit;
	const struct sums *before = &f->before, *after = &f->after;
	const struct {
		bool right;
		const char *what;
	} checks[] = {
		{ w->number == CALL &&
		  !memcmp(w->arguments, arguments, sizeof(arguments)), "system calls" },
		{ t->pid == w->pid_tgid >> 32 && t->tid == (uint32_t)w->pid_tgid, "ids" },
		{ i->ns_pid == (uint32_t)getpid() && w->outer_pid == t->pid &&
		  w->outer_pid_ns == WIRE_PID_NS_INIT, "id in its namespace" },
		{ !host_initial_pids() || t->ppid == (uint32_t)getppid(), "parent" },
		{ !strncmp(t->comm, w->comm, sizeof(t->comm)), "name" },
		{ start_fits(w, f), "start" },
		{ t->uid == (uint32_t)w->uid_gid && t->gid == w->uid_gid >> 32 &&
		  t->euid == geteuid() && t->egid == getegid(), "users and groups" },
		{ t->cgroup == w->cgroup, "cgroup" },
		{ i->pid_ns == inode_of("/proc/self/ns/pid") &&
		  i->mnt_ns == inode_of("/proc/self/ns/mnt") &&
		  i->net_ns == inode_of("/proc/self/ns/net") &&
		  i->user_ns == inode_of("/proc/self/ns/user"), "namespaces" },
		{ audit_fits("/proc/self/loginuid", i->login_uid) &&
		  audit_fits("/proc/self/sessionid", i->session), "login" },
		{ !f->stat[STAT_TTY] == !i->tty[0], "terminal" },
		{ memory_fits(w, f), "memory" },
		{ signals_fit(w, f), "signals" },
		{ i->exe_size == (uint64_t)f->exe.st_size &&
		  i->exe_mtime == f->exe.st_mtim.tv_sec * 1000000000 + f->exe.st_mtim.tv_nsec &&
		  inode_fits(i, f), "executable" },
		{ path_fits("/proc/self/exe", w->exe, w->exe_len), "executable's path" },
		{ path_fits("/proc/self/cwd", w->cwd, w->cwd_len), "working directory" },
		{ w->thread == w->self && !x->status, "threads" },
		{ is_between(before->runtime, x->runtime, after->runtime), "run time" },
		{ is_between(before->minor_faults, x->minor_faults, after->minor_faults) &&
		  is_between(before->major_faults, x->major_faults, after->major_faults) &&
		  x->max_rss * (uint64_t)sysconf(_SC_PAGESIZE) <= after->max_rss * 1024,
		  "use of memory" },
		{ io_fits(x, f), "disk I/O" },
	};

	for (size_t n = 0; n < sizeof(checks) / sizeof(checks[0]); n++)
		if (!checks[n].right)
			return checks[n].what;
	return NULL;
}

bool fits_identify(struct fits_identity *out)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) != 0)
		return false;
	*out = (struct fits_identity){
		.pid = (uint32_t)getpid(),
		/* As the kernel puts the two together. */
		.ns_dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev),
		.ns_inode = st.st_ino,
		.number = CALL,
	};
	return true;
}

const char *fits_compare(const volatile struct wire_fits *seen)
{
	struct wire_fits w;
	struct facts f;

	if (!read_stat(f.stat) || stat("/proc/self/exe", &f.exe) != 0)
		return "process in /proc";
	sigprocmask(SIG_BLOCK, NULL, &f.blocked);
	sigaction(WIRE_FITS_SIGNAL, NULL, &f.action);
	read_sums(&f.before);
	syscall(CALL, arguments[0], arguments[1], arguments[2], arguments[3]);
	read_sums(&f.after);
	w = *seen;
	return w.done ? wrong(&w, &f) : "call";
}
