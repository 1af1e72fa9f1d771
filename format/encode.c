/* SPDX-License-Identifier: BSD-2-Clause */
/* encode.c - columns to streams, and the tags that describe them (SPEC.md 5). */
#include "encode.h"
#include "comms.h"
#include "fields.h"
#include "bounds.h"
#include "record.h"
#include "transform.h"

#include <stdlib.h>
#include <string.h>

#define LEVEL_DEFAULT 3
/*
 * 256 KiB. Only strings and long lists take more in one stream, and cost at most a
 * thousandth more in what was measured; zstd's tables take 5 MiB at level 19, not 81.
 */
#define WINDOW_LOG 18
#define STREAMS_MAX (2 * ET_FIELD_END)
/* Columns whose distinct values a head lists, for skipping chunks unread. */
static const uint8_t stat_columns[] = { ET_F_PID, ET_F_UID };
#define STAT_SET 16

struct et_packer {
	struct stream_coder coder;
	struct buf moved;	/* a column after its transform: uint64_t each */
	struct buf base;	/* ts relative to the chunk's first */
	struct buf pids, times;	/* of the rows that carry a column */
	struct buf value;	/* of a tag */
	struct stream streams[STREAMS_MAX];
	unsigned n_streams;
};

int et_packer_new(int level, struct et_packer **out, struct et_error *err)
{
	struct et_packer *e;

	*out = NULL;
	if (level < 0 || level > 19)
		return et_fail(err, ET_MISUSE, 0, "the level is not between 1 and 19");
	e = calloc(1, sizeof(*e));
	if (!e)
		return et_fail_nomem(err);
	e->coder.zstd = ZSTD_createCCtx();
	if (!e->coder.zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->coder.zstd, ZSTD_c_compressionLevel,
						level ? level : LEVEL_DEFAULT)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->coder.zstd, ZSTD_c_windowLog, WINDOW_LOG))) {
		ZSTD_freeCCtx(e->coder.zstd);
		free(e);
		return et_fail_nomem(err);
	}
	*out = e;
	return ET_OK;
}

void et_packer_free(struct et_packer *e)
{
	if (!e)
		return;
	ZSTD_freeCCtx(e->coder.zstd);
	buf_free(&e->coder.planes);
	buf_free(&e->moved);
	buf_free(&e->base);
	buf_free(&e->pids);
	buf_free(&e->times);
	buf_free(&e->value);
	free(e);
}

struct et_packed *et_packed_new(void)
{
	return calloc(1, sizeof(struct et_packed));
}

void et_packed_free(struct et_packed *p)
{
	if (!p)
		return;
	buf_free(&p->first);
	buf_free(&p->rest);
	buf_free(&p->body);
	free(p);
}

uint64_t et_packed_memory(const struct et_packed *p)
{
	return sizeof(*p) + p->first.cap + p->rest.cap + p->body.cap;
}

void put_tag(struct buf *head, unsigned tag, const struct buf *value)
{
	buf_varint(head, tag);
	buf_bytes(head, value->data, value->len);
	head->failed |= value->failed;
}

void put_counts(struct buf *head, unsigned tag, const uint64_t *counts, unsigned n,
		struct buf *scratch)
{
	buf_reset(scratch);
	for (unsigned i = 1; i < n; i++) {
		if (counts[i]) {
			buf_varint(scratch, i);
			buf_varint(scratch, counts[i]);
		}
	}
	put_tag(head, tag, scratch);
}

static struct stream *new_stream(struct et_packer *e, unsigned column, unsigned part)
{
	struct stream *s = &e->streams[e->n_streams++];

	*s = (struct stream){ .column = (uint8_t)column, .part = (uint8_t)part };
	return s;
}

static int put_strings(struct et_packer *e, const struct strings *t, struct buf *body,
		       struct et_error *err)
{
	int rc;

	if (!t->n)
		return ET_OK;
	rc = stream_put(&e->coder, t->lengths, t->n, TRANSFORM_NONE, body, new_stream(e, 0, 0), err);
	if (!rc && t->bytes.len)
		rc = stream_put_bytes(&e->coder, t->bytes.data, (uint32_t)t->bytes.len, body,
				      new_stream(e, 0, 1), err);
	return rc;
}

static bool all_same(const uint64_t *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		if (v[i] != v[0])
			return false;
	}
	return true;
}

/* Room for n numbers in a buffer that is used anew for each column; NULL: no memory. */
static uint64_t *room(struct buf *b, uint32_t n)
{
	buf_reset(b);
	return (uint64_t *)(void *)buf_room(b, (size_t)n * sizeof(uint64_t));
}

