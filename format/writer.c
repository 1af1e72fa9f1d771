/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.c - a segment, record by record (SPEC.md 3). Each record goes out in
 * one write and nothing is changed afterwards, so a pipe carries what a file
 * would and a reader of a growing file meets whole records.
 */
#include "encode.h"
#include "error.h"
#include "bounds.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LEVEL_DEFAULT 3

/* What INDEX says of a record (SPEC.md 3.8). */
struct index_entry {
	uint16_t type;
	uint64_t at;
	uint32_t rows;
	uint64_t ts_min, ts_max;
	uint16_t kinds;
};

struct et_writer {
	struct et_io io;
	struct encoder *encoder;
	uint8_t file_id[8];
	struct et_writer_stats stats;
	uint64_t rows;		/* of all kinds: seq of the next record */
	struct index_entry *index;
	size_t n_index, cap_index;
	struct buf head, body, value, record;
	uint64_t clock_ts;	/* of the last clock: they ascend */
	bool broken;		/* a write failed: nothing more is written */
};

/* Writes head and body as a record; entry holds what INDEX is to say, but type and place. */
static int put_record(struct et_writer *w, unsigned type, struct index_entry entry,
		      struct et_error *err)
{
	struct frame f = { .type = (uint16_t)type, .seq = w->rows };
	int sys;

	if (w->broken)
		return et_fail(err, ET_MISUSE, w->stats.bytes, "an earlier write failed");
	if (w->head.failed || w->body.failed || w->value.failed)
		return et_fail_nomem(err);
	if (w->head.len > LIMIT_HEAD || w->body.len > LIMIT_BODY)
		return et_fail(err, ET_LIMIT, w->stats.bytes, "a record is larger than the format allows");
	if (w->n_index == w->cap_index) {
		size_t cap = w->cap_index ? w->cap_index * 2 : 64;
		struct index_entry *index = realloc(w->index, cap * sizeof(*index));

		if (!index)
			return et_fail_nomem(err);
		w->index = index;
		w->cap_index = cap;
	}
	memcpy(f.file_id, w->file_id, sizeof(f.file_id));
	buf_reset(&w->record);
	record_put(&w->record, &f, &w->head, &w->body);
	if (w->record.failed)
		return et_fail_nomem(err);
	sys = w->io.write(w->io.ctx, w->record.data, w->record.len);
	if (sys) {
		w->broken = true;
		return et_fail_io(err, sys, w->stats.bytes, "cannot write");
	}
	entry.type = (uint16_t)type;
	entry.at = w->stats.bytes;
	w->index[w->n_index++] = entry;
	w->stats.bytes += w->record.len;
	return ET_OK;
}

static void begin_record(struct et_writer *w)
{
	buf_reset(&w->head);
	buf_reset(&w->body);
	buf_reset(&w->value);
}

static void put_number_tag(struct et_writer *w, unsigned tag, uint64_t v)
{
	buf_reset(&w->value);
	buf_varint(&w->value, v);
	put_tag(&w->head, tag, &w->value);
}

static void put_u64_tag(struct et_writer *w, unsigned tag, uint64_t v)
{
	buf_reset(&w->value);
	buf_u64(&w->value, v);
	put_tag(&w->head, tag, &w->value);
}

static void put_bytes_tag(struct et_writer *w, unsigned tag, const void *p, size_t len)
{
	buf_reset(&w->value);
	buf_add(&w->value, p, len);
	put_tag(&w->head, tag, &w->value);
}

static void put_schema(struct et_writer *w)
{
	buf_reset(&w->value);
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		const struct et_field *field = &et_fields[f];

		if (!field->name)
			continue;
		buf_varint(&w->value, f);
		buf_u8(&w->value, field->type);
		buf_u8(&w->value, field->unit);
		buf_u16(&w->value, field->kinds);
		buf_bytes(&w->value, field->name, strlen(field->name));
	}
	put_tag(&w->head, TAG_SCHEMA, &w->value);
}

static int put_file_header(struct et_writer *w, const struct et_writer_options *opt,
			   struct et_error *err)
{
	static const uint8_t none[16];
	const char *program = opt->program ? opt->program : "";

