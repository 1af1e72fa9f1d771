/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.c - the records of a capture in file order (SPEC.md 3 and 6). Damage is
 * told, counted and passed over; what is handed out has held every check.
 */
#include "reader.h"
#include "chunk.h"
#include "clocks.h"
#include "comms.h"
#include "error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void reader_fault(struct et_reader *r, enum et_code code, uint64_t at, const char *what,
		  uint64_t bytes)
{
	struct et_error e = { code, 0, at, what };

	r->stats.damaged++;
	r->stats.damaged_bytes += bytes;
	if (r->fault)
		r->fault(r->fault_ctx, &e);
}

void reader_truncated(struct et_reader *r, uint64_t at, bool ours, const char *what)
{
	struct et_error e = { ET_CORRUPT, 0, at, what };

	r->at_end = true;
	if (r->ended && ours)
		return;
	r->stats.truncated = true;
	if (r->fault)
		r->fault(r->fault_ctx, &e);
}

static const char cut_short[] = "the capture ends inside a record";

/* Whether the frame at hand is of the segment at hand. */
static bool is_ours(const struct et_reader *r)
{
	return !memcmp(r->frame.file_id, r->file_id, sizeof(r->file_id));
}

static uint64_t padding(const struct frame *f)
{
	return frame_size(f) - RECORD_FIXED - f->head_len - f->body_len;
}

/* Closes the books on the segment at hand. */
static void leave_segment(struct et_reader *r)
{
	if (r->stats.segments && !r->ended)
		r->stats.unclean++;
	for (unsigned i = 0; i < ET_CAUSE_END; i++) {
		r->stats.lost[i] += r->lost[i];
		r->lost[i] = 0;
	}
	r->stats.lost_other += r->lost_other;
	r->lost_other = 0;
}

static int check_version(const struct head *h, struct et_error *err)
{
	if (h->major != FORMAT_MAJOR)
		return et_fail(err, ET_UNSUPPORTED, h->rec.at,
			       "the capture is of another major version of the format");
	if (h->clock != CLOCK_ID_BOOTTIME)
		return et_fail(err, ET_UNSUPPORTED, h->rec.at,
			       "the capture's times are of a clock that this version does not know");
	if (h->incompat)
		return et_fail(err, ET_UNSUPPORTED, h->rec.at,
			       "the capture needs a feature that this version does not know");
	return ET_OK;
}

static void enter_segment(struct et_reader *r, bool foreign)
{
	leave_segment(r);
	seek_free(r->seek);
	r->seek = NULL;
	r->segment_at = r->head.rec.at;
	memcpy(r->file_id, r->frame.file_id, sizeof(r->file_id));
	r->schema = r->head.schema;
	r->seq = 0;
	/* Of a segment that is refused nothing is told, nor how it ended. */
	r->ended = foreign;
	r->stats.segments++;
	r->foreign = foreign;
}

/* Cumulative losses only grow; a head that says less says nothing new. */
static void take_lost(struct et_reader *r, const struct et_record *rec)
{
	for (unsigned i = 0; i < ET_CAUSE_END; i++) {
		if (rec->lost[i] > r->lost[i])
			r->lost[i] = rec->lost[i];
	}
	if (rec->lost_other > r->lost_other)
		r->lost_other = rec->lost_other;
}

/* The rows of the record at hand, which were counted, are not to be had after all. */
static void take_back(struct et_reader *r)
{
	if (!r->counted)
		return;
	for (unsigned k = 0; k < ET_KIND_END && r->head.rec.rows; k++)
		r->stats.rows[k] -= r->head.rec.kinds[k];
	r->stats.missing += r->head.rec.rows;
	r->counted = false;
}

/* Passes over what the caller did not want of the record at hand. */
static int skip_body(struct et_reader *r, struct et_error *err)
{
	uint64_t want = r->frame.body_len + padding(&r->frame), got;
	int sys;

	if (!r->body_pending)
		return ET_OK;
	r->body_pending = false;
	sys = source_skip(&r->src, want, &got);
	if (sys)
		return et_fail_io(err, sys, r->src.at, "cannot read");
	if (got < r->frame.body_len) {
		take_back(r);
		reader_truncated(r, r->head.rec.at, true, cut_short);
	}
	return ET_OK;
}

