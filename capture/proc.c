/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"

#define PF_EXITING 0x4u

/* Calls fn for each number that a directory has. */
static int each_number(const char *path, proc_fn *fn, void *ctx)
{
	DIR *list = opendir(path);
	struct dirent *entry;
	int ret = 0;

	if (!list)
		return errno;
	while (!ret && (errno = 0, entry = readdir(list))) {
		char *end;
		unsigned long n = strtoul(entry->d_name, &end, 10);

		if (!*end && end != entry->d_name && n && n <= INT_MAX)
			ret = fn(ctx, (uint32_t)n);
	}
	if (!ret && errno)
		ret = errno;
	closedir(list);
	return ret;
}

int proc_each(proc_fn *fn, void *ctx)
{
	return each_number("/proc", fn, ctx);
}

/* pid (comm) state ppid ...; comm may hold anything, also ") " and newlines. */
static bool read_stat(const char *path, struct proc_facts *out)
{
	FILE *f = fopen(path, "re");
	char text[1024], *open, *close;
	size_t len, n;

	if (!f)
		return false;
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	open = memchr(text, '(', len);
	close = memrchr(text, ')', len);
	if (!open || !close || close < open)
		return false;
	/* Kernel workers show what they work at here; their name as such ends sooner. */
	n = (size_t)(close - open - 1);
	n = n < sizeof(out->comm) - 1 ? n : sizeof(out->comm) - 1;
	memset(out->comm, 0, sizeof(out->comm));
	memcpy(out->comm, open + 1, n);
	return sscanf(close + 1, " %*c %u %*d %*d %*d %*d %u", &out->ppid, &out->flags) == 2;
}

bool proc_read(uint32_t pid, struct proc_facts *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	return read_stat(path, out);
}

/* The first number behind a key of /proc/PID/status. */
static bool read_status(uint32_t pid, const char *key, uint32_t *out)
{
	char path[64], line[256];
	size_t len = strlen(key);
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strncmp(line, key, len) == 0 && sscanf(line + len, "%u", out) == 1;
	fclose(f);
	return found;
}

uint32_t proc_of_thread(uint32_t tid)
{
	uint32_t pid;

	return read_status(tid, "Tgid:", &pid) ? pid : 0;
}

bool proc_user(uint32_t pid, uint32_t *uid)
{
	return read_status(pid, "Uid:", uid);
}

bool proc_cgroup(uint32_t pid, char *path, int size)
{
	char name[64];
	bool found = false;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	f = fopen(name, "re");
	if (!f)
		return false;
	while (!found && fgets(path, size, f))
		found = strncmp(path, "0::/", 4) == 0;
	fclose(f);
	if (!found)
		return false;
	memmove(path, path + 3, strlen(path + 3) + 1);
	path[strcspn(path, "\n")] = '\0';
	return true;
}

static int thread_lives(void *ctx, uint32_t tid)
{
	struct proc_facts facts;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", *(uint32_t *)ctx, tid);
	return read_stat(path, &facts) && !(facts.flags & PF_EXITING) ? -1 : 0;
}

bool proc_is_ending(uint32_t pid, const struct proc_facts *facts)
{
	char path[64];

	if (!(facts->flags & PF_EXITING))
		return false;
	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	return each_number(path, thread_lives, &pid) != -1;
}