	begin_record(w);
	buf_varint(&w->value, FORMAT_MAJOR);
	buf_varint(&w->value, FORMAT_MINOR);
	put_tag(&w->head, TAG_VERSION, &w->value);
	put_u64_tag(w, TAG_INCOMPAT, 0);
	put_u64_tag(w, TAG_COMPAT, 0);
	if (memcmp(opt->boot_id, none, sizeof(none)))
		put_bytes_tag(w, TAG_BOOT_ID, opt->boot_id, sizeof(opt->boot_id));
	put_number_tag(w, TAG_CLOCK, CLOCK_ID_BOOTTIME);
	put_bytes_tag(w, TAG_PROGRAM, program, strnlen(program, LIMIT_NAME));
	put_schema(w);
	return put_record(w, ET_REC_FILE, (struct index_entry){ 0 }, err);
}

int et_writer_open(const struct et_io *io, const struct et_writer_options *opt,
		   struct et_writer **out, struct et_error *err)
{
	struct et_writer *w;
	int rc;

	*out = NULL;
	w = calloc(1, sizeof(*w));
	if (!w) {
		io->close(io->ctx);
		return et_fail_nomem(err);
	}
	w->io = *io;
	rc = opt->level < 0 || opt->level > 19 ?
		     et_fail(err, ET_MISUSE, 0, "the level is not between 1 and 19") : ET_OK;
	if (!rc && getrandom(w->file_id, sizeof(w->file_id), 0) != sizeof(w->file_id))
		rc = et_fail(err, ET_IO, 0, "no random bytes for the file id");
	if (!rc) {
		w->encoder = encoder_new(opt->level ? opt->level : LEVEL_DEFAULT);
		rc = w->encoder ? put_file_header(w, opt, err) : et_fail_nomem(err);
	}
	if (rc) {
		et_writer_close(w);
		return rc;
	}
	*out = w;
	return ET_OK;
}

void et_writer_close(struct et_writer *w)
{
	if (!w)
		return;
	w->io.close(w->io.ctx);
	encoder_free(w->encoder);
	free(w->index);
	buf_free(&w->head);
	buf_free(&w->body);
	buf_free(&w->value);
	buf_free(&w->record);
	free(w);
}

