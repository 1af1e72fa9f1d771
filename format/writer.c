/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.c - a segment, record by record (SPEC.md 3). Each record goes out in
 * one write and nothing is changed afterwards, so a pipe carries what a file
 * would and a reader of a growing file meets whole records.
 */
#include "writer.h"
#include "bounds.h"
#include "error.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Writes the head and that body as a record. */
static int put(struct et_writer *w, unsigned type, const struct buf *body, struct et_error *err)
{
	struct frame f = { .type = (uint16_t)type, .seq = w->rows };
	int sys;

	if (w->broken)
		return et_fail(err, ET_MISUSE, w->stats.bytes, "an earlier write failed");
	if (w->head.failed || body->failed || w->value.failed)
		return et_fail_nomem(err);
	if (w->head.len > LIMIT_HEAD || body->len > LIMIT_BODY)
		return et_fail(err, ET_LIMIT, w->stats.bytes, "a record is larger than the format allows");
	memcpy(f.file_id, w->file_id, sizeof(f.file_id));
	buf_reset(&w->record);
	record_put(&w->record, &f, &w->head, body);
	if (w->record.failed)
		return et_fail_nomem(err);
	sys = w->io.write(w->io.ctx, w->record.data, w->record.len);
	if (sys) {
		w->broken = true;
		return et_fail_io(err, sys, w->stats.bytes, "cannot write");
	}
	if (is_names_type(type))
		w->names_at = w->stats.bytes;
	w->stats.bytes += w->record.len;
	return ET_OK;
}

int writer_put(struct et_writer *w, unsigned type, struct et_error *err)
{
	return put(w, type, &w->body, err);
}

void writer_begin(struct et_writer *w, unsigned type)
{
	buf_reset(&w->head);
	buf_reset(&w->body);
	buf_reset(&w->value);
	if (type == ET_REC_FILE || type == ET_REC_FOOTER)
		return;
	buf_varint(&w->value, w->stats.bytes);
	buf_varint(&w->value, w->names_at ? w->stats.bytes - w->names_at : 0);
	put_tag(&w->head, TAG_PLACE, &w->value);
}

void writer_number_tag(struct et_writer *w, unsigned tag, uint64_t v)
{
	buf_reset(&w->value);
	buf_varint(&w->value, v);
	put_tag(&w->head, tag, &w->value);
}

void writer_u64_tag(struct et_writer *w, unsigned tag, uint64_t v)
{
	buf_reset(&w->value);
	buf_u64(&w->value, v);
	put_tag(&w->head, tag, &w->value);
}

static void put_clock_tag(struct et_writer *w, unsigned tag, struct et_clock clock)
{
	buf_reset(&w->value);
	buf_u64(&w->value, clock.ts);
	buf_u64(&w->value, (uint64_t)clock.offset);
	put_tag(&w->head, tag, &w->value);
}

static void put_bytes_tag(struct et_writer *w, unsigned tag, const void *p, size_t len)
{
	buf_reset(&w->value);
	buf_add(&w->value, p, len);
	put_tag(&w->head, tag, &w->value);
}

static void put_series_tag(struct et_writer *w, const struct et_writer_options *opt)
{
	buf_reset(&w->value);
	buf_add(&w->value, opt->series, sizeof(opt->series));
	buf_varint(&w->value, opt->number);
	put_tag(&w->head, TAG_SERIES, &w->value);
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

int writer_header(struct et_writer *w, const struct et_writer_options *opt, struct et_error *err)
{
	static const uint8_t none[16];
	const char *program = opt->program ? opt->program : "";

	writer_begin(w, ET_REC_FILE);
	buf_varint(&w->value, FORMAT_MAJOR);
	buf_varint(&w->value, FORMAT_MINOR);
	put_tag(&w->head, TAG_VERSION, &w->value);
	writer_u64_tag(w, TAG_INCOMPAT, 0);
	writer_u64_tag(w, TAG_COMPAT, 0);
	if (memcmp(opt->boot_id, none, sizeof(none)))
		put_bytes_tag(w, TAG_BOOT_ID, opt->boot_id, sizeof(opt->boot_id));
	writer_number_tag(w, TAG_CLOCK, CLOCK_ID_BOOTTIME);
	put_bytes_tag(w, TAG_PROGRAM, program, strnlen(program, LIMIT_NAME));
	put_schema(w);
	if (opt->started.ts || opt->started.offset)
		put_clock_tag(w, TAG_STARTED, opt->started);
	if (memcmp(opt->series, none, sizeof(opt->series)))
		put_series_tag(w, opt);
	return writer_put(w, ET_REC_FILE, err);
}

int writer_new(const struct et_io *io, int level, struct et_writer **out, struct et_error *err)
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
	rc = et_packer_new(level, &w->packer, err);
	if (!rc && !(w->packed = et_packed_new()))
		rc = et_fail_nomem(err);
	if (!rc && getrandom(w->file_id, sizeof(w->file_id), 0) != sizeof(w->file_id))
		rc = et_fail(err, ET_IO, 0, "no random bytes for the file id");
	if (rc) {
		et_writer_close(w);
		return rc;
	}
	*out = w;
	return ET_OK;
}

