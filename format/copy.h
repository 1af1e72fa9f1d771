/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.h - writes records as they were read, with what this version does not know
 * of them; only what speaks of the file around a record is said anew.
 */
#ifndef ET_COPY_H
#define ET_COPY_H

#include "head.h"
#include "writer.h"

/* Starts a segment with the tags of a FILE_HEADER that was read, and a fresh file id. */
int copy_header(struct et_writer *w, const struct buf *head, struct et_error *err);
/*
 * A record with the head h, whose bytes are head; body of NULL: it has none. lost:
 * counts of the segment so far; those of causes that are not known here stay as they
 * are. Of a row record the caller tells writer_note_times afterwards; after END a
 * FOOTER is due.
 */
int copy_record(struct et_writer *w, const struct head *h, const struct buf *head,
		const uint8_t *body, const uint64_t lost[ET_CAUSE_END], struct et_error *err);

#endif