void et_writer_stats(const struct et_writer *w, struct et_writer_stats *out)
{
	*out = w->stats;
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

int et_writer_batch(struct et_writer *w, enum et_record_type type, const struct et_batch *b,
		    const uint64_t lost[ET_CAUSE_END], int64_t realtime, struct et_error *err)
{
	struct index_entry entry = { .rows = b->rows, .ts_min = b->ts_min, .ts_max = b->ts_max };
	int rc;

	if (!b->rows)
		return ET_OK;
	for (unsigned k = 1; k < ET_KIND_END; k++) {
		if (b->kinds[k])
			entry.kinds |= (uint16_t)ET_KIND_BIT(k);
	}
	if (entry.kinds & ~allowed_kinds(type))
		return et_fail(err, ET_MISUSE, w->stats.bytes, "this record type does not hold such events");
	begin_record(w);
	rc = encode_batch(w->encoder, b, lost, realtime, &w->head, &w->body, err);
	if (!rc)
		rc = put_record(w, type, entry, err);
	if (rc)
		return rc;
	for (unsigned k = 1; k < ET_KIND_END; k++)
		w->stats.rows[k] += b->kinds[k];
	w->stats.chunks += type == ET_REC_CHUNK;
	w->rows += b->rows;
	return ET_OK;
}

/* A name as a reader will take it: no NUL, within LIMIT_NAME. */
static bool name_fits(struct et_str s)
{
	return s.len <= LIMIT_NAME && (!s.len || !memchr(s.ptr, 0, s.len));
}

int et_writer_host(struct et_writer *w, const struct et_pair *pairs, size_t n, struct et_error *err)
{
	begin_record(w);
	for (size_t i = 0; i < n; i++) {
		struct et_str key = { pairs[i].key, (uint32_t)strlen(pairs[i].key) };

		if (!name_fits(key) || !name_fits(pairs[i].value))
			return et_fail(err, ET_MISUSE, w->stats.bytes, "a name is not within the format's limits");
		buf_bytes(&w->body, key.ptr, key.len);
		buf_bytes(&w->body, pairs[i].value.ptr, pairs[i].value.len);
	}
	return put_record(w, ET_REC_HOST, (struct index_entry){ 0 }, err);
}

int et_writer_names(struct et_writer *w, enum et_record_type type, const struct et_name *names,
		    size_t n, struct et_error *err)
{
	if (type != ET_REC_USERS && type != ET_REC_CGROUPS)
		return et_fail(err, ET_MISUSE, w->stats.bytes, "this record type holds no names");
	if (!n)
		return ET_OK;
	begin_record(w);
	for (size_t i = 0; i < n; i++) {
		if (!name_fits(names[i].name))
			return et_fail(err, ET_MISUSE, w->stats.bytes, "a name is not within the format's limits");
		if (type == ET_REC_USERS)
			buf_u8(&w->body, names[i].group);
		buf_varint(&w->body, names[i].id);
		buf_bytes(&w->body, names[i].name.ptr, names[i].name.len);
	}
	return put_record(w, type, (struct index_entry){ 0 }, err);
}

int et_writer_clock(struct et_writer *w, const struct et_clock *clocks, size_t n,
		    struct et_error *err)
{
	uint64_t last = w->clock_ts;
	int rc;

	begin_record(w);
	for (size_t i = 0; i < n; i++) {
		if (clocks[i].ts < last)
			return et_fail(err, ET_MISUSE, w->stats.bytes, "clocks have to ascend in ts");
		last = clocks[i].ts;
		buf_u64(&w->body, clocks[i].ts);
		buf_u64(&w->body, (uint64_t)clocks[i].offset);
	}
	rc = put_record(w, ET_REC_CLOCK, (struct index_entry){ 0 }, err);
	if (!rc)
		w->clock_ts = last;
	return rc;
}

static int put_index(struct et_writer *w, struct et_error *err)
{
	uint64_t at = 0, ts = 0;

	begin_record(w);
	for (size_t i = 0; i < w->n_index; i++) {
		const struct index_entry *e = &w->index[i];

		buf_varint(&w->body, e->type);
		buf_varint(&w->body, e->at - at);
		at = e->at;
		buf_varint(&w->body, e->rows);
		if (!e->rows)
			continue;
		buf_varint(&w->body, e->kinds);
		buf_varint(&w->body, zigzag(e->ts_min - ts));
		ts = e->ts_min;
		buf_varint(&w->body, e->ts_max - e->ts_min);
	}
	return put_record(w, ET_REC_INDEX, (struct index_entry){ 0 }, err);
}

int et_writer_end(struct et_writer *w, uint64_t ts, const uint64_t lost[ET_CAUSE_END],
		  const char *reason, struct et_error *err)
{
	uint64_t index_at;
	int rc;

	begin_record(w);
	put_counts(&w->head, TAG_LOST, lost, ET_CAUSE_END, &w->value);
	put_counts(&w->head, TAG_KINDS, w->stats.rows, ET_KIND_END, &w->value);
	put_u64_tag(w, TAG_END_TIME, ts);
	put_bytes_tag(w, TAG_REASON, reason, strnlen(reason, LIMIT_NAME));
	rc = put_record(w, ET_REC_END, (struct index_entry){ 0 }, err);
	index_at = w->stats.bytes;
	if (!rc)
		rc = put_index(w, err);
	/* An index over the limit is left out, with the footer that would name it. */
	if (rc == ET_LIMIT)
		return ET_OK;
	if (rc)
		return rc;
	begin_record(w);
	put_u64_tag(w, TAG_INDEX_AT, index_at);
	put_u64_tag(w, TAG_SEGMENT_LEN, w->stats.bytes + FOOTER_SIZE);
	return put_record(w, ET_REC_FOOTER, (struct index_entry){ 0 }, err);
}
