/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * binaries.h - the executables that events name: each is looked at once, for its build-id
 * and its ELF interpreter, by a thread of its own and of low priority, since a file may
 * lie where opening it takes long. What is seen for the first time goes to that thread;
 * what it has done, to the writer.
 *
 * A file is known by its path, device, inode, size and time. It is only read where all
 * of these are still as they were when it was executed; else, or when the thread is far
 * behind, it is told without the rest.
 */
#ifndef EXECTRACE_BINARIES_H
#define EXECTRACE_BINARIES_H

#include <exectrace.h>

#include "ids.h"

struct binaries;
struct unpack_stamp;

/* Starts the thread. servant: where look_serve answers; -1: it looks itself. NULL and errno on failure. */
struct binaries *binaries_new(int servant);
/*
 * From any thread, each with a set of its own: notes the executable of ev, if it has one
 * that is not in the set. Never waits for a file. stamp: size and time of an exec; NULL:
 * not known, they are looked up.
 */
void binaries_note(struct binaries *x, struct id_set *noted, const struct et_event *ev,
	       const struct unpack_stamp *stamp);

/* Writes EXES for what has been looked at since the last call. */
int binaries_write(struct binaries *x, struct et_writer *w, struct et_error *err);

/* The same for who wants to have them: a list, to be freed with binary_free one by one. */
struct binary {
	struct et_exe is;
	struct binary *next;
	uint32_t pid;		/* where it ran */
};
struct binary *binaries_take(struct binaries *x);
void binary_free(struct binary *e);

/* Waits for what was noted, but not long: the rest is left without what is in the files. */
void binaries_finish(struct binaries *x);
/* Ends the thread; one that waits for a file is left behind. NULL is fine. */
void binaries_free(struct binaries *x);

#endif
