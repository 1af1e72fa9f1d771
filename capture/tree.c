/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "explain.h"
#include "probe.h"
#include "proc.h"

struct pass {
	struct probe *probe;
	uint32_t self;
	unsigned added;
	int error;		/* errno of the set */
};

/* Follows a process unless it is at its end. */
static int follow(struct pass *pass, uint32_t pid, const struct proc_facts *facts)
{
	int ret;

	if (proc_is_ending(pid, facts))
		return 0;
	ret = probe_follow(pass->probe, pid);
	pass->error = ret < 0 ? -ret : 0;
	pass->added += ret > 0;
	return pass->error;
}

static int look_at(void *ctx, uint32_t pid)
{
	struct pass *pass = ctx;
	struct proc_facts facts;

	/* The recorder does not wait for its own end. */
	if (pid == pass->self || probe_follows(pass->probe, pid) || !proc_read(pid, &facts) ||
	    !probe_follows(pass->probe, facts.ppid))
		return 0;
	return follow(pass, pid, &facts);
}

static int seed(struct pass *pass, const uint64_t *pids, size_t n, struct probe_error *err)
{
	int error;

	for (size_t i = 0; i < n; i++) {
		uint32_t pid = (uint32_t)pids[i];
		struct proc_facts facts;

		if (!proc_read(pid, &facts) || proc_is_ending(pid, &facts)) {
			explain(err, "--pid: process %u has ended", pid);
			return -1;
		}
		if (follow(pass, pid, &facts))
			goto fail;
	}
	do {
		pass->added = 0;
		error = proc_each(look_at, pass);
		if (pass->error)
			goto fail;
		if (error) {
			explain(err, "cannot read /proc: %s", strerror(error));
			return -1;
		}
	} while (pass->added);
	return 0;
fail:
	if (pass->error == E2BIG)
		explain(err, "--pid: these have more descendants than can be followed at once, %u",
			probe_follow_max(pass->probe));
	else
		explain(err, "cannot follow all processes: %s", strerror(pass->error));
	return -1;
}

int tree_follow(struct probe *p, const uint64_t *pids, size_t n, struct probe_error *err)
{
	struct pass pass = { .probe = p, .self = (uint32_t)getpid() };
	int ret;

	probe_seeding(p, true);
	ret = seed(&pass, pids, n, err);
	probe_seeding(p, false);
	return ret;
}
