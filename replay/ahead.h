/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahead.h - the records of a feed's source in the order of the file, with their rows made
 * by a crew that is some records ahead. Whatever the crew's size: what is told, counted
 * and handed out is the same.
 *
 * The feed's thread goes ahead over the heads of records and adds a job for each whose
 * rows may be wanted. What decides on rows, names and the filter bound to them, stands
 * still meanwhile: it goes no further than a record that could change them until all
 * before that one were taken.
 */
#ifndef EXECTRACE_AHEAD_H
#define EXECTRACE_AHEAD_H

#include "feed.h"
#include "unit.h"

/*
 * The next record: ET_OK, and *out is the caller's, until unit_free; NULL at the end. It
 * was reached, not accounted for (source.h). ET_NOMEM.
 */
int ahead_next(struct feed *f, struct unit **out);
/* Takes the record of the unit, and binds the filter. ET_OK or ET_NOMEM. */
int ahead_take(struct feed *f, struct unit *u);
/*
 * The rows of a unit that was taken: *have is set when there are any that are wanted, and
 * the chunk is decoded as far as the filter needs. What is wrong was told. ET_OK or ET_NOMEM.
 */
int ahead_rows(struct feed *f, struct unit *u, bool *have);
/*
 * Only checks the body of a unit that was taken, where ahead_rows is not called: *good is
 * false if it is damaged, which was told. ET_OK or ET_NOMEM.
 */
int ahead_check(struct feed *f, struct unit *u, bool *good);
/* The caller has no more use for it. */
void ahead_free(struct feed *f, struct unit *u);
/* Gives up what was read ahead. */
void ahead_end(struct feed *f);

#endif
