/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunk.c - decoding the columns of a row record, each when it is first asked
 * for (SPEC.md 5): the streams, and the columns of numbers. What a column claims
 * was bounded when the head was read; here every value that becomes an index is
 * checked.
 */
#include "chunk.h"
#include "clocks.h"
#include "error.h"
#include "transform.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of each buffer. */
#define DECODER_KEEPS (2u << 20)

int chunk_corrupt(const struct et_chunk *c, const char *what, struct et_error *err)
{
	return et_fail(err, ET_CORRUPT, c->at, what);
}

int chunk_new(const struct head *h, const struct schema *schema, struct buf *body, uint64_t at,
	      struct et_chunk **out, struct et_error *err)
{
	struct et_chunk *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c)
		c->streams = malloc((h->n_streams + 1) * sizeof(*c->streams));
	if (!c || !c->streams) {
		free(c);
		buf_free(body);
		return et_fail_nomem(err);
	}
	c->at = at;
	c->body = *body;
	*body = (struct buf){ 0 };
	c->rows = h->rec.rows;
	c->ts_min = h->rec.ts_min;
	c->ts_max = h->rec.ts_max;
	c->n_clocks = h->rec.n_clocks;
	memcpy(c->clocks, h->rec.clocks, sizeof(c->clocks));
	memcpy(c->kind_counts, h->kinds, sizeof(c->kind_counts));
	c->n_streams = h->n_streams;
	memcpy(c->streams, h->streams, h->n_streams * sizeof(*c->streams));
	c->schema.n = schema->n;
	memcpy(c->schema.places, schema->places, sizeof(schema->places));
	memcpy(c->schema.columns, schema->columns, schema->n * sizeof(schema->columns[0]));
	c->decoder = &c->own;
	*out = c;
	return ET_OK;
}

struct et_decoder *et_decoder_new(void)
{
	return calloc(1, sizeof(struct et_decoder));
}

static void decoder_end(struct et_decoder *d)
{
	ZSTD_freeDCtx(d->zstd);
	buf_free(&d->planes);
	buf_free(&d->numbers);
}

void et_decoder_free(struct et_decoder *d)
{
	if (d)
		decoder_end(d);
	free(d);
}

void et_chunk_lend(struct et_chunk *c, struct et_decoder *d)
{
	/* What one large chunk has taken is not kept for small ones. */
	if (c->decoder->planes.cap > DECODER_KEEPS)
		buf_free(&c->decoder->planes);
	if (c->decoder->numbers.cap > DECODER_KEEPS)
		buf_free(&c->decoder->numbers);
	c->decoder = d ? d : &c->own;
}

void et_chunk_free(struct et_chunk *c)
{
	if (!c)
		return;
	for (unsigned k = 0; k <= KIND_MAX; k++)
		free(c->plans[k]);
	for (unsigned i = 0; i <= LIMIT_COLUMN_ID; i++) {
		free(c->cache[i].uints);
		free(c->cache[i].narrow);
		free(c->cache[i].ids);
		free(c->cache[i].spans);
	}
	decoder_end(&c->own);
	buf_free(&c->body);
	buf_free(&c->list);
	free(c->streams);
	free(c->kinds);
	free(c->text);
	free(c->ends);
	free(c);
}

uint32_t et_chunk_rows(const struct et_chunk *c)
{
	return c->rows;
}

int64_t et_chunk_wall(const struct et_chunk *c, uint64_t ts)
{
	return clock_find(c->clocks, c->n_clocks, ts);
}

void chunk_walls(const struct et_chunk *c, const uint64_t *ts, const uint64_t *until, int64_t *lo,
		 int64_t *hi)
{
	*lo = INT64_MAX;
	*hi = INT64_MIN;
	for (uint32_t i = 0; i < c->rows; i++) {
		int64_t first = et_chunk_wall(c, ts[i]), last = first;

		if (until && until[i] != ET_NONE && until[i] > ts[i])
			last = et_chunk_wall(c, until[i]);
		*lo = first < *lo ? first : *lo;
		*hi = last > *hi ? last : *hi;
	}
}

const struct stream *chunk_stream(const struct et_chunk *c, unsigned column, unsigned part)
{
	for (unsigned i = 0; i < c->n_streams; i++) {
		if (c->streams[i].column == column && c->streams[i].part == part)
			return &c->streams[i];
	}
	return NULL;
}

uint32_t chunk_carriers(const struct et_chunk *c, unsigned kinds)
{
	uint64_t n = 0;

	for (unsigned k = 1; k <= KIND_MAX; k++)
		n += kinds >> k & 1 ? c->kind_counts[k] : 0;
	return (uint32_t)n;
}

