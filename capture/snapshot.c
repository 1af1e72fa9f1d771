/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "census.h"
#include "identity.h"
#include "proc.h"
#include "text.h"

#define TEXT_SIZE 8192u
#define READ_SIZE 65536u
#define COMM_MAX 15u		/* bytes of a name in the kernel */

struct scan {
	const struct snapshot_options *opt;
	snapshot_fn *fn;
	void *ctx;
	int proc;			/* /proc */
	uint64_t tick;			/* ns of a clock tick */
	char *args;			/* max_args + 1 bytes, for a last NUL */
	char *spill;			/* READ_SIZE bytes, to count what is not kept */
	/* Strings of the event at hand. */
	char text[TEXT_SIZE];
	char comm[COMM_MAX];
	char exe[PATH_MAX];
	char cwd[PATH_MAX];
	/* Most processes sit in a few cgroups, one after another. */
	char cgroup[PATH_MAX];
	uint64_t cgroup_id;
	unsigned tty;
	struct identity identity;
};

static void put_uint(struct et_event *ev, enum et_field_id id, uint64_t value)
{
	if (et_fields[id].kinds & ET_KIND_BIT(ET_PROC))
		et_set_uint(ev, id, value);
}

static void put_str(struct et_event *ev, enum et_field_id id, const char *text, size_t len)
{
	if (et_fields[id].kinds & ET_KIND_BIT(ET_PROC))
		et_set_str(ev, id, text, (uint32_t)len);
}

/*
 * pid (comm) state ppid ...; comm may hold anything, also ") " and newlines. False for one
 * that has ended, too, and only waits for its parent: nobody will tell of its end.
 */
static bool read_stat(struct scan *s, int dir, struct et_event *ev)
{
	ssize_t len = text_read(dir, "stat", s->text, sizeof(s->text));
	unsigned long long start;
	unsigned ppid;
	int threads;
	char *open, *close, *p, state;
	size_t n;

	if (len <= 0)
		return false;
	open = memchr(s->text, '(', (size_t)len);
	close = memrchr(s->text, ')', (size_t)len);
	if (!open || !close || close < open)
		return false;
	n = (size_t)(close - open - 1);
	/* Kernel workers show what they work at here; their name as such ends sooner. */
	n = n < COMM_MAX ? n : COMM_MAX;
	memcpy(s->comm, open + 1, n);
	put_str(ev, ET_F_COMM, s->comm, n);

	/* Behind the name: state is field 3, ppid 4, tty_nr 7, num_threads 20, start 22. */
	p = close + 1;
	if (sscanf(p, " %c %u %*d %*d %u %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d "
		      "%*d %llu", &state, &ppid, &s->tty, &threads, &start) != 5)
		return false;
	/* A first thread that has ended is shown so, too, while others live. */
	if ((state == 'Z' || state == 'X') && threads <= 1)
		return false;
	put_uint(ev, ET_F_PPID, ppid);
	/* The kernel rounds down to a tick: the true start is up to 10 ms later. */
	put_uint(ev, ET_F_START, start * s->tick);
	return start * s->tick <= s->opt->at.ts;
}

static bool read_status(struct scan *s, int dir, struct et_event *ev)
{
	unsigned real, effective;
	char *p;

	if (text_read(dir, "status", s->text, sizeof(s->text)) <= 0)
		return false;
	p = strstr(s->text, "\nUid:");
	if (p && sscanf(p, "\nUid: %u %u", &real, &effective) == 2) {
		put_uint(ev, ET_F_UID, real);
		put_uint(ev, ET_F_EUID, effective);
	}
	p = strstr(s->text, "\nGid:");
	if (p && sscanf(p, "\nGid: %u %u", &real, &effective) == 2) {
		put_uint(ev, ET_F_GID, real);
		put_uint(ev, ET_F_EGID, effective);
	}
	return true;
}

/* The id of a cgroup is the inode of its directory. */
static void read_cgroup(struct scan *s, int dir, struct et_event *ev)
{
	char path[PATH_MAX + PATH_MAX];
	struct stat st;
	char *line, *end;

	if (!s->opt->cgroup_mount || text_read(dir, "cgroup", s->text, sizeof(s->text)) <= 0)
		return;
	line = strncmp(s->text, "0::/", 4) == 0 ? s->text : strstr(s->text, "\n0::/");
	if (!line)
		return;
	line = strchr(line, '/');
	end = strchr(line, '\n');
	if (!end || (size_t)(end - line) >= sizeof(s->cgroup))
		return;
	*end = '\0';
	if (strcmp(line, s->cgroup) != 0) {
		strcpy(s->cgroup, line);
		s->cgroup_id = 0;
		snprintf(path, sizeof(path), "%s%s", s->opt->cgroup_mount, line);
		if (stat(path, &st) == 0)
			s->cgroup_id = st.st_ino;
	}
	if (s->cgroup_id)
		put_uint(ev, ET_F_CGROUP, s->cgroup_id);
}

