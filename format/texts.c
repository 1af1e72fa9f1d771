/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * texts.c - the strings of a row record, and the columns of strings and of lists,
 * which name them by id (SPEC.md 5.4). No id or span that is not within its table
 * gets out of here.
 */
#include "chunk.h"
#include "error.h"
#include "transform.h"

#include <stdlib.h>
#include <string.h>

static int load_strings(struct et_chunk *c, uint32_t *n, struct et_error *err)
{
	const struct stream *lengths = chunk_stream(c, 0, 0), *bytes = chunk_stream(c, 0, 1);
	uint64_t *v = NULL, end = 0;
	uint32_t size = bytes ? bytes->n : 0;
	int rc = ET_OK;

	*n = 0;
	if (!lengths && bytes)
		return chunk_corrupt(c, "strings are shorter than their bytes", err);
	if (c->have_strings || !lengths) {
		*n = c->n_strings;
		return ET_OK;
	}
	if (stream_transform(lengths->encoding) || (bytes && bytes->encoding & ~PACK_BITS))
		return chunk_corrupt(c, "strings are coded in a way that strings cannot be", err);
	if (bytes && !stream_known(bytes))
		return et_fail(err, ET_UNSUPPORTED, c->at, "strings are coded in a way of a later version");
	rc = chunk_decode(c, lengths, &v, err);
	if (rc)
		return rc;
	c->text = malloc((size_t)size + 1);
	c->ends = malloc(((size_t)lengths->n + 1) * sizeof(*c->ends));
	if (!c->text || !c->ends)
		rc = et_fail_nomem(err);
	if (!rc && bytes)
		rc = stream_get_bytes(bytes, c->body.data + bytes->at, chunk_zstd(c), (uint8_t *)c->text,
				      c->at, err);
	for (uint32_t i = 0; !rc && i < lengths->n; i++) {
		if (v[i] > LIMIT_STRING || v[i] > size - end)
			rc = chunk_corrupt(c, "strings are longer than their bytes", err);
		end += v[i];
		c->ends[i] = (uint32_t)end;
		c->longest = v[i] > c->longest ? (uint32_t)v[i] : c->longest;
	}
	if (!rc && end != size)
		rc = chunk_corrupt(c, "strings are shorter than their bytes", err);
	if (!rc && size && memchr(c->text, 0, size))
		rc = chunk_corrupt(c, "a string holds a NUL", err);
	free(v);
	if (rc) {
		free(c->text);
		free(c->ends);
		c->text = NULL;
		c->ends = NULL;
		return rc;
	}
	c->n_strings = lengths->n;
	c->have_strings = true;
	*n = c->n_strings;
	return ET_OK;
}

int et_chunk_strings(struct et_chunk *c, uint32_t *n, struct et_error *err)
{
	struct column_cache *cache = &c->cache[0];
	struct et_error e;

	/* Every column of strings asks: what cannot be read is not unpacked for each. */
	*n = 0;
	if (cache->code)
		return et_fail(err, cache->code, c->at, cache->what);
	return load_strings(c, n, &e) ? column_keep_failure(cache, &e, err) : ET_OK;
}

struct et_str et_chunk_str(const struct et_chunk *c, uint32_t id)
{
	uint32_t start;

	if (!id || id > c->n_strings)
		return (struct et_str){ NULL, 0 };
	start = id > 1 ? c->ends[id - 2] : 0;
	return (struct et_str){ c->text + start, c->ends[id - 1] - start };
}

/* Strings of the chunk, by its head. */
static uint32_t table_size(const struct et_chunk *c)
{
	const struct stream *lengths = chunk_stream(c, 0, 0);

	return lengths ? lengths->n : 0;
}

static int no_such_string(const struct et_chunk *c, struct et_error *err)
{
	return chunk_corrupt(c, "a row names a string that the chunk does not have", err);
}

/* Stored numbers as string ids, all within the table. Frees v. */
static int to_ids(struct et_chunk *c, uint64_t *v, uint32_t n, uint32_t min, uint32_t **out,
		  struct et_error *err)
{
	uint32_t *ids, strings;
	int rc = et_chunk_strings(c, &strings, err);

