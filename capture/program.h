/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.h - what a process runs, kept in one block of memory: fields of an exec or
 * proc event. Forked processes share it with their parent.
 *
 * Of argv as much is kept as there is memory for; what is cut says so, as an event does.
 */
#ifndef EXECTRACE_PROGRAM_H
#define EXECTRACE_PROGRAM_H

#include <exectrace.h>

struct program;

/*
 * A copy of the fields of ev that are in mask (bits are ids), of argv at most max_argv
 * bytes. To be let go of with program_drop. NULL: no memory.
 */
struct program *program_new(const struct et_event *ev, uint64_t mask, uint32_t max_argv);
/* One holder more. NULL is fine. */
struct program *program_share(struct program *p);
/* One less. Returns the bytes that this has freed. NULL is fine. */
size_t program_drop(struct program *p);
/* Bytes of memory that it takes. */
size_t program_size(const struct program *p);
/* Sets the fields in ev, which borrows their strings from p. */
void program_get(const struct program *p, struct et_event *ev);

#endif
