/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - looks up users, groups and cgroups on this host and writes their names
 * into the capture, each once. An id without a name is left out.
 */
#ifndef EXECTRACE_NAMES_H
#define EXECTRACE_NAMES_H

#include <exectrace.h>

#include "ids.h"

struct names;

/* cgroup_mount: of the default hierarchy, borrowed; NULL: no cgroup names. */
struct names *names_new(const char *cgroup_mount);
void names_free(struct names *n);

/* Writes USERS and CGROUPS for the ids in l that were not written before. */
int names_write(struct names *n, struct et_writer *w, const struct id_list *l,
		struct et_error *err);

#endif
