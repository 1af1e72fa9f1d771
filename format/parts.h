/* SPDX-License-Identifier: BSD-2-Clause */
/* parts.h - which segments of recordings of several an input has (SERIES of SPEC.md 3.2). */
#ifndef ET_PARTS_H
#define ET_PARTS_H

#include <exectrace.h>

/* More are not told apart: then nothing is said of those. */
#define PARTS_MAX 65536

/* Start it zeroed. */
struct parts {
	struct part *v;
	size_t n, cap;
};

/* The FILE_HEADER of a segment. False: no memory. */
bool parts_add(struct parts *p, const struct et_record *rec);
/* How many are missing between the numbers of others. */
uint64_t parts_missing(struct parts *p);
void parts_free(struct parts *p);

#endif
