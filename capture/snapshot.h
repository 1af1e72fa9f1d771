/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot.h - what already runs when a recording begins, read from /proc.
 *
 * A process that ends while it is read is left out: its exit is recorded. What the
 * reader may not see (another user's exe, say) is left unknown.
 */
#ifndef EXECTRACE_SNAPSHOT_H
#define EXECTRACE_SNAPSHOT_H

#include <exectrace.h>

struct census;

struct snapshot_options {
	struct et_clock at;	/* of the events; younger processes are left out */
	uint32_t max_args;	/* bytes of argv kept */
	uint32_t skip;		/* a pid to leave out; 0: none */
	const char *cgroup_mount;	/* NULL: there is none */
	const struct census *census;	/* only those shown, and no argv and cwd but of those taken */
};

/* Non-zero ends the scan. ev is borrowed during the call. */
typedef int snapshot_fn(void *ctx, const struct et_event *ev);

/* 0, a positive errno, or what fn returned if that was negative. */
int snapshot_scan(const struct snapshot_options *opt, snapshot_fn *fn, void *ctx);

#endif
