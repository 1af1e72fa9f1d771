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

/*
 * servant: where lookup_serve answers, borrowed; -1: nobody does, and there are no names.
 * again: there may be more than one file.
 */
struct names *names_new(int servant, bool again);
void names_free(struct names *n);

/* Writes USERS and CGROUPS for the ids in l that are not in the file yet. */
int names_write(struct names *n, struct et_writer *w, const struct ids *l, struct et_error *err);
/* Another file begins: nothing is in it yet. */
void names_restart(struct names *n);

#endif
