/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segments.c - where the segments of a capture begin, by the FOOTERs that they end
 * with (SPEC.md 3.7), from the last to the first. A FOOTER is believed only where
 * the records that it names are there.
 */
#include "error.h"
#include "head.h"

#include <stdlib.h>
#include <string.h>

struct finder {
	const struct et_io *io;	/* borrowed */
	struct frame frame;	/* what get found last */
	struct head head;
	struct schema schema;	/* of the segment at hand */
	uint8_t file_id[sizeof(((struct frame *)0)->file_id)];	/* likewise */
	struct buf bytes;
};

static void finder_free(struct finder *s)
{
	buf_free(&s->bytes);
	free(s);
}

/* Bytes at an offset; ET_EOF where the input ends before. */
static int read_at(const struct et_io *io, uint64_t at, void *to, size_t len, struct et_error *err)
{
	size_t got = 0;
	int sys = io->seek(io->ctx, at);

	if (!sys)
		sys = io->read(io->ctx, to, len, &got);
	if (sys)
		return et_fail_io(err, sys, at, "cannot read");
	return got == len ? ET_OK : ET_EOF;
}

/* The record of a type, 0 for any, at an offset, right in all; ET_EOF: there is none. */
static int get(struct finder *s, uint64_t at, unsigned type, struct et_error *err)
{
	uint8_t fixed[RECORD_FIXED], *bytes;
	int rc = read_at(s->io, at, fixed, sizeof(fixed), err);

	if (!rc && (!frame_get(fixed, &s->frame) || s->frame.head_len > LIMIT_HEAD ||
		    s->frame.body_len > LIMIT_BODY))
		rc = ET_EOF;
	if (rc || (type && s->frame.type != type))
		return rc ? rc : ET_EOF;
	buf_reset(&s->bytes);
	bytes = buf_room(&s->bytes, s->frame.head_len + 1);
	if (!bytes)
		return et_fail_nomem(err);
	rc = read_at(s->io, at + RECORD_FIXED, bytes, s->frame.head_len, err);
	if (!rc && (!head_check(&s->frame, bytes) ||
		    head_parse(&s->head, &s->frame, bytes, at, &s->schema, NULL)))
		rc = ET_EOF;
	return rc;
}

/* The segment that ends at an offset. ET_EOF: none is found there. */
static int find_before(struct finder *s, uint64_t size, struct et_segment *out,
		       struct et_error *err)
{
	uint64_t footer = size - FOOTER_SIZE, end;
	int rc;

	if (size < FOOTER_SIZE)
		return ET_EOF;
	rc = get(s, footer, ET_REC_FOOTER, err);
	if (rc)
		return rc;
	if (frame_size(&s->frame) != FOOTER_SIZE || s->head.segment_len > size ||
	    s->head.segment_len < FOOTER_SIZE ||
	    s->head.end_at > s->head.segment_len - FOOTER_SIZE)
		return ET_EOF;
	memcpy(s->file_id, s->frame.file_id, sizeof(s->file_id));
	*out = (struct et_segment){ .at = size - s->head.segment_len, .size = s->head.segment_len };
	end = out->at + s->head.end_at;

	rc = get(s, end, ET_REC_END, err);
	if (rc)
		return rc;
	if (memcmp(s->frame.file_id, s->file_id, sizeof(s->file_id)) ||
	    end + frame_size(&s->frame) != footer)
		return ET_EOF;
	out->ended = s->head.rec.ended;

	rc = get(s, out->at, ET_REC_FILE, err);
	if (rc)
		return rc;
	if (memcmp(s->frame.file_id, s->file_id, sizeof(s->file_id)) || !s->head.rec.has_started)
		return ET_EOF;
	out->started = s->head.rec.started;
	return ET_OK;
}

int et_segments(const struct et_io *io, struct et_segment *out, size_t max, size_t *n,
		struct et_error *err)
{
	struct finder *s;
	uint64_t size;
	int rc = ET_OK;

	*n = 0;
	if (!io->seek || !io->size || io->size(io->ctx, &size))
		return et_fail(err, ET_EOF, 0, "the input cannot seek");
	s = calloc(1, sizeof(*s));
	if (!s)
		return et_fail_nomem(err);
	s->io = io;
	while (size && !rc) {
		if (*n == max)
			rc = et_fail(err, ET_LIMIT, size, "there are more segments than asked for");
		else
			rc = find_before(s, size, &out[*n], err);
		if (rc == ET_EOF)
			et_fail(err, ET_EOF, size, "no segment that was ended ends here");
		if (!rc)
			size = out[(*n)++].at;
	}
	finder_free(s);
	if (rc) {
		*n = 0;
		return rc;
	}
	for (size_t i = 0, k = *n; i + 1 < k; i++) {
		struct et_segment last = out[--k];

		out[k] = out[i];
		out[i] = last;
	}
	return ET_OK;
}

/* Memory that the columns and strings of a row record take, at most. */
static uint64_t decoded(const struct head *h, const struct schema *schema)
{
	uint64_t raw = 0;

	for (unsigned i = 0; i < h->n_streams; i++)
		raw += stream_raw(&h->streams[i]);
	/* A column is 8 bytes a row; an item of a list, one at least, becomes 4. */
	return (uint64_t)h->rec.rows * schema->n * 8 + raw * 4;
}

/* One record of a segment; s->schema is that of the segment. */
static int check_record(struct finder *s, struct et_segment *seg, uint64_t at, unsigned last,
			struct et_error *err)
{
	const struct frame *f = &s->frame;
	bool first = at == seg->at;
	uint64_t left = seg->at + seg->size - at, size;
	int rc = get(s, at, 0, err);

	if (!rc && first) {
		memcpy(s->file_id, f->file_id, sizeof(s->file_id));
		s->schema = s->head.schema;
	}
	if (rc || memcmp(f->file_id, s->file_id, sizeof(s->file_id)) || frame_size(f) > left ||
	    (f->type == ET_REC_FILE) != first || last == ET_REC_FOOTER ||
	    (last == ET_REC_END && f->type != ET_REC_FOOTER))
		return rc && rc != ET_EOF ? rc :
		       et_fail(err, ET_CORRUPT, at, "the segment's records do not join");
	size = decoded(&s->head, &s->schema);
	if (size > seg->decoded)
		seg->decoded = size;
	return ET_OK;
}

int et_segment_check(const struct et_io *io, struct et_segment *seg, struct et_error *err)
{
	struct finder *s = calloc(1, sizeof(*s));
	unsigned last = 0;
	int rc = ET_OK;

	if (!s)
		return et_fail_nomem(err);
	s->io = io;
	seg->decoded = 0;
	for (uint64_t at = seg->at; at < seg->at + seg->size && !rc; at += frame_size(&s->frame)) {
		rc = check_record(s, seg, at, last, err);
		last = s->frame.type;
	}
	if (!rc && last != ET_REC_FOOTER)
		rc = et_fail(err, ET_CORRUPT, seg->at, "the segment does not end with its footer");
	finder_free(s);
	return rc;
}
