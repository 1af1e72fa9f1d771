/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.h - events held as columns until they become one record (SPEC.md 5).
 * What et_batch_add may do is in exectrace.h; here is what the encoder sees.
 */
#ifndef ET_BATCH_H
#define ET_BATCH_H

#include "clocks.h"
#include "strings.h"

#include <exectrace.h>

/* Values of a stream, before its transform. */
struct values {
	uint64_t *v;
	uint32_t n, cap;
	uint8_t width;		/* bytes the largest so far takes */
};

/* A column's rows hold those of its kinds alone: et_fields[].kinds. */
struct batch_column {
	struct values part[2];	/* values, ids or counts; items of a list */
	/*
	 * What was added last, as it often comes again at once: the id of a string, or
	 * a list's bytes and where its items lie. 0 and empty: nothing.
	 */
	uint32_t last_id;
	struct buf last_list;
	uint32_t last_items;
};

struct et_batch {
	uint32_t rows;
	uint64_t bytes;		/* raw size, estimated */
	uint64_t items;		/* of all lists */
	uint64_t ts_min, ts_max;
	struct clock_spans spans;
	uint64_t until;		/* latest end of a lost row, ns; 0: none */
	uint64_t kinds[ET_KIND_END];
	struct strings strings;
	struct batch_column columns[ET_FIELD_END];
};

#endif