/* Values of column from of the rows that carry column to; NULL: no memory. */
static const uint64_t *aligned(struct buf *mem, const struct et_batch *b, unsigned from, unsigned to)
{
	const uint64_t *kinds = b->columns[ET_F_KIND].part[0].v;
	const struct values *s = &b->columns[from].part[0];
	uint64_t *out;
	uint32_t at = 0, n = 0;

	if (s->n == b->columns[to].part[0].n)
		return s->v;
	out = room(mem, s->n);
	for (uint32_t row = 0; out && row < b->rows; row++) {
		if (!(et_fields[from].kinds >> kinds[row] & 1))
			continue;
		if (et_fields[to].kinds >> kinds[row] & 1)
			out[n++] = s->v[at];
		at++;
	}
	return out;
}

/* Applies the column's transform to n of its numbers; NULL: no memory. */
static const uint64_t *transformed(struct et_packer *e, const struct et_batch *b, unsigned column,
				   const uint64_t *in, uint32_t n)
{
	const uint64_t *pid, *ts;
	uint64_t *out = room(&e->moved, n);

	if (!out)
		return NULL;
	switch (et_fields[column].transform) {
	case TRANSFORM_DELTA:
		delta_encode(in, out, n);
		return out;
	case TRANSFORM_BY_PID:
		pid = aligned(&e->pids, b, ET_F_PID, column);
		ts = aligned(&e->times, b, ET_F_TS, column);
		return pid && ts && by_pid_encode(in, out, pid, ts, n) ? out : NULL;
	case TRANSFORM_FROM_PID:
		pid = aligned(&e->pids, b, ET_F_PID, column);
		if (pid)
			from_pid_encode(in, out, pid, n);
		return pid ? out : NULL;
	case TRANSFORM_FIRST_USE:
		first_use_encode(in, out, n);
		return out;
	default:
		return in;
	}
}

static int put_part(struct et_packer *e, const struct et_batch *b, unsigned column, unsigned part,
		    struct buf *body, struct et_error *err)
{
	const struct values *s = &b->columns[column].part[part];
	const uint64_t *in = column == ET_F_TS ? (const uint64_t *)(void *)e->base.data : s->v;
	/* Of a list, the items are transformed and not their numbers. */
	bool is_count = et_fields[column].type == ET_LIST && !part;
	unsigned transform = is_count ? TRANSFORM_NONE : et_fields[column].transform;

	/* One number for all rows is as small as can be. */
	if (all_same(in, s->n))
		transform = TRANSFORM_NONE;
	else if (transform)
		in = transformed(e, b, column, in, s->n);
	if (!in)
		return et_fail_nomem(err);
	return stream_put(&e->coder, in, s->n, transform, body, new_stream(e, column, part), err);
}

static int put_column(struct et_packer *e, const struct et_batch *b, unsigned column,
		      struct buf *body, struct et_error *err)
{
	const struct batch_column *col = &b->columns[column];
	int rc;

	/* A column that says nothing is left out, but for ts: SPEC.md 5.1. */
	if (!col->part[0].n || (column != ET_F_TS && !col->part[0].v[0] &&
				all_same(col->part[0].v, col->part[0].n)))
		return ET_OK;
	rc = put_part(e, b, column, 0, body, err);
	if (!rc && col->part[1].n)
		rc = put_part(e, b, column, 1, body, err);
	return rc;
}

/* ts relative to ts_min, which the head carries. */
static int make_base(struct et_packer *e, const struct et_batch *b, struct et_error *err)
{
	uint64_t *out;

	out = room(&e->base, b->rows);
	if (!out)
		return et_fail_nomem(err);
	for (uint32_t i = 0; i < b->rows; i++)
		out[i] = b->columns[ET_F_TS].part[0].v[i] - b->ts_min;
	return ET_OK;
}

/* Puts v into the ascending set; false when the set is full. */
static bool set_add(uint64_t *set, unsigned *n, uint64_t v)
{
	unsigned at = *n;

	while (at && set[at - 1] > v)
		at--;
	if (at && set[at - 1] == v)
		return true;
	if (*n == STAT_SET)
		return false;
	memmove(set + at + 1, set + at, (*n - at) * sizeof(*set));
	set[at] = v;
	++*n;
	return true;
}