int et_writer_open(const struct et_io *io, const struct et_writer_options *opt,
		   struct et_writer **out, struct et_error *err)
{
	int rc = writer_new(io, opt->level, out, err);

	if (!rc)
		rc = writer_header(*out, opt, err);
	if (rc) {
		et_writer_close(*out);
		*out = NULL;
	}
	return rc;
}

void et_writer_close(struct et_writer *w)
{
	if (!w)
		return;
	w->io.close(w->io.ctx);
	et_packer_free(w->packer);
	et_packed_free(w->packed);
	buf_free(&w->head);
	buf_free(&w->body);
	buf_free(&w->value);
	buf_free(&w->record);
	free(w);
}

void et_writer_stats(const struct et_writer *w, struct et_writer_stats *out)
{
	*out = w->stats;
	memcpy(out->rows, w->kinds, sizeof(out->rows));
}

void et_writer_resume(struct et_writer *w)
{
	w->broken = false;
}

void writer_note_times(struct et_writer *w, int64_t lo, int64_t hi)
{
	if (w->has_latest && lo < w->latest) {
		uint64_t step = (uint64_t)w->latest - (uint64_t)lo;

		w->step_back = step > w->step_back ? step : w->step_back;
	}
	if (!w->has_latest || hi > w->latest)
		w->latest = hi;
	w->has_latest = true;
}

/* The tags of a head stand in the order of their numbers. */
static void put_packed(struct et_writer *w, const struct et_packed *p,
		       const uint64_t lost[ET_CAUSE_END])
{
	writer_begin(w, p->type);
	buf_add(&w->head, p->first.data, p->first.len);
	if (w->has_latest)
		writer_u64_tag(w, TAG_LATEST, (uint64_t)w->latest);
	put_counts(&w->head, TAG_LOST, lost, ET_CAUSE_END, &w->value);
	buf_add(&w->head, p->rest.data, p->rest.len);
}

int et_writer_packed(struct et_writer *w, const struct et_packed *p,
		     const uint64_t lost[ET_CAUSE_END], struct et_error *err)
{
	int rc;

	if (p->failure.code)
		return et_fail(err, p->failure.code, w->stats.bytes, p->failure.what);
	if (!p->rows)
		return ET_OK;
	put_packed(w, p, lost);
	rc = put(w, p->type, &p->body, err);
	if (rc)
		return rc;
	writer_note_times(w, p->lo, p->hi);
	for (unsigned k = 1; k < ET_KIND_END; k++)
		w->kinds[k] += p->kinds[k];
	w->stats.chunks += p->type == ET_REC_CHUNK;
	w->rows += p->rows;
	return ET_OK;
}

int et_writer_batch(struct et_writer *w, enum et_record_type type, const struct et_batch *b,
		    const uint64_t lost[ET_CAUSE_END], struct et_error *err)
{
	/* What fails in it fails in writing it as well, and there with its place. */
	et_packer_pack(w->packer, type, b, w->packed, NULL);
	return et_writer_packed(w, w->packed, lost, err);
}

/* A name as a reader will take it: no NUL, within LIMIT_NAME. */
static bool name_fits(struct et_str s)
{
	return s.len <= LIMIT_NAME && (!s.len || !memchr(s.ptr, 0, s.len));
}

int et_writer_host(struct et_writer *w, const struct et_pair *pairs, size_t n, struct et_error *err)
{
	writer_begin(w, ET_REC_HOST);
	for (size_t i = 0; i < n; i++) {
		struct et_str key = { pairs[i].key, (uint32_t)strlen(pairs[i].key) };

		if (!name_fits(key) || !name_fits(pairs[i].value))
			return et_fail(err, ET_MISUSE, w->stats.bytes, "a name is not within the format's limits");
		buf_bytes(&w->body, key.ptr, key.len);
		buf_bytes(&w->body, pairs[i].value.ptr, pairs[i].value.len);
	}
	return writer_put(w, ET_REC_HOST, err);
}