static void read_link(int dir, const char *name, char *buf, struct et_event *ev,
		      enum et_field_id id)
{
	static const char gone[] = " (deleted)";
	ssize_t len = readlinkat(dir, name, buf, PATH_MAX);
	size_t n = (size_t)len;
	struct stat st;

	if (len <= 0 || len == PATH_MAX)
		return;
	/* The kernel's remark, unless a file is truly called so. */
	if (n > sizeof(gone) - 1 && !memcmp(buf + n - (sizeof(gone) - 1), gone, sizeof(gone) - 1) &&
	    fstatat(dir, name, &st, 0) == 0 && st.st_nlink == 0)
		n -= sizeof(gone) - 1;
	put_str(ev, id, buf, n);
}

static uint64_t count_nuls(const char *p, size_t n)
{
	uint64_t nuls = 0;

	while (n--)
		nuls += *p++ == '\0';
	return nuls;
}

/* cmdline is the arguments with a NUL each; a kernel thread or a zombie has none. */
static void read_argv(struct scan *s, int dir, struct et_event *ev)
{
	uint64_t total = 0, argc = 0;
	uint32_t kept = 0, max = s->opt->max_args;
	char last = '\0';
	ssize_t n;
	int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	while (kept < max && (n = read(fd, s->args + kept, max - kept)) > 0)
		kept += (uint32_t)n;
	total = kept;
	argc = count_nuls(s->args, kept);
	if (kept)
		last = s->args[kept - 1];
	while (kept == max && (n = read(fd, s->spill, READ_SIZE)) > 0) {
		total += (uint64_t)n;
		argc += count_nuls(s->spill, (size_t)n);
		last = s->spill[n - 1];
	}
	close(fd);
	if (!kept)
		return;
	/* A program that wrote a title over its arguments may have left no NUL. */
	if (last != '\0') {
		total++;
		argc++;
	}
	if (s->args[kept - 1] != '\0')
		s->args[kept++] = '\0';
	if (total > kept || argc > count_nuls(s->args, kept)) {
		put_uint(ev, ET_F_ARGV_TRUNCATED, 1);
		put_uint(ev, ET_F_ARGC, argc);
		put_uint(ev, ET_F_ARGV_BYTES, total);
	}
	ev->known |= 1ull << ET_F_ARGV;
	ev->v[ET_F_ARGV].l =
		(struct et_list){ s->args, kept, (uint32_t)count_nuls(s->args, kept) };
}

/* 0 also when the process is gone. whole: with what it was started with. */
static int scan_process(struct scan *s, uint32_t pid, bool whole)
{
	struct et_event ev = { .realtime = s->opt->at.offset };
	char name[16];
	int dir, ret = 0;

	snprintf(name, sizeof(name), "%u", pid);
	dir = openat(s->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : 0;
	put_uint(&ev, ET_F_KIND, ET_PROC);
	put_uint(&ev, ET_F_TS, s->opt->at.ts);
	put_uint(&ev, ET_F_PID, pid);
	if (read_stat(s, dir, &ev) && read_status(s, dir, &ev)) {
		identity_read(&s->identity, dir, s->text, s->tty, &ev);
		read_cgroup(s, dir, &ev);
		read_link(dir, "exe", s->exe, &ev, ET_F_EXE);
		if (whole) {
			read_link(dir, "cwd", s->cwd, &ev, ET_F_CWD);
			read_argv(s, dir, &ev);
		}
		ret = s->fn(s->ctx, &ev);
	}
	close(dir);
	return ret;
}

/* What others were started with is no part of a recording of a few. */
static int scan_census(struct scan *s)
{
	const struct census *c = s->opt->census;
	int ret = 0;

	for (size_t i = 0; i < c->n && !ret; i++)
		if (c->entries[i].shown)
			ret = scan_process(s, c->entries[i].pid, c->entries[i].taken);
	return ret;
}

static int scan_one(void *ctx, uint32_t pid)
{
	struct scan *s = ctx;

	return pid == s->opt->skip ? 0 : scan_process(s, pid, true);
}

int snapshot_scan(const struct snapshot_options *opt, snapshot_fn *fn, void *ctx)
{
	struct scan *s = calloc(1, sizeof(*s));
	int ret = ENOMEM;

	if (!s)
		return ret;
	s->opt = opt;
	s->fn = fn;
	s->ctx = ctx;
	identity_begin(&s->identity);
	s->tick = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	s->args = malloc((size_t)opt->max_args + 1);
	s->spill = malloc(READ_SIZE);
	s->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!s->args || !s->spill)
		goto out;
	ret = errno;
	if (s->proc < 0)
		goto out;
	ret = opt->census ? scan_census(s) : proc_each(scan_one, s);
out:
	if (s->proc >= 0)
		close(s->proc);
	free(s->spill);
	free(s->args);
	free(s);
	return ret;
}
