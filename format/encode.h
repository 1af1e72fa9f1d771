/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * encode.h - a batch to a record's body and to those tags of its head that no other
 * record has a say in (SPEC.md 5). What a packer does is in exectrace.h; here is what
 * the writer sees of it.
 */
#ifndef ET_ENCODE_H
#define ET_ENCODE_H

#include "batch.h"
#include "stream.h"

struct et_packed {
	struct et_error failure;	/* code ET_OK: none, and all below is whole */
	enum et_record_type type;
	uint32_t rows;		/* 0: there is nothing to write */
	uint64_t kinds[ET_KIND_END];
	int64_t lo, hi;		/* wall-clock times between which the rows lie */
	struct buf first;	/* of the head: ROWS, TIME, REALTIME */
	struct buf rest;	/* KINDS to COLUMNS */
	struct buf body;
};

/* A tag with its value, and lists of (id, number) pairs where the number is not 0. */
void put_tag(struct buf *head, unsigned tag, const struct buf *value);
void put_counts(struct buf *head, unsigned tag, const uint64_t *counts, unsigned n,
		struct buf *scratch);

#endif
