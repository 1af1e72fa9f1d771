/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - asks for the names of users, groups and cgroups and writes them into the
 * capture, each once. An id without a name is left out.
 */
#ifndef EXECTRACE_NAMES_H
#define EXECTRACE_NAMES_H

#include <exectrace.h>

#include "ids.h"

struct names;

/* servant: where lookup_serve answers, borrowed; -1: nobody does, and there are no names. */
struct names *names_new(int servant);
void names_free(struct names *n);

/* Writes USERS and CGROUPS for the ids in l that were not written before. */
int names_write(struct names *n, struct et_writer *w, const struct id_list *l,
		struct et_error *err);

#endif