int et_writer_names(struct et_writer *w, enum et_record_type type, const struct et_name *names,
		    size_t n, struct et_error *err)
{
	if (type != ET_REC_USERS && type != ET_REC_CGROUPS)
		return et_fail(err, ET_MISUSE, w->stats.bytes, "this record type holds no names");
	if (!n)
		return ET_OK;
	writer_begin(w, type);
	for (size_t i = 0; i < n; i++) {
		if (!name_fits(names[i].name))
			return et_fail(err, ET_MISUSE, w->stats.bytes, "a name is not within the format's limits");
		if (type == ET_REC_USERS)
			buf_u8(&w->body, names[i].group);
		buf_varint(&w->body, names[i].id);
		buf_bytes(&w->body, names[i].name.ptr, names[i].name.len);
	}
	return writer_put(w, type, err);
}

static bool text_fits(struct et_str s)
{
	return s.len && name_fits(s);
}

static void put_number(struct et_writer *w, struct buf *exe, unsigned tag, uint64_t v)
{
	buf_reset(&w->value);
	buf_varint(&w->value, v);
	put_tag(exe, tag, &w->value);
}

static void put_text(struct buf *exe, unsigned tag, struct et_str s)
{
	buf_varint(exe, tag);
	buf_bytes(exe, s.ptr, s.len);
}

static void put_exe(struct et_writer *w, struct buf *exe, const struct et_exe *e)
{
	put_text(exe, EXE_PATH, e->path);
	if (e->known & ET_EXE_DEV)
		put_number(w, exe, EXE_DEV, e->dev);
	if (e->known & ET_EXE_INODE)
		put_number(w, exe, EXE_INODE, e->inode);
	if (e->known & ET_EXE_SIZE)
		put_number(w, exe, EXE_SIZE, e->size);
	if (e->known & ET_EXE_MTIME) {
		buf_reset(&w->value);
		buf_u64(&w->value, (uint64_t)e->mtime);
		put_tag(exe, EXE_MTIME, &w->value);
	}
	if (e->build_id.len)
		put_text(exe, EXE_BUILD_ID, e->build_id);
	if (e->interpreter.len)
		put_text(exe, EXE_INTERPRETER, e->interpreter);
}

int et_writer_exes(struct et_writer *w, const struct et_exe *exes, size_t n, struct et_error *err)
{
	struct buf one = { 0 };

	if (!n)
		return ET_OK;
	writer_begin(w, ET_REC_EXES);
	for (size_t i = 0; i < n; i++) {
		if (!text_fits(exes[i].path) || !name_fits(exes[i].interpreter) ||
		    exes[i].build_id.len > LIMIT_BUILD_ID) {
			buf_free(&one);
			return et_fail(err, ET_MISUSE, w->stats.bytes,
				       "an executable is not within the format's limits");
		}
		buf_reset(&one);
		put_exe(w, &one, &exes[i]);
		buf_bytes(&w->body, one.data, one.len);
		w->body.failed |= one.failed;
	}
	buf_free(&one);
	return writer_put(w, ET_REC_EXES, err);
}

int writer_footer(struct et_writer *w, uint64_t end_at, struct et_error *err)
{
	writer_begin(w, ET_REC_FOOTER);
	writer_u64_tag(w, TAG_END_AT, end_at);
	writer_u64_tag(w, TAG_SEGMENT_LEN, w->stats.bytes + FOOTER_SIZE);
	return writer_put(w, ET_REC_FOOTER, err);
}

int et_writer_end(struct et_writer *w, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		  const char *reason, struct et_error *err)
{
	uint64_t end_at = w->stats.bytes;
	int rc;

	writer_begin(w, ET_REC_END);
	put_counts(&w->head, TAG_LOST, lost, ET_CAUSE_END, &w->value);
	put_counts(&w->head, TAG_KINDS, w->kinds, KIND_MAX + 1, &w->value);
	put_clock_tag(w, TAG_END_TIME, ended);
	put_bytes_tag(w, TAG_REASON, reason, strnlen(reason, LIMIT_NAME));
	writer_number_tag(w, TAG_STEP_BACK, w->step_back);
	rc = writer_put(w, ET_REC_END, err);
	if (rc)
		return rc;
	return writer_footer(w, end_at, err);
}
