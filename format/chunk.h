/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunk.h - the rows of a record as they are decoded: chunk.c makes a chunk of a
 * head and a body and decodes its columns, texts.c those of strings, event.c puts
 * rows together.
 */
#ifndef ET_CHUNK_H
#define ET_CHUNK_H

#include "head.h"

/*
 * A decoded column; which member counts follows from its type. One that could not
 * be decoded is not tried again for every row: what keeps why.
 */
struct column_cache {
	struct et_stored stored; /* numbers, where has_stored; v is narrow or uints */
	bool has_stored;
	void *narrow;
	uint64_t *uints;
	uint32_t *ids;		/* rows ids, or all items of a list */
	struct et_span *spans;
	enum et_code code;	/* ET_OK: none of that */
	const char *what;
};

/* Of a chunk of et_reader_later: the body's place, and how reading it went. */
struct late_body {
	struct et_io io;	/* the reader's, borrowed */
	uint64_t at, size;	/* of the body; of the record */
	uint32_t len, crc;
	bool unread;
	enum et_code code;
	int sys;
	const char *what;
};

struct et_decoder {
	ZSTD_DCtx *zstd;	/* NULL until it is needed */
	struct buf planes;	/* as they lie in a stream */
	struct buf numbers;	/* of a stream, on their way into a column */
};

struct et_chunk {
	uint64_t at;
	struct late_body late;
	struct buf body;
	uint32_t rows;
	uint64_t ts_min, ts_max;
	unsigned n_clocks;
	struct et_clock clocks[ET_CLOCKS_MAX];
	uint64_t kind_counts[KIND_MAX + 1];
	unsigned n_streams;
	struct stream *streams;
	struct schema schema;
	struct et_decoder own;
	struct et_decoder *decoder; /* lent, or own */
	uint8_t *kinds;		/* of each row; NULL until decoded */
	bool have_strings;
	uint32_t n_strings, longest; /* longest: bytes of one */
	char *text;		/* all strings */
	uint32_t *ends;		/* offset in text behind string id at [id - 1] */
	struct et_column absent;	/* a field that the schema lacks, as it was last asked for */
	struct column_cache cache[LIMIT_COLUMN_ID + 1];
	/* Of et_chunk_event: the columns that rows of a kind have, and the lists of a row. */
	struct row_plan *plans[KIND_MAX + 1];
	struct buf list;
};

/* Takes the body's memory, also when it fails. at: offset of the record. */
int chunk_new(const struct head *h, const struct schema *schema, struct buf *body, uint64_t at,
	      struct et_chunk **out, struct et_error *err);
/* Decodes the kind of every row into c->kinds, and checks it against the head's counts. */
int chunk_kinds(struct et_chunk *c, struct et_error *err);
/* Wall times between which its rows lie, by its columns ts and until, which may be NULL. */
void chunk_walls(const struct et_chunk *c, const uint64_t *ts, const uint64_t *until, int64_t *lo,
		 int64_t *hi);

/* ---- Between the files that decode columns ----------------------------------------- */

int chunk_corrupt(const struct et_chunk *c, const char *what, struct et_error *err);
/* NULL: it has none. */
const struct stream *chunk_stream(const struct et_chunk *c, unsigned column, unsigned part);
/* How many rows carry a column of these kinds, by the counts of the head. */
uint32_t chunk_carriers(const struct et_chunk *c, unsigned kinds);
/* What decoding zstd takes; NULL: no memory. */
ZSTD_DCtx *chunk_zstd(struct et_chunk *c);
/* Decodes a stream into fresh memory, before any transform. */
int chunk_decode(struct et_chunk *c, const struct stream *s, uint64_t **out, struct et_error *err);
/* Takes back the transform of a stream of col; v has its numbers. */
int column_undo(struct et_chunk *c, const struct et_column *col, const struct stream *s, uint64_t *v,
		struct et_error *err);
/*
 * Part 0 of a column as stored numbers, one for each row; rows that do not
 * carry it, and all rows where the column is absent, get 0 or fill.
 */
int column_load(struct et_chunk *c, const struct et_column *col, uint64_t fill, uint64_t **out,
		struct et_error *err);
/* The column to decode, of one of these types; NULL: *rc says what et_chunk_* returns. */
const struct et_column *column_want(struct et_chunk *c, unsigned column, unsigned type,
				    unsigned or_type, int *rc, struct et_error *err);
/* Keeps the failure of a column, and returns it. */
int column_keep_failure(struct column_cache *cache, const struct et_error *e, struct et_error *err);

#endif
