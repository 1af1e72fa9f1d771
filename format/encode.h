/* SPDX-License-Identifier: BSD-2-Clause */
/* encode.h - a batch to the head tags and the body of a row record (SPEC.md 5). */
#ifndef ET_ENCODE_H
#define ET_ENCODE_H

#include "batch.h"
#include "stream.h"

struct encoder;

struct encoder *encoder_new(int level);	/* NULL: no memory */
void encoder_free(struct encoder *e);

/*
 * Appends the batch's streams to body, and to head the tags from ROWS to
 * COLUMNS; lost as in et_writer_batch, latest: of LATEST, NULL for none.
 */
int encode_batch(struct encoder *e, const struct et_batch *b, const uint64_t *lost,
		 const int64_t *latest, struct buf *head, struct buf *body, struct et_error *err);

/* A tag with its value, and lists of (id, number) pairs where the number is not 0. */
void put_tag(struct buf *head, unsigned tag, const struct buf *value);
void put_counts(struct buf *head, unsigned tag, const uint64_t *counts, unsigned n,
		struct buf *scratch);

#endif
