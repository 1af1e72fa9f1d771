/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * series.h - the files of a recording that goes on in one file after the other: what the
 * next one is called, and which of the oldest have to go so that all together stay within
 * what the user allows, at every moment.
 *
 * Files of earlier recordings of the same name belong to it. A filer makes and removes
 * them. Used by one thread at a time.
 */
#ifndef EXECTRACE_SERIES_H
#define EXECTRACE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

struct filer;
struct series;

struct series_options {
	const char *path;	/* as the user gave it; borrowed */
	const char *base;	/* its last component; borrowed */
	uint64_t keep_files;	/* at most so many; 0: all */
	uint64_t keep_bytes;	/* of the disk at most; 0: no bound */
};

/* NULL: no memory. filer is borrowed. */
struct series *series_new(const struct series_options *opt, struct filer *filer);
void series_free(struct series *s);	/* NULL is fine */

/*
 * Whether another file could have a name later than all that are there. 0 or an errno, as
 * of series_make; EOVERFLOW: there is one with the last name that can be.
 */
int series_check(struct series *s);
/*
 * Makes the next file. 0 or an errno. It becomes the current one by series_next; the one
 * before is complete then.
 */
int series_make(struct series *s, int *fd);
/* What such an errno means here: a clause. */
const char *series_why(int error);
void series_next(struct series *s);
/*
 * Removes the oldest until there are as few as are to be kept, with the current one and so
 * many more. 0 or an errno: one cannot be removed, nor another in its place.
 */
int series_thin(struct series *s, unsigned more);
/*
 * To be called before the current file grows to so many bytes: makes room. 0, EDQUOT where
 * that cannot be, or another errno.
 */
int series_room(struct series *s, uint64_t bytes);
/* Removes the current file, which was not kept. */
void series_discard(struct series *s);
/* The names that were made so far are on the disk then. 0 or an errno. */
int series_sync(struct series *s);
/* Path of the current file, as the user would write it; "" before the first. */
const char *series_path(const struct series *s);
/* Made so far. */
uint64_t series_made(const struct series *s);

#endif