	*out = NULL;
	ids = rc ? NULL : malloc(((size_t)n + 1) * sizeof(*ids));
	if (!rc && !ids)
		rc = et_fail_nomem(err);
	for (uint32_t i = 0; !rc && i < n; i++) {
		if (v[i] < min || v[i] > strings)
			rc = no_such_string(c, err);
		ids[i] = (uint32_t)v[i];
	}
	free(v);
	if (rc)
		free(ids);
	else
		*out = ids;
	return rc;
}

/* What a stream of ids that go by first use, or by nothing, is decoded with. */
struct id_decoder {
	const uint8_t *kinds;	/* of the rows; NULL: each has a number */
	unsigned carriers;	/* bits of those that have */
	bool first_use;
	uint32_t min, max;	/* an id lies between */
};

/* n ids of numbers of one width; false: some are not between min and max. */
#define DECODE_IDS(name, type)                                                                     \
	static bool name(const struct id_decoder *d, const type *in, uint32_t *out, uint32_t n)    \
	{                                                                                          \
		uint64_t largest = 0;                                                              \
		bool bad = false;                                                                  \
		for (uint32_t i = 0; i < n; i++) {                                                 \
			uint64_t v;                                                                \
			if (d->kinds && !(d->carriers >> d->kinds[i] & 1)) {                       \
				out[i] = 0;                                                        \
				continue;                                                          \
			}                                                                          \
			v = *in++;                                                                 \
			if (d->first_use) {                                                        \
				v = v ? v - 1 : largest + 1;                                       \
				largest = v > largest ? v : largest;                               \
			}                                                                          \
			bad |= v < d->min || v > d->max;                                           \
			out[i] = (uint32_t)v;                                                      \
		}                                                                                  \
		return !bad;                                                                       \
	}

DECODE_IDS(decode_ids_8, uint8_t)
DECODE_IDS(decode_ids_16, uint16_t)
DECODE_IDS(decode_ids_32, uint32_t)

/* Whether ids can be decoded at once, and not by way of 64 bits. */
static bool is_simple(const struct stream *s)
{
	unsigned transform = stream_transform(s->encoding);

	return stream_known(s) && stream_width(s->encoding) < 8 &&
	       (transform == TRANSFORM_NONE || transform == TRANSFORM_FIRST_USE);
}

/* rows: 0: one id for each number of the stream; else one for each row, 0 where col's kinds have none. */
static int decode_ids(struct et_chunk *c, const struct et_column *col, const struct stream *s,
		      uint32_t rows, uint32_t **out, struct et_error *err)
{
	struct id_decoder d = {
		.carriers = col->kinds,
		.first_use = stream_transform(s->encoding) == TRANSFORM_FIRST_USE,
		.min = rows ? 0 : 1,
	};
	uint32_t n = rows ? rows : s->n, *ids = NULL;
	bool spread = n != s->n, good;
	int rc = spread ? chunk_kinds(c, err) : ET_OK;
	void *in;

	if (rc)
		return rc;
	d.kinds = spread ? c->kinds : NULL;
	buf_reset(&c->decoder->numbers);
	in = buf_room(&c->decoder->numbers, stream_raw(s));
	if (!in || !chunk_zstd(c))
		return et_fail_nomem(err);
	rc = stream_get_narrow(s, c->body.data + s->at, chunk_zstd(c), &c->decoder->planes, in,
			       c->at, err);
	if (rc)
		return rc;
	ids = malloc(((size_t)n + 1) * sizeof(*ids));
	if (!ids)
		return et_fail_nomem(err);
	d.max = table_size(c);
	good = stream_width(s->encoding) == 1   ? decode_ids_8(&d, in, ids, n)
	       : stream_width(s->encoding) == 2 ? decode_ids_16(&d, in, ids, n)
						: decode_ids_32(&d, in, ids, n);
	if (!good)
		rc = no_such_string(c, err);
	if (!rc)
		rc = et_chunk_strings(c, &n, err);
	if (rc)
		free(ids);
	else
		*out = ids;
	return rc;
}

/* One id for each row. */
static int load_ids(struct et_chunk *c, const struct et_column *col, uint32_t **out,
		    struct et_error *err)
{
	const struct stream *s = chunk_stream(c, col->id, 0);
	uint64_t *v;
	int rc;

	if (s && is_simple(s))
		return decode_ids(c, col, s, c->rows, out, err);
	rc = column_load(c, col, 0, &v, err);
	return rc ? rc : to_ids(c, v, c->rows, 0, out, err);
}

