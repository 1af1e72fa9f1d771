/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * numbers.c - the columns of numbers (SPEC.md 5.2), each in the form that takes the
 * least: one number for all rows, numbers as narrow as they are stored, or 64 bits.
 */
#include "chunk.h"
#include "error.h"
#include "transform.h"

#include <stdlib.h>
#include <string.h>

/*
 * Numbers that a reader is given are what is stored, less one where that makes room for
 * a 0 that stands for none: in an ET_OPT it does in the file already, in an ET_UINT that
 * not all rows carry it does here.
 */
static bool is_shifted(const struct et_chunk *c, const struct et_column *col)
{
	return col->type == ET_OPT || chunk_carriers(c, col->kinds) < c->rows;
}

static unsigned width_of(uint64_t v)
{
	return v >> 32 ? 8 : v >> 16 ? 4 : v >> 8 ? 2 : 1;
}

/* By the kind of each row. */
#define FILL(type)                                                                                 \
	do {                                                                                       \
		type *out = cache->narrow, by_kind[KIND_MAX + 1];                                  \
		for (unsigned k = 0; k <= KIND_MAX; k++)                                           \
			by_kind[k] = col->kinds >> k & 1 ? (type)v : 0;                            \
		for (uint32_t i = 0; i < c->rows; i++)                                             \
			out[i] = by_kind[c->kinds[i]];                                             \
	} while (0)

/* One number for all rows that carry the column, none for others. */
static int set_constant(struct et_chunk *c, const struct et_column *col, uint64_t value,
			struct column_cache *cache, struct et_error *err)
{
	uint32_t carriers = chunk_carriers(c, col->kinds);
	bool shifted = is_shifted(c, col);
	uint64_t v = value + (shifted && col->type != ET_OPT);
	unsigned width = width_of(v);
	int rc;

	if (!carriers || carriers == c->rows) {
		cache->stored.value = !carriers ? ET_NONE : v - shifted;
		return ET_OK;
	}
	rc = chunk_kinds(c, err);
	if (rc)
		return rc;
	cache->narrow = malloc((size_t)c->rows * width);
	if (!cache->narrow)
		return et_fail_nomem(err);
	if (width == 1)
		FILL(uint8_t);
	else if (width == 2)
		FILL(uint16_t);
	else if (width == 4)
		FILL(uint32_t);
	else
		FILL(uint64_t);
	cache->stored = (struct et_stored){ cache->narrow, width, shifted, 0 };
	return ET_OK;
}

/* n numbers of type from, for the rows that carry the column, to one of type to for each row. */
#define SPREAD(from, to, more)                                                                     \
	do {                                                                                       \
		const from *numbers = in;                                                          \
		to *out = cache->narrow;                                                           \
		for (uint32_t i = 0, at = 0; i < c->rows; i++)                                     \
			out[i] = col->kinds >> c->kinds[i] & 1 ?                                   \
					 (to)((to)numbers[at++] + (more)) : 0;                        \
	} while (0)

/* Numbers of up to 32 bits as narrow as they are; where one more has to fit in, twice as wide. */
static int load_narrow(struct et_chunk *c, const struct et_column *col, const struct stream *s,
		       struct column_cache *cache, struct et_error *err)
{
	unsigned width = stream_width(s->encoding);
	bool all = s->n == c->rows, shifted = is_shifted(c, col), more = shifted && col->type != ET_OPT;
	unsigned wide = more ? width * 2 : width;
	void *in;
	int rc = all ? ET_OK : chunk_kinds(c, err);

	if (rc)
		return rc;
	cache->narrow = malloc((size_t)c->rows * wide);
	buf_reset(&c->decoder->numbers);
	in = all ? cache->narrow : buf_room(&c->decoder->numbers, (size_t)s->n * width);
	if (!cache->narrow || !in || !chunk_zstd(c))
		return et_fail_nomem(err);
	rc = stream_get_narrow(s, c->body.data + s->at, chunk_zstd(c), &c->decoder->planes, in, c->at,
			       err);
	if (rc)
		return rc;
	/* n is the number of such rows: head_parse has seen to it. */
	if (!all && width == 1 && !more)
		SPREAD(uint8_t, uint8_t, 0);
	else if (!all && width == 1)
		SPREAD(uint8_t, uint16_t, 1);
	else if (!all && width == 2 && !more)
		SPREAD(uint16_t, uint16_t, 0);
	else if (!all && width == 2)
		SPREAD(uint16_t, uint32_t, 1);
	else if (!all && !more)
		SPREAD(uint32_t, uint32_t, 0);
	else if (!all)
		SPREAD(uint32_t, uint64_t, 1);
	cache->stored = (struct et_stored){ cache->narrow, wide, shifted, 0 };
	return ET_OK;
}

