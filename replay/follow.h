/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow.h - the file under a name as it grows, is replaced, or comes into being:
 * what tail -F does, for captures.
 *
 * The reader takes the end of its input for final. So it gets an input that does
 * not end before another file has taken the name, or the file was written over,
 * and there is a capture in what came; and it is let at a record only when that
 * is there whole.
 */
#ifndef EXECTRACE_FOLLOW_H
#define EXECTRACE_FOLLOW_H

#include <exectrace.h>

#include "say.h"

struct follow;

/* Something that the user has to know while it goes on: one clause. */
typedef void follow_tell(const char *text);

/*
 * name: of a regular file, or one that may come. From now on SIGINT and SIGTERM
 * end the following, as does standard output when nobody reads it any more. -1
 * fills *why.
 */
int follow_open(const char *name, follow_tell *tell, struct follow **out, struct reason *why);
void follow_close(struct follow *f);
/* The directory that files are opened in; borrowed. */
int follow_folder(const struct follow *f);
/*
 * Waits until the reader that is at offset at between two records can go on, at
 * most so many milliseconds (-1: for ever). ended: the last record was END or
 * FOOTER. True also when the file is at its end for good, or when it is to stop.
 */
bool follow_wait(struct follow *f, uint64_t at, bool ended, int milliseconds);
/*
 * The file to read next, after the one before was read to its end. Waits for it,
 * unless follow_wait was true. -1: no more, it is to stop; or no memory.
 */
int follow_next(struct follow *f, struct et_io *out);
/* It was interrupted, or nobody reads standard output. */
bool follow_stopped(const struct follow *f);

#endif
