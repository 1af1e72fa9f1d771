/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filters.h - which processes the kernel is asked to send events of: what --pid,
 * --uid, --cgroup and --comm say, and what it comes to on this machine.
 *
 * Values of one kind combine by OR, kinds by AND.
 */
#ifndef EXECTRACE_CAPTURE_FILTERS_H
#define EXECTRACE_CAPTURE_FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a name in the kernel. */
#define FILTERS_COMM 15u

enum filters_kind { FILTERS_PID, FILTERS_UID, FILTERS_CGROUP, FILTERS_COMM_NAME, FILTERS_KINDS };

struct filters_list {
	char **words;		/* owned; as given */
	/* Once resolved: process ids, user ids, ids of cgroups; of names nothing. */
	uint64_t *ids;
	size_t n;
};

struct filters {
	struct filters_list of[FILTERS_KINDS];
	char error[512];	/* what was wrong: a clause for a message */
};

/*
 * Takes the value of an option: a list between commas, of cgroups one path. False
 * and error: it has a part that cannot be meant, or there is no memory.
 */
bool filters_add(struct filters *f, enum filters_kind kind, const char *value);
/*
 * Looks the words up: users, cgroups below this mount point of the default hierarchy
 * (NULL: there is none), processes; a thread stands for its process. False and error.
 */
bool filters_resolve(struct filters *f, const char *cgroup_mount);
static inline size_t filters_count(const struct filters *f, enum filters_kind kind)
{
	return f->of[kind].n;
}
/* Whether a resolved filter has this id. */
bool filters_has(const struct filters *f, enum filters_kind kind, uint64_t id);
/* Whether there is this name. */
bool filters_has_comm(const struct filters *f, const char *comm);
void filters_free(struct filters *f);

#endif
