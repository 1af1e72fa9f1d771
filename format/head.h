/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head.h - what a record's head says, checked as far as it can be without the
 * body (SPEC.md 3.2). A head that breaks a rule is refused whole.
 */
#ifndef ET_HEAD_H
#define ET_HEAD_H

#include "fields.h"
#include "bounds.h"
#include "record.h"
#include "stream.h"

struct schema {
	unsigned n;
	uint8_t places[LIMIT_COLUMN_ID + 1];	/* of a column id: its index + 1, or 0 */
	struct et_column columns[LIMIT_COLUMN_ID];
};

/* The column of an id, or NULL. */
static inline const struct et_column *schema_find(const struct schema *s, unsigned id)
{
	unsigned place = id <= LIMIT_COLUMN_ID ? s->places[id] : 0;

	return place ? &s->columns[place - 1] : NULL;
}

#define STREAMS_LIMIT (2 * (LIMIT_COLUMN_ID + 1))

struct head {
	struct et_record rec;
	/* FILE_HEADER */
	struct schema schema;
	uint64_t incompat;
	bool has_version;
	unsigned major;
	uint64_t clock;
	/* All but FILE_HEADER and FOOTER */
	bool has_place;
	uint64_t place, names_back;
	/* END */
	bool has_step_back;
	uint64_t step_back;
	/* FOOTER */
	uint64_t end_at, segment_len;
	/* Row records */
	uint64_t kinds[KIND_MAX + 1];	/* also of kinds this library does not know */
	uint32_t stats_unknown;	/* bit i: rec.stats[i] has the stored number 0 of an ET_OPT */
	unsigned n_streams;
	struct stream streams[STREAMS_LIMIT];
};

/*
 * Fills h from the head of a record at offset at. schema: of the segment, for
 * row records. Strings in h->rec are borrowed from data.
 */
int head_parse(struct head *h, const struct frame *f, const uint8_t *data, uint64_t at,
	       const struct schema *schema, struct et_error *err);

#endif
