/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * texts.c - the strings of a row record, and the columns of strings and of lists,
 * which name them by id (SPEC.md 5.4). No id or span that is not within its table
 * gets out of here.
 */
#include "chunk.h"
#include "error.h"

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
	rc = chunk_load(c, lengths, &v, err);
	if (rc)
		return rc;
	c->text = malloc((size_t)size + 1);
	c->ends = malloc(((size_t)lengths->n + 1) * sizeof(*c->ends));
	if (!c->text || !c->ends)
		rc = et_fail_nomem(err);
	if (!rc && bytes)
		rc = stream_get_bytes(bytes, c->body.data + bytes->at, c->zstd, (uint8_t *)c->text,
				      c->at, err);
	for (uint32_t i = 0; !rc && i < lengths->n; i++) {
		if (v[i] > LIMIT_STRING || v[i] > size - end)
			rc = chunk_corrupt(c, "strings are longer than their bytes", err);
		end += v[i];
		c->ends[i] = (uint32_t)end;
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
			rc = chunk_corrupt(c, "a row names a string that the chunk does not have", err);
		ids[i] = (uint32_t)v[i];
	}
	free(v);
	if (rc)
		free(ids);
	else
		*out = ids;
	return rc;
}

int et_chunk_ids(struct et_chunk *c, unsigned column, const uint32_t **out, struct et_error *err)
{
	const struct et_column *col;
	struct column_cache *cache;
	struct et_error e;
	uint64_t *v;
	int rc;

	*out = NULL;
	col = column_want(c, column, ET_STR, ET_STR, &rc, err);
	if (!col)
		return rc;
	cache = &c->cache[column];
	if (!cache->ids && (column_load(c, col, 0, &v, &e) || to_ids(c, v, c->rows, 0, &cache->ids, &e)))
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
	if (items) {
		rc = chunk_load(c, items, &v, err);
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