int et_chunk_ids(struct et_chunk *c, unsigned column, const uint32_t **out, struct et_error *err)
{
	const struct et_column *col;
	struct column_cache *cache;
	struct et_error e;
	int rc;

	*out = NULL;
	col = column_want(c, column, ET_STR, ET_STR, &rc, err);
	if (!col)
		return rc;
	cache = &c->cache[column];
	if (!cache->ids && load_ids(c, col, &cache->ids, &e))
		return column_keep_failure(cache, &e, err);
	*out = cache->ids;
	return ET_OK;
}

/* Counts of items to spans; stored count 0 is not known, else one more than the count. */
static int to_spans(struct et_chunk *c, const uint64_t *counts, uint32_t items,
		    struct et_span **out, struct et_error *err)
{
	struct et_span *spans = malloc(c->rows * sizeof(*spans));
	uint64_t at = 0;

	*out = NULL;
	if (!spans)
		return et_fail_nomem(err);
	for (uint32_t i = 0; i < c->rows; i++) {
		uint64_t n = counts[i] ? counts[i] - 1 : 0;

		if (n > items - at) {
			free(spans);
			return chunk_corrupt(c, "lists have more items than there are", err);
		}
		spans[i] = (struct et_span){ (uint32_t)at, counts[i] ? (uint32_t)n : UINT32_MAX };
		at += n;
	}
	if (at != items) {
		free(spans);
		return chunk_corrupt(c, "lists have fewer items than there are", err);
	}
	*out = spans;
	return ET_OK;
}

/* The items of all lists of a column, part 1. */
static int load_items(struct et_chunk *c, const struct et_column *col, const struct stream *items,
		      uint32_t **out, struct et_error *err)
{
	uint64_t *v = NULL;
	int rc = ET_OK;

	*out = NULL;
	if (items && is_simple(items))
		return decode_ids(c, col, items, 0, out, err);
	if (items) {
		rc = chunk_decode(c, items, &v, err);
		if (!rc)
			rc = column_undo(c, col, items, v, err);
		if (rc) {
			free(v);
			return rc;
		}
	}
	return to_ids(c, v, items ? items->n : 0, 1, out, err);
}

/* No list may be longer than the format allows, with a NUL behind each item. */
static int check_spans(const struct et_chunk *c, const struct et_span *spans, const uint32_t *ids,
		       struct et_error *err)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < c->rows; i++)
		if (spans[i].n != UINT32_MAX && spans[i].n > most)
			most = spans[i].n;
	if (most * (c->longest + 1ull) <= LIMIT_LIST)
		return ET_OK;
	for (uint32_t i = 0; i < c->rows; i++) {
		uint64_t size = 0;

		for (uint32_t k = 0; spans[i].n != UINT32_MAX && k < spans[i].n; k++)
			size += et_chunk_str(c, ids[spans[i].first + k]).len + 1u;
		if (size > LIMIT_LIST)
			return chunk_corrupt(c, "a list is longer than the format allows", err);
	}
	return ET_OK;
}

/* Which items, already decoded into ids, each row has. */
static int load_spans(struct et_chunk *c, const struct et_column *col, uint32_t items,
		      const uint32_t *ids, struct et_span **out, struct et_error *err)
{
	uint64_t *v;
	int rc = column_load(c, col, 0, &v, err);

	*out = NULL;
	if (!rc)
		rc = to_spans(c, v, items, out, err);
	free(v);
	if (!rc)
		rc = check_spans(c, *out, ids, err);
	if (rc) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

int et_chunk_lists(struct et_chunk *c, unsigned column, const struct et_span **spans,
		   const uint32_t **ids, struct et_error *err)
{
	const struct stream *items = chunk_stream(c, column, 1);
	const struct et_column *col;
	struct column_cache *cache;
	struct et_error e;
	int rc;

	*spans = NULL;
	*ids = NULL;
	col = column_want(c, column, ET_LIST, ET_LIST, &rc, err);
	if (!col)
		return rc;
	cache = &c->cache[column];
	if ((!cache->ids && load_items(c, col, items, &cache->ids, &e)) ||
	    (!cache->spans &&
	     load_spans(c, col, items ? items->n : 0, cache->ids, &cache->spans, &e)))
		return column_keep_failure(cache, &e, err);
	*spans = cache->spans;
	*ids = cache->ids;
	return ET_OK;
}
