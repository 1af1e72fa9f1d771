/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * binaries.h - the executables that events name: each is looked at once, for its build-id
 * and its ELF interpreter, by a thread of its own and of low priority, since a file may
 * lie where opening it takes long. What is seen for the first time goes to that thread;
 * what it has done, to the writer, for each file that names it.
 *
 * An executable is known by its path, device, inode, size and time. It is only read where
 * all of these are still as they were when it was executed; else, or when the thread is
 * far behind, it is told without the rest.
 */
#ifndef EXECTRACE_BINARIES_H
#define EXECTRACE_BINARIES_H

#include <exectrace.h>

#include "ids.h"

struct binaries;
struct unpack_stamp;

/*
 * Starts the thread. servant: where look_serve answers; -1: it looks itself. again: there
 * may be more than one file. NULL and errno on failure.
 */
struct binaries *binaries_new(int servant, bool again);
/*
 * From any thread: notes the executable of ev, if it has one that is not in ids, and adds
 * it there. Never waits for a file. stamp: size and time of an exec; NULL: not known, they
 * are looked up.
 */
void binaries_note(struct binaries *x, struct ids *ids, const struct et_event *ev,
		   const struct unpack_stamp *stamp);

/* From the writer's thread, as what follows: those of ids are to be in the file. */
void binaries_want(struct binaries *x, const struct ids *ids);
/* Writes EXES for those that are to be in the file and are not yet, if they have been looked at. */
int binaries_write(struct binaries *x, struct et_writer *w, struct et_error *err);
/*
 * The same for all that are left, which it waits for so long, ms; then they are written
 * without what is in the files.
 */
int binaries_write_rest(struct binaries *x, unsigned patience, struct et_writer *w,
			struct et_error *err);
/* Another file begins: nothing is in it yet. */
void binaries_restart(struct binaries *x);
/* Ends the thread; one that waits for a file is left behind. NULL is fine. */
void binaries_free(struct binaries *x);

#endif
