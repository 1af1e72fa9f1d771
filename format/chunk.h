/* SPDX-License-Identifier: BSD-2-Clause */
/* chunk.h - making a chunk of a row record's head and body. */
#ifndef ET_CHUNK_H
#define ET_CHUNK_H

#include "head.h"

/* Takes the body's memory, also when it fails. at: offset of the record. */
int chunk_new(const struct head *h, const struct schema *schema, struct buf *body, uint64_t at,
	      struct et_chunk **out, struct et_error *err);

#endif