ZSTD_DCtx *chunk_zstd(struct et_chunk *c)
{
	if (!c->decoder->zstd)
		c->decoder->zstd = ZSTD_createDCtx();
	return c->decoder->zstd;
}

int chunk_decode(struct et_chunk *c, const struct stream *s, uint64_t **out, struct et_error *err)
{
	uint64_t *v;
	int rc;

	*out = NULL;
	if (!stream_known(s))
		return et_fail(err, ET_UNSUPPORTED, c->at, "a column is coded in a way of a later version");
	if (!chunk_zstd(c))
		return et_fail_nomem(err);
	v = malloc(((size_t)s->n + 1) * sizeof(*v));
	if (!v)
		return et_fail_nomem(err);
	rc = stream_get(s, c->body.data + s->at, chunk_zstd(c), &c->decoder->planes, v, c->at, err);
	if (rc) {
		free(v);
		return rc;
	}
	*out = v;
	return ET_OK;
}

int chunk_kinds(struct et_chunk *c, struct et_error *err)
{
	const struct stream *s = chunk_stream(c, ET_F_KIND, 0);
	uint64_t counts[KIND_MAX + 1] = { 0 };
	uint64_t *v = NULL;
	uint8_t *kinds;
	int rc;

	if (c->kinds)
		return ET_OK;
	if (!s || s->n != c->rows || stream_transform(s->encoding))
		return chunk_corrupt(c, "a chunk does not say what kinds its rows are", err);
	kinds = malloc(c->rows);
	if (!kinds)
		return et_fail_nomem(err);
	/* As a rule a byte each, which are then decoded in place. */
	if (stream_known(s) && stream_width(s->encoding) == 1 && chunk_zstd(c))
		rc = stream_get_bytes(s, c->body.data + s->at, chunk_zstd(c), kinds, c->at, err);
	else
		rc = chunk_decode(c, s, &v, err);
	for (uint32_t i = 0; !rc && i < c->rows; i++) {
		uint64_t kind = v ? v[i] : kinds[i];

		kinds[i] = kind <= KIND_MAX ? (uint8_t)kind : 0;
		counts[kinds[i]]++;
	}
	free(v);
	if (!rc && memcmp(counts, c->kind_counts, sizeof(counts)))
		rc = chunk_corrupt(c, "a chunk's kinds are not those that its head counts", err);
	if (rc)
		free(kinds);
	else
		c->kinds = kinds;
	return rc;
}

/* Values of the rows that carry the column, spread over all rows; rows that do not get fill. */
static int spread(struct et_chunk *c, unsigned kinds, uint64_t *v, uint32_t n, uint64_t fill,
		  uint64_t **out, struct et_error *err)
{
	uint64_t *all;
	uint32_t at = 0;

	*out = NULL;
	if (n == c->rows) {
		*out = v;
		return ET_OK;
	}
	all = malloc(c->rows * sizeof(*all));
	if (!all) {
		free(v);
		return et_fail_nomem(err);
	}
	/* n is the number of such rows: head_parse has seen to it. */
	for (uint32_t i = 0; i < c->rows; i++)
		all[i] = kinds >> c->kinds[i] & 1 ? v[at++] : fill;
	free(v);
	*out = all;
	return ET_OK;
}

/*
 * Values of pid or ts of the rows that carry a column: all rows' where n is
 * their number, else put together in *own, which the caller frees.
 */
static int aligned(struct et_chunk *c, unsigned from, unsigned kinds, uint32_t n,
		   const uint64_t **out, uint64_t **own, struct et_error *err)
{
	const uint64_t *all;
	uint32_t at = 0;
	int rc = et_chunk_uints(c, from, &all, err);

	*own = NULL;
	*out = all;
	if (rc || n == c->rows)
		return rc;
	*own = malloc(((size_t)n + 1) * sizeof(**own));
	if (!*own)
		return et_fail_nomem(err);
	for (uint32_t i = 0; i < c->rows; i++) {
		if (kinds >> c->kinds[i] & 1)
			(*own)[at++] = all[i];
	}
	*out = *own;
	return ET_OK;
}

/* The transforms that look at the row's pid; v has n numbers. */
static int undo_by_pid(struct et_chunk *c, const struct et_column *col, bool from_pid, uint64_t *v,
		       uint32_t n, struct et_error *err)
{
	const struct et_column *pid_col = schema_find(&c->schema, ET_F_PID);
	const uint64_t *pid = NULL, *ts = NULL;
	uint64_t *own_pid = NULL, *own_ts = NULL;
	int rc;

	/* The columns it takes to undo it cannot be coded so themselves. */
	if (col->id == ET_F_PID || col->id == ET_F_TS || !pid_col || col->kinds & ~pid_col->kinds)
		return chunk_corrupt(c, "a column is coded by pid that cannot be", err);
	rc = aligned(c, ET_F_PID, col->kinds, n, &pid, &own_pid, err);
	if (!rc && !from_pid)
		rc = aligned(c, ET_F_TS, col->kinds, n, &ts, &own_ts, err);
	if (!rc && from_pid)
		from_pid_decode(v, pid, n);
	else if (!rc && !by_pid_decode(v, pid, ts, n))
		rc = et_fail_nomem(err);
	free(own_pid);
	free(own_ts);
	return rc;
}

