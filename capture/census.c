/* SPDX-License-Identifier: BSD-2-Clause */
#include "census.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filters.h"
#include "probe.h"
#include "proc.h"

struct take {
	const struct census_options *opt;
	struct census *census;
	size_t size;
};

/* Whether the cgroup of a process is one that was asked for, or below one. */
static bool is_in_cgroup(const struct census_options *opt, uint32_t pid)
{
	char own[PATH_MAX], path[2 * PATH_MAX];
	struct stat st;

	if (!opt->cgroup_mount || !proc_cgroup(pid, own, sizeof(own)))
		return false;
	for (;;) {
		snprintf(path, sizeof(path), "%s%s", opt->cgroup_mount, own);
		if (stat(path, &st) == 0 && filters_has(opt->filters, FILTERS_CGROUP, st.st_ino))
			return true;
		if (!*own)
			return false;
		*strrchr(own, '/') = '\0';
	}
}

/* What bpf/judge.bpf.h asks of an event. */
static bool is_taken(const struct census_options *opt, uint32_t pid, const struct proc_facts *facts)
{
	const struct filters *f = opt->filters;
	uint32_t uid;

	if (opt->followed && !probe_follows(opt->followed, pid))
		return false;
	if (filters_count(f, FILTERS_COMM_NAME) && !filters_has_comm(f, facts->comm))
		return false;
	if (filters_count(f, FILTERS_UID) &&
	    (!proc_user(pid, &uid) || !filters_has(f, FILTERS_UID, uid)))
		return false;
	return !filters_count(f, FILTERS_CGROUP) || is_in_cgroup(opt, pid);
}

static int take(void *ctx, uint32_t pid)
{
	struct take *t = ctx;
	struct census *c = t->census;
	struct proc_facts facts;

	if (pid == t->opt->skip || !proc_read(pid, &facts))
		return 0;
	if (c->n == t->size) {
		size_t size = t->size ? 2 * t->size : 256;
		struct census_entry *v = reallocarray(c->entries, size, sizeof(*v));

		if (!v)
			return ENOMEM;
		c->entries = v;
		t->size = size;
	}
	c->entries[c->n++] = (struct census_entry){
		.pid = pid,
		.ppid = facts.ppid,
		.taken = is_taken(t->opt, pid, &facts),
	};
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct census_entry *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct census_entry *find(struct census *c, uint32_t pid)
{
	const struct census_entry key = { .pid = pid };

	return c->n ? bsearch(&key, c->entries, c->n, sizeof(key), by_pid) : NULL;
}

static void show(struct census *c, uint32_t pid)
{
	struct census_entry *e;

	/* Each is marked once: processes that were read one after another cannot loop us. */
	while ((e = find(c, pid)) && !e->shown) {
		e->shown = true;
		pid = e->ppid;
	}
}

int census_take(const struct census_options *opt, struct census *out)
{
	struct take t = { .opt = opt, .census = out };
	int ret;

	*out = (struct census){ .n = 0 };
	ret = proc_each(take, &t);
	if (ret)
		return ret;
	if (out->n)
		qsort(out->entries, out->n, sizeof(*out->entries), by_pid);
	for (size_t i = 0; i < out->n; i++)
		if (out->entries[i].taken)
			show(out, out->entries[i].pid);
	if (opt->command)
		show(out, (uint32_t)getpid());
	return 0;
}

void census_free(struct census *c)
{
	free(c->entries);
	*c = (struct census){ .n = 0 };
}
