/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seek.h - passing over what lies outside of a range of times without reading it
 * (SPEC.md 6.5).
 *
 * There is no index: row records say themselves what is before them, so the
 * beginning of a range is found by halving what is left of the input, also in a
 * capture that was never ended. What is found is checked as any record is, and
 * where anything is not as it should be the reader simply reads on.
 */
#ifndef ET_SEEK_H
#define ET_SEEK_H

#include <stdbool.h>
#include <exectrace.h>

struct et_reader;
struct seek;

/* NULL: no memory. */
struct seek *seek_new(int64_t since, int64_t until);
void seek_free(struct seek *s);
/*
 * Called before the next record is read, when nothing of the one before is
 * pending: moves the reader to where it may go on, or leaves it where it is.
 */
int seek_next(struct seek *s, struct et_reader *r, struct et_error *err);
/* Called with each row record; true: neither it nor those behind it are wanted. */
bool seek_ends(const struct seek *s, const struct et_record *rec);
/* Has seek_next go to the end of the segment, by way of the names in between. */
int seek_to_end(struct seek *s, struct et_reader *r, struct et_error *err);

#endif