/* Distinct stored values of the column where few, else their range (SPEC.md 5.5). */
static void put_stat(struct buf *out, unsigned column, const struct values *s)
{
	uint64_t set[STAT_SET + 1], min = UINT64_MAX, max = 0, last = 0;
	unsigned n = 0;
	bool few = true;

	for (uint32_t i = 0; i < s->n; i++) {
		uint64_t v = s->v[i];

		if (v < min)
			min = v;
		if (v > max)
			max = v;
		if (few && (!i || v != last))
			few = set_add(set, &n, v);
		last = v;
	}
	buf_varint(out, column);
	buf_varint(out, few ? n : 0);
	if (few) {
		for (unsigned i = 0; i < n; i++)
			buf_varint(out, set[i]);
	} else {
		buf_varint(out, min);
		buf_varint(out, max);
	}
}

static void put_directory(struct et_packer *e, struct buf *head)
{
	buf_reset(&e->value);
	for (unsigned i = 0; i < e->n_streams; i++) {
		const struct stream *s = &e->streams[i];

		buf_varint(&e->value, s->column);
		buf_u8(&e->value, s->part);
		buf_u8(&e->value, s->encoding);
		buf_varint(&e->value, s->n);
		buf_varint(&e->value, s->stored);
	}
	put_tag(head, TAG_COLUMNS, &e->value);
}

static void put_first(struct et_packer *e, const struct et_batch *b, struct buf *head)
{
	buf_reset(&e->value);
	buf_varint(&e->value, b->rows);
	put_tag(head, TAG_ROWS, &e->value);

	buf_reset(&e->value);
	buf_u64(&e->value, b->ts_min);
	buf_varint(&e->value, b->ts_max - b->ts_min);
	put_tag(head, TAG_TIME, &e->value);

	buf_reset(&e->value);
	spans_put(&e->value, &b->spans);
	put_tag(head, TAG_REALTIME, &e->value);
}

static void put_rest(struct et_packer *e, const struct et_batch *b, struct buf *head)
{
	put_counts(head, TAG_KINDS, b->kinds, ET_KIND_END, &e->value);

	buf_reset(&e->value);
	for (unsigned i = 0; i < sizeof(stat_columns); i++) {
		const struct values *s = &b->columns[stat_columns[i]].part[0];

		if (s->n)
			put_stat(&e->value, stat_columns[i], s);
	}
	put_tag(head, TAG_STATS, &e->value);

	buf_reset(&e->value);
	if (comms_put(&e->value, b))
		put_tag(head, TAG_COMMS, &e->value);
	put_directory(e, head);
}

/* Kinds that a row record of this type may hold (SPEC.md 3.3). */
static unsigned allowed_kinds(unsigned type)
{
	switch (type) {
	case ET_REC_CHUNK:
		return ET_KIND_BIT(ET_EXEC) | ET_KIND_BIT(ET_FAIL) | ET_KIND_BIT(ET_FORK) |
		       ET_KIND_BIT(ET_EXIT);
	case ET_REC_PROC:
		return ET_KIND_BIT(ET_PROC);
	case ET_REC_LOST:
		return ET_KIND_BIT(ET_LOST);
	default:
		return 0;
	}
}

static int pack(struct et_packer *e, const struct et_batch *b, struct et_packed *out,
		struct et_error *err)
{
	int rc;

	for (unsigned k = 1; k < ET_KIND_END; k++) {
		if (b->kinds[k] && !(allowed_kinds(out->type) >> k & 1))
			return et_fail(err, ET_MISUSE, 0,
				       "this record type does not hold such events");
	}
	rc = make_base(e, b, err);
	e->n_streams = 0;
	if (!rc)
		rc = put_strings(e, &b->strings, &out->body, err);
	for (unsigned f = 1; !rc && f < ET_FIELD_END; f++) {
		if (et_fields[f].name)
			rc = put_column(e, b, f, &out->body, err);
	}
	if (rc)
		return rc;
	put_first(e, b, &out->first);
	put_rest(e, b, &out->rest);
	if (out->first.failed || out->rest.failed || out->body.failed)
		return et_fail_nomem(err);
	spans_range(&b->spans, b->until, &out->lo, &out->hi);
	memcpy(out->kinds, b->kinds, sizeof(out->kinds));
	return ET_OK;
}

int et_packer_pack(struct et_packer *e, enum et_record_type type, const struct et_batch *b,
		   struct et_packed *out, struct et_error *err)
{
	out->failure = (struct et_error){ .code = ET_OK };
	out->type = type;
	out->rows = b->rows;
	buf_reset(&out->first);
	buf_reset(&out->rest);
	buf_reset(&out->body);
	if (b->rows && pack(e, b, out, &out->failure) && err)
		*err = out->failure;
	return out->failure.code;
}