/* Reads the fixed part of a would-be record. fault: why it is none. */
static int read_fixed(struct et_reader *r, uint8_t fixed[RECORD_FIXED], size_t *len,
		      const char **fault, struct et_error *err)
{
	uint64_t at = r->src.at;
	int sys = source_read(&r->src, fixed, RECORD_FIXED, len);

	*fault = NULL;
	if (sys)
		return et_fail_io(err, sys, at, "cannot read");
	if (!*len) {
		r->at_end = true;
		return ET_EOF;
	}
	if (memcmp(fixed, RECORD_MAGIC, *len < RECORD_MAGIC_LEN ? *len : RECORD_MAGIC_LEN)) {
		*fault = "no record where one should begin";
	} else if (*len < RECORD_FIXED) {
		reader_truncated(r, at, *len < 16 || !memcmp(fixed + 8, r->file_id, 8), cut_short);
		return ET_EOF;
	} else if (!frame_get(fixed, &r->frame)) {
		*fault = "the beginning of a record is damaged";
	} else if (r->frame.head_len > LIMIT_HEAD || r->frame.body_len > LIMIT_BODY) {
		*fault = "a record is larger than the format allows";
	}
	return ET_OK;
}

/* Reads the head; its length is to be trusted. Leaves the body pending. */
static int read_head(struct et_reader *r, uint64_t at, struct et_error *err)
{
	uint64_t got;
	int sys;

	buf_reset(&r->head_bytes);
	sys = source_append(&r->src, &r->head_bytes, r->frame.head_len, &got);
	if (sys == ENOMEM)
		return et_fail_nomem(err);
	if (sys)
		return et_fail_io(err, sys, r->src.at, "cannot read");
	if (got < r->frame.head_len) {
		reader_truncated(r, at, is_ours(r), cut_short);
		reader_doubt(r, at);
		return ET_EOF;
	}
	r->body_pending = true;
	return ET_OK;
}

/* Checks and parses the head. A file header of another version is UNSUPPORTED whatever follows. */
static int parse_head(struct et_reader *r, uint64_t at, struct et_error *err)
{
	int rc;

	if (!head_check(&r->frame, r->head_bytes.data))
		return et_fail(err, ET_CORRUPT, at, "a record's head is damaged");
	rc = head_parse(&r->head, &r->frame, r->head_bytes.data, at, &r->schema, err);
	if (r->frame.type == ET_REC_FILE && r->head.has_version && check_version(&r->head, err))
		rc = ET_UNSUPPORTED;
	return rc;
}

static bool says_not_ended(struct et_str reason)
{
	const size_t len = strlen(ET_NOT_ENDED);

	return reason.len >= len && !memcmp(reason.ptr, ET_NOT_ENDED, len);
}

/* Gaps and steps back in the count of rows (SPEC.md 6.3). false: pass the record over. */
static bool check_seq(struct et_reader *r)
{
	const struct et_record *rec = &r->head.rec;

	if (rec->seq < r->seq) {
		reader_fault(r, ET_CORRUPT, rec->at, "a record stands behind later ones", rec->size);
		return false;
	}
	*(r->jumped ? &r->stats.unread : &r->stats.missing) += rec->seq - r->seq;
	r->jumped = false;
	r->seq = rec->seq + rec->rows;
	for (unsigned k = 0; k < ET_KIND_END; k++)
		r->stats.rows[k] += rec->rows ? rec->kinds[k] : 0;
	r->counted = rec->rows;
	take_lost(r, rec);
	if (rec->type == ET_REC_END) {
		r->ended = true;
		r->stats.not_ended += says_not_ended(rec->reason);
	}
	return true;
}

