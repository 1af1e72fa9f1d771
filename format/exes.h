/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exes.h - the table of executables that EXES records make (SPEC.md 3.8): a file that
 * ran is its path, device, inode, size and time; what a later record says of the same
 * takes the place of what an earlier one said.
 */
#ifndef ET_EXES_H
#define ET_EXES_H

#include "bytes.h"

#include <exectrace.h>

/* Zero, but for the seed, it is empty. */
struct exes {
	struct et_exe *v; /* their strings are the table's */
	size_t n, cap;
	uint32_t *slots; /* places in v, from 1; 0: free */
	size_t n_slots;  /* a power of two, or 0 */
	uint64_t seed;   /* of mix.h */
};

/* The next executable of a body, its strings borrowed; false and b failed: it is none. */
bool exes_next(struct cursor *b, struct et_exe *out);
/* A copy into the table. ET_OK, ET_NOMEM, or ET_LIMIT: the table is full. */
int exes_put(struct exes *t, const struct et_exe *e);
void exes_clear(struct exes *t);
void exes_free(struct exes *t);

#endif