int column_undo(struct et_chunk *c, const struct et_column *col, const struct stream *s, uint64_t *v,
		struct et_error *err)
{
	switch (stream_transform(s->encoding)) {
	case TRANSFORM_DELTA:
		delta_decode(v, s->n);
		return ET_OK;
	case TRANSFORM_FIRST_USE:
		first_use_decode(v, s->n);
		return ET_OK;
	case TRANSFORM_NONE:
		return ET_OK;
	default:
		/* Items of a list have no row of their own. */
		if (s->part)
			return chunk_corrupt(c, "a column is coded by pid that cannot be", err);
		return undo_by_pid(c, col, stream_transform(s->encoding) == TRANSFORM_FROM_PID, v,
				   s->n, err);
	}
}

/* ts is stored from the chunk's first on; no row may lie outside what the head says. */
static int place_ts(const struct et_chunk *c, uint64_t *v, struct et_error *err)
{
	for (uint32_t i = 0; i < c->rows; i++) {
		if (v[i] > c->ts_max - c->ts_min)
			return chunk_corrupt(c, "a row's time is not within its chunk's", err);
		v[i] += c->ts_min;
	}
	return ET_OK;
}

int column_load(struct et_chunk *c, const struct et_column *col, uint64_t fill, uint64_t **out,
		struct et_error *err)
{
	const struct stream *s = chunk_stream(c, col->id, 0);
	uint64_t *v;
	int rc = chunk_kinds(c, err);

	*out = NULL;
	if (rc)
		return rc;
	if (!s && col->id == ET_F_TS)
		return chunk_corrupt(c, "rows without a time", err);
	if (!s) {
		v = malloc(c->rows * sizeof(*v));
		if (!v)
			return et_fail_nomem(err);
		for (uint32_t i = 0; i < c->rows; i++)
			v[i] = col->kinds >> c->kinds[i] & 1 ? 0 : fill;
		*out = v;
		return ET_OK;
	}
	rc = chunk_decode(c, s, &v, err);
	if (rc)
		return rc;
	rc = column_undo(c, col, s, v, err);
	if (!rc && col->id == ET_F_TS)
		rc = s->n == c->rows ? place_ts(c, v, err) : chunk_corrupt(c, "rows without a time", err);
	if (rc) {
		free(v);
		return rc;
	}
	return spread(c, col->kinds, v, s->n, fill, out, err);
}

const struct et_column *column_want(struct et_chunk *c, unsigned column, unsigned type,
				    unsigned or_type, int *rc, struct et_error *err)
{
	const struct et_column *col = schema_find(&c->schema, column);

	*rc = ET_OK;
	/* What an earlier version did not record is not known in any row (SPEC.md 8). */
	if (!col && column < ET_FIELD_END && et_fields[column].name) {
		c->absent = (struct et_column){ .id = (uint8_t)column, .type = et_fields[column].type };
		col = &c->absent;
	}
	if (!col)
		*rc = et_fail(err, ET_UNSUPPORTED, c->at, "the capture has no such column");
	else if (col->type != type && col->type != or_type)
		*rc = et_fail(err, ET_UNSUPPORTED, c->at, "a column is of another type than asked for");
	else if (c->cache[column].code)
		*rc = et_fail(err, c->cache[column].code, c->at, c->cache[column].what);
	return *rc ? NULL : col;
}

/* Memory may be there the next time. */
int column_keep_failure(struct column_cache *cache, const struct et_error *e, struct et_error *err)
{
	if (e->code != ET_NOMEM) {
		cache->code = e->code;
		cache->what = e->what;
	}
	if (err)
		*err = *e;
	return e->code;
}

unsigned et_chunk_sizes(const struct et_chunk *c, struct et_column_size *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_streams; i++) {
		const struct stream *s = &c->streams[i];

		/* Parts of a column lie one behind the other. */
		if (!s->part || !i || c->streams[i - 1].column != s->column) {
			if (n < max)
				out[n] = (struct et_column_size){ .column = s->column };
			n++;
		}
		if (n <= max) {
			out[n - 1].stored += s->stored;
			out[n - 1].raw += stream_raw(s);
		}
	}
	return n;
}