/* Judges a record whose frame is right. ET_OK: hand it out; ET_EOF: pass it over. */
static int judge(struct et_reader *r, uint64_t at, struct et_error *err)
{
	bool file = r->frame.type == ET_REC_FILE;
	int rc;

	r->counted = false;
	r->head.rec.at = at;
	if (!file && !is_ours(r)) {
		reader_fault(r, ET_CORRUPT, at, "a record of another capture", frame_size(&r->frame));
		return ET_EOF;
	}
	if (!file && r->foreign)
		return ET_EOF;
	rc = parse_head(r, at, err);
	if (file && (!rc || rc == ET_UNSUPPORTED))
		enter_segment(r, rc);
	if (rc) {
		reader_fault(r, rc, at, err->what, frame_size(&r->frame));
		if (rc == ET_CORRUPT)
			reader_doubt(r, at);
		return ET_EOF;
	}
	r->head.rec.segment = r->stats.segments - 1;
	return check_seq(r) ? ET_OK : ET_EOF;
}

/* Neither this row record nor any behind it in the segment has rows of the range. */
static bool unwanted(const struct et_reader *r)
{
	return r->seek && r->head.rec.rows && seek_ends(r->seek, &r->head.rec);
}

/* The record at hand goes unread like those behind it. */
static int pass_over(struct et_reader *r, struct et_error *err)
{
	take_back(r);
	r->stats.missing -= r->head.rec.rows;
	r->stats.unread += r->head.rec.rows;
	return seek_to_end(r->seek, r, err);
}

static int end(struct et_reader *r)
{
	r->at_end = true;
	leave_segment(r);
	/* A later call finds no open segment. */
	r->ended = true;
	return ET_EOF;
}

int et_reader_next(struct et_reader *r, struct et_record *rec, struct et_error *err)
{
	struct et_error own;
	int rc;

	if (!err)
		err = &own;
	for (;;) {
		uint8_t fixed[RECORD_FIXED];
		const char *fault;
		size_t fixed_len;
		uint64_t at;

		rc = skip_body(r, err);
		if (!rc && r->seek && !r->at_end)
			rc = seek_next(r->seek, r, err);
		if (rc)
			return rc;
		at = r->src.at;
		rc = r->at_end ? ET_EOF : read_fixed(r, fixed, &fixed_len, &fault, err);
		if (!rc && fault) {
			rc = reader_resync(r, at, fixed, fixed_len, fault, err);
		} else if (!rc) {
			r->lost_way = false;
			rc = read_head(r, at, err);
			if (!rc && judge(r, at, err) == ET_OK) {
				*rec = r->head.rec;
				r->stats.bytes = r->src.at;
				if (!unwanted(r))
					return ET_OK;
				rc = pass_over(r, err);
			}
		}
		r->stats.bytes = r->src.at;
		if (rc == ET_EOF && r->at_end)
			return end(r);
		if (rc && rc != ET_EOF)
			return rc;
	}
}

int et_reader_pass(struct et_reader *r, struct et_error *err)
{
	return skip_body(r, err);
}

/* Stands for the body of a record that has none. */
static const uint8_t no_body[1];

int et_reader_body(struct et_reader *r, const uint8_t **body, struct et_error *err)
{
	const struct frame *f = &r->frame;
	uint64_t at = r->head.rec.at, got, pad;
	int sys;

	*body = NULL;
	if (!r->body_pending)
		return et_fail(err, ET_MISUSE, at, "there is no record, or its body was read");
	r->body_pending = false;
	buf_reset(&r->body);
	sys = source_append(&r->src, &r->body, f->body_len, &got);
	if (!sys && got == f->body_len)
		sys = source_skip(&r->src, padding(f), &pad);
	if (sys == ENOMEM)
		return et_fail_nomem(err);
	if (sys)
		return et_fail_io(err, sys, r->src.at, "cannot read");
	if (got < f->body_len) {
		take_back(r);
		reader_truncated(r, at, true, cut_short);
		reader_doubt(r, at);
		return et_fail(err, ET_CORRUPT, at, cut_short);
	}
	if (!body_fits(f->body_crc, r->body.data, f->body_len)) {
		take_back(r);
		reader_fault(r, ET_CORRUPT, at, "a record's body is damaged", r->head.rec.size);
		reader_doubt(r, at);
		return et_fail(err, ET_CORRUPT, at, "a record's body is damaged");
	}
	*body = f->body_len ? r->body.data : no_body;
	return ET_OK;
}

