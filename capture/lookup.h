/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup.h - the names of users, groups and cgroups. They are looked up in a servant:
 * the system's configuration decides what code names users, and what it connects to.
 */
#ifndef EXECTRACE_LOOKUP_H
#define EXECTRACE_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "ids.h"

#define LOOKUP_BATCH 256u  /* numbers of a question at most */
#define LOOKUP_BYTES 4096u /* of a name at most (SPEC.md 2.4) */

/* In the servant: answers until fd ends. */
void lookup_serve(int fd);

/*
 * In the recorder. Asks for 1 to LOOKUP_BATCH numbers of one kind; an answer for each
 * has to be taken then, in the same order. False: there are no answers, and never again.
 */
bool lookup_ask(int fd, enum id_kind kind, const uint64_t *ids, size_t n);
/* The length of the next name, without NUL; 0: there is none; -1: never again. */
int lookup_take(int fd, char name[LOOKUP_BYTES]);

#endif