/* In 64 bits, where others are needed to decode them. */
static int load_wide(struct et_chunk *c, const struct et_column *col, struct column_cache *cache,
		     struct et_error *err)
{
	/* ET_OPT stores 0 for not known, so one less makes that ET_NONE. */
	int rc = column_load(c, col, col->type == ET_OPT ? 0 : ET_NONE, &cache->uints, err);

	for (uint32_t i = 0; !rc && col->type == ET_OPT && i < c->rows; i++)
		cache->uints[i]--;
	cache->stored = (struct et_stored){ cache->uints, 8, 0, 0 };
	return rc;
}

static int load_stored(struct et_chunk *c, const struct et_column *col, struct column_cache *cache,
		       struct et_error *err)
{
	const struct stream *s = chunk_stream(c, col->id, 0);
	uint64_t value = 0;
	int rc;

	if (s && !stream_known(s))
		return et_fail(err, ET_UNSUPPORTED, c->at, "a column is coded in a way of a later version");
	if (col->id == ET_F_KIND) {
		rc = chunk_kinds(c, err);
		cache->stored = (struct et_stored){ c->kinds, 1, 0, 0 };
	} else if (col->id == ET_F_TS || (s && stream_transform(s->encoding) != TRANSFORM_NONE)) {
		rc = load_wide(c, col, cache, err);
	} else if (!s || stream_packing(s->encoding) == PACK_CONST) {
		rc = s ? stream_get_const(s, c->body.data + s->at, &value, c->at, err) : ET_OK;
		if (!rc)
			rc = set_constant(c, col, value, cache, err);
	} else if (stream_width(s->encoding) < 8) {
		rc = load_narrow(c, col, s, cache, err);
	} else {
		rc = load_wide(c, col, cache, err);
	}
	cache->has_stored = !rc;
	if (rc) {
		free(cache->narrow);
		cache->narrow = NULL;
	}
	return rc;
}

static int want_stored(struct et_chunk *c, unsigned column, struct et_error *err)
{
	struct column_cache *cache;
	const struct et_column *col;
	struct et_error e;
	int rc;

	col = column_want(c, column, ET_UINT, ET_OPT, &rc, err);
	if (!col)
		return rc;
	cache = &c->cache[column];
	if (!cache->has_stored && load_stored(c, col, cache, &e))
		return column_keep_failure(cache, &e, err);
	return ET_OK;
}

int et_chunk_stored(struct et_chunk *c, unsigned column, struct et_stored *out, struct et_error *err)
{
	int rc = want_stored(c, column, err);

	*out = rc ? (struct et_stored){ 0 } : c->cache[column].stored;
	return rc;
}

static uint64_t *widen(const struct et_stored *st, uint32_t rows)
{
	uint64_t *v = malloc(rows * sizeof(*v));

	if (!v)
		return NULL;
	for (uint32_t i = 0; i < rows; i++)
		v[i] = et_stored_number(st, i);
	return v;
}

int et_chunk_uints(struct et_chunk *c, unsigned column, const uint64_t **out, struct et_error *err)
{
	struct column_cache *cache;
	int rc = want_stored(c, column, err);

	*out = NULL;
	if (rc)
		return rc;
	cache = &c->cache[column];
	if (!cache->uints)
		cache->uints = widen(&cache->stored, c->rows);
	*out = cache->uints;
	return *out ? ET_OK : et_fail_nomem(err);
}

/* Of a column as it is handed out, a row. */
static unsigned row_size(const struct et_column *col, const struct stream *s)
{
	if (col->type != ET_UINT && col->type != ET_OPT)
		return 8;
	if (!s)
		return 1;
	return stream_transform(s->encoding) || col->id == ET_F_TS ? 8 : 2 * stream_width(s->encoding);
}

uint64_t et_chunk_memory(const struct et_chunk *c)
{
	uint64_t bytes = sizeof(*c), widest = 0;
	unsigned at = 0;

	for (unsigned i = 0; i < c->schema.n; i++) {
		const struct et_column *col = &c->schema.columns[i];

		while (at < c->n_streams && c->streams[at].column < col->id)
			at++;
		bytes += (uint64_t)c->rows * row_size(col, at < c->n_streams &&
			 c->streams[at].column == col->id && !c->streams[at].part ?
				 &c->streams[at] : NULL);
	}
	for (unsigned i = 0; i < c->n_streams; i++) {
		const struct stream *s = &c->streams[i];
		uint64_t work = s->n * 8ull + stream_raw(s);

		bytes += s->stored;
		if (s->part || !s->column)
			bytes += (uint64_t)s->n * (s->column || !s->part ? 4 : 1);
		widest = work > widest ? work : widest;
	}
	return bytes + widest;
}