int et_reader_chunk(struct et_reader *r, struct et_chunk **out, struct et_error *err)
{
	const uint8_t *body;
	int rc;

	*out = NULL;
	if (!r->head.rec.rows)
		return et_fail(err, ET_MISUSE, r->head.rec.at, "the record has no rows");
	rc = et_reader_body(r, &body, err);
	if (rc)
		return rc;
	return chunk_new(&r->head, &r->schema, &r->body, r->head.rec.at, out, err);
}

int et_reader_open(const struct et_io *io, et_fault_fn *fault, void *ctx, struct et_reader **out,
		   struct et_error *err)
{
	struct et_error own;
	struct et_reader *r;
	uint8_t fixed[RECORD_FIXED];
	const char *why;
	size_t len;
	int rc;

	if (!err)
		err = &own;
	*out = NULL;
	r = calloc(1, sizeof(*r));
	if (!r) {
		io->close(io->ctx);
		return et_fail_nomem(err);
	}
	r->src.io = *io;
	rc = read_fixed(r, fixed, &len, &why, err);
	if (!rc && why)
		rc = et_fail(err, ET_CORRUPT, 0,
			     len < RECORD_MAGIC_LEN || memcmp(fixed, RECORD_MAGIC, RECORD_MAGIC_LEN) ?
				     "not an exectrace capture" : why);
	else if (!rc && r->frame.type != ET_REC_FILE)
		rc = et_fail(err, ET_CORRUPT, 0, "the capture does not begin with a file header");
	if (!rc)
		rc = read_head(r, 0, err);
	if (rc == ET_EOF && r->stats.truncated)
		rc = et_fail(err, ET_CORRUPT, 0, "the capture ends inside its first record");
	else if (rc == ET_EOF)
		et_fail(err, ET_EOF, 0, "the file is empty");
	if (!rc)
		rc = parse_head(r, 0, err);
	/* The header was only looked at: et_reader_next hands it out. */
	r->body_pending = false;
	if (!rc && (source_unread(&r->src, r->head_bytes.data, r->head_bytes.len) ||
		    source_unread(&r->src, fixed, len)))
		rc = et_fail_nomem(err);
	if (rc) {
		et_reader_close(r);
		return rc;
	}
	r->fault = fault;
	r->fault_ctx = ctx;
	*out = r;
	return ET_OK;
}

void et_reader_range(struct et_reader *r, int64_t since, int64_t until)
{
	seek_free(r->seek);
	r->seek = NULL;
	/* Without memory everything is read, as without a range. */
	if (r->src.io.seek && (since != INT64_MIN || until != INT64_MAX))
		r->seek = seek_new(since, until);
}

int64_t et_clock_wall(struct et_clock clock)
{
	return clock_wall(clock.ts, clock.offset);
}

int64_t et_record_wall(const struct et_record *rec, uint64_t ts)
{
	return rec->n_clocks ? clock_find(rec->clocks, rec->n_clocks, ts) : clock_wall(ts, 0);
}

bool et_record_has_comm(const struct et_record *rec, const char *comm, size_t len)
{
	return !rec->has_comms || comms_have((const uint8_t *)rec->comms.ptr, rec->comms.len,
					     comms_hash(comm, len));
}

const struct et_column *et_reader_schema(const struct et_reader *r, unsigned *n)
{
	*n = r->schema.n;
	return r->schema.columns;
}

void et_reader_stats(const struct et_reader *r, struct et_reader_stats *out)
{
	*out = r->stats;
	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		out->lost[i] += r->lost[i];
	out->lost_other += r->lost_other;
}

void et_reader_close(struct et_reader *r)
{
	if (!r)
		return;
	r->src.io.close(r->src.io.ctx);
	seek_free(r->seek);
	buf_free(&r->src.back);
	buf_free(&r->head_bytes);
	buf_free(&r->body);
	free(r);
}
