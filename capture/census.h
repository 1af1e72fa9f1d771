/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * census.h - which processes that run already belong into a recording that is not one
 * of everything: those whose events it takes, and their ancestors, so that a reader
 * can tell where they come from. Of ancestors a capture says no more than it has to.
 */
#ifndef EXECTRACE_CENSUS_H
#define EXECTRACE_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filters;
struct probe;

struct census_options {
	const struct filters *filters;	/* resolved */
	const char *cgroup_mount;	/* NULL: there is none */
	struct probe *followed;	/* takes only what it follows; NULL: any process */
	bool command;		/* the recorder's ancestors belong to it: those of its command */
	uint32_t skip;		/* a pid to leave out; 0: none */
};

struct census_entry {
	uint32_t pid;
	uint32_t ppid;
	bool taken;		/* its events are recorded */
	bool shown;		/* that, or an ancestor */
};

struct census {
	struct census_entry *entries;	/* owned; pids ascend */
	size_t n;
};

/* 0 or an errno; to be freed in both cases. */
int census_take(const struct census_options *opt, struct census *out);
void census_free(struct census *c);

#endif
