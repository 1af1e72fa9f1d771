/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classes.h - rows of a chunk in classes: all rows of one have the same key. It takes
 * the columns of the chunk as they are, numbers and string ids, so that a key is put
 * together once for each class and not for each row.
 *
 * Two classes may still have the same key, where it is less than the columns it follows
 * from: users of one name, times of the same hour in two zones.
 */
#ifndef EXECTRACE_CLASSES_H
#define EXECTRACE_CLASSES_H

#include "keys.h"
#include "pairs.h"

/* Start it zeroed; its memory serves one chunk after the other. */
struct classes {
	uint32_t *of;	 /* the class of picked.rows[i] */
	uint32_t *first; /* of each class, an index of picked.rows */
	uint32_t n;
	uint32_t *mark;	 /* for each class, whatever the caller wants to know of it */

	/* The rest is its own. */
	uint32_t cap;
	uint64_t *numbers;
	uint32_t *numbered; /* for each string of the chunk the class and one */
	size_t numbered_cap;
	struct pairs pairs;
};

void classes_free(struct classes *c);
/* ET_OK, ET_NOMEM, or what reading a column gave that only a later version can read: none. */
int classes_make(struct classes *c, const struct keys *k, const struct picked *p);

#endif
