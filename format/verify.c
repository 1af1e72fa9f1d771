/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify.c - every rule of SPEC.md that the bytes of a capture can break. What a
 * reader passes over it tells as well; here is what a reader takes on trust.
 */
#include "audit.h"
#include "clocks.h"
#include "error.h"
#include "parts.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

struct verify {
	struct et_reader *r;
	et_fault_fn *fault;
	void *ctx;
	uint64_t faults;
	struct et_context *names;

	struct parts parts;

	/* Of the segment at hand */
	uint64_t segment_at;
	uint64_t names_at;	/* offset of the last record of names; 0: none */
	uint64_t rows;		/* by seq and rows of the record before */
	uint64_t kinds[KIND_MAX + 1];
	uint64_t lost_rows[ET_CAUSE_END];	/* counts of the rows of kind lost */
	uint64_t lost_heads[ET_CAUSE_END];	/* as the heads say, growing */
	bool has_latest;
	int64_t latest;		/* of the rows so far */
	bool said_latest;
	int64_t latest_said;	/* by the heads so far */
	uint64_t step_back;
	uint64_t end_at, behind_end;	/* offsets; 0: no END yet */
	bool broken;		/* something is missing: sums say nothing */
};

static void tell(struct verify *v, enum et_code code, uint64_t at, const char *what)
{
	struct et_error e = { code, 0, at, what };

	v->faults++;
	if (v->fault)
		v->fault(v->ctx, &e);
}

static void tell_here(struct verify *v, const char *what)
{
	tell(v, ET_CORRUPT, v->r->head.rec.at, what);
}

/* What the reader tells of, it has passed over. */
static void on_fault(void *ctx, const struct et_error *fault)
{
	struct verify *v = ctx;

	v->broken = true;
	tell(v, fault->code, fault->at, fault->what);
}

static void on_audit(void *ctx, enum et_code code, const char *what)
{
	struct verify *v = ctx;

	tell(v, code, v->r->head.rec.at, what);
}

static void begin_segment(struct verify *v)
{
	v->segment_at = v->r->head.rec.at;
	v->names_at = v->rows = v->step_back = v->end_at = v->behind_end = 0;
	memset(v->kinds, 0, sizeof(v->kinds));
	memset(v->lost_rows, 0, sizeof(v->lost_rows));
	memset(v->lost_heads, 0, sizeof(v->lost_heads));
	v->has_latest = v->said_latest = v->broken = false;
}

/* magic and file_id begin records and are nowhere else (SPEC.md 3.1). */
static void check_magic(struct verify *v, const uint8_t *p, size_t len)
{
	uint8_t key[16];

	memcpy(key, RECORD_MAGIC, 8);
	memcpy(key + 8, v->r->file_id, 8);
	if (len >= sizeof(key) && memmem(p, len, key, sizeof(key)))
		tell_here(v, "a record holds the beginning of another");
}

static void check_place(struct verify *v)
{
	const struct head *h = &v->r->head;
	uint64_t at = h->rec.at - v->segment_at;
	uint64_t back = v->names_at ? h->rec.at - v->names_at : 0;

	if (h->has_place && h->place != at)
		tell_here(v, "PLACE is not where the record stands");
	else if (h->has_place && h->names_back != back && !v->broken)
		tell_here(v, "PLACE does not lead to the names before");
}

static void check_seq(struct verify *v)
{
	const struct et_record *rec = &v->r->head.rec;

	if (rec->seq > v->rows) {
		v->broken = true;
		tell_here(v, "rows are missing before this record");
	}
	v->rows = rec->seq + rec->rows;
}

/* Counts by cause grow; rows that are lost add up to them at the end. */
static void check_lost(struct verify *v)
{
	const struct et_record *rec = &v->r->head.rec;
	bool shrinks = false, differs = false;

	for (unsigned i = 1; i < ET_CAUSE_END; i++) {
		shrinks |= rec->lost[i] < v->lost_heads[i];
		differs |= rec->lost[i] != v->lost_rows[i];
		v->lost_heads[i] = rec->lost[i];
	}
	if (shrinks)
		tell_here(v, "LOST counts fewer events than before");
	if (rec->type == ET_REC_END && differs && !v->broken)
		tell_here(v, "LOST is not the sum of the rows of kind lost");
}

static void check_end(struct verify *v)
{
	const struct head *h = &v->r->head;

	if (v->end_at)
		tell_here(v, "a second END");
	v->end_at = h->rec.at;
	v->behind_end = h->rec.at + h->rec.size;
	if (!v->broken && memcmp(h->kinds, v->kinds, sizeof(v->kinds)))
		tell_here(v, "KINDS of END is not what the records have");
	if (h->has_step_back && h->step_back < v->step_back)
		tell_here(v, "STEP_BACK is smaller than a step back of the rows");
}

static void check_footer(struct verify *v)
{
	const struct head *h = &v->r->head;

	if (!v->end_at || h->rec.at != v->behind_end)
		tell_here(v, "FOOTER does not stand behind END");
	else if (h->rec.size != FOOTER_SIZE || h->end_at != v->end_at - v->segment_at ||
		 h->segment_len != h->rec.at + h->rec.size - v->segment_at)
		tell_here(v, "FOOTER does not say where END and the segment's beginning are");
}

/* The times between which the rows lie on the wall clock, and what is said of them. */
static int check_latest(struct verify *v, struct et_chunk *c)
{
	const struct et_record *rec = &v->r->head.rec;
	const uint64_t *ts, *until = NULL;
	int64_t lo, hi;

	if (et_chunk_uints(c, ET_F_TS, &ts, NULL) ||
	    (rec->kinds[ET_LOST] && et_chunk_uints(c, ET_F_UNTIL, &until, NULL)))
		return ET_OK;
	chunk_walls(c, ts, until, &lo, &hi);
	if (rec->has_latest && v->has_latest && rec->latest < v->latest)
		tell_here(v, "LATEST is before a row that came before");
	else if (rec->has_latest && v->said_latest && rec->latest < v->latest_said)
		tell_here(v, "LATEST is before that of a record before");
	if (rec->has_latest) {
		v->said_latest = true;
		v->latest_said = rec->latest;
	}
	if (rec->has_latest && lo < rec->latest) {
		uint64_t step = (uint64_t)rec->latest - (uint64_t)lo;

		v->step_back = step > v->step_back ? step : v->step_back;
	}
	v->latest = v->has_latest && v->latest > hi ? v->latest : hi;
	v->has_latest = true;
	return ET_OK;
}

static void add_lost(struct verify *v, struct et_chunk *c)
{
	const uint64_t *kind, *cause, *count;

	if (et_chunk_uints(c, ET_F_KIND, &kind, NULL) || et_chunk_uints(c, ET_F_CAUSE, &cause, NULL) ||
	    et_chunk_uints(c, ET_F_COUNT, &count, NULL))
		return;
	for (uint32_t i = 0; i < et_chunk_rows(c); i++)
		if (kind[i] == ET_LOST && cause[i] && cause[i] < ET_CAUSE_END) {
			uint64_t *sum = &v->lost_rows[cause[i]];

			*sum = *sum + count[i] < *sum ? UINT64_MAX : *sum + count[i];
		}
}

static int check_rows(struct verify *v, struct et_error *err)
{
	struct head *h = &v->r->head;
	struct et_chunk *c;
	bool whole;
	int rc = et_reader_chunk(v->r, &c, err);

	if (v->behind_end)
		tell_here(v, "rows behind END");
	/* What is wrong with the body has reached on_fault. */
	if (rc)
		return rc == ET_NOMEM || rc == ET_IO ? rc : ET_OK;
	check_magic(v, c->body.data, c->body.len);
	rc = audit_chunk(c, h, on_audit, v, &whole, err);
	v->broken |= !whole;
	if (!rc && whole) {
		rc = check_latest(v, c);
		add_lost(v, c);
	}
	for (unsigned k = 0; k <= KIND_MAX; k++)
		v->kinds[k] += h->kinds[k];
	et_chunk_free(c);
	return rc;
}

static int check_names(struct verify *v, const struct et_record *rec, struct et_error *err)
{
	int rc = et_context_take(v->names, v->r, rec, err);

	v->names_at = rec->at;
	if (rc == ET_OK)
		check_magic(v, v->r->body.data, v->r->body.len);
	return rc == ET_NOMEM || rc == ET_IO ? rc : ET_OK;
}

static int check_record(struct verify *v, const struct et_record *rec, struct et_error *err)
{
	check_magic(v, v->r->head_bytes.data, v->r->head_bytes.len);
	if (rec->type == ET_REC_FILE) {
		begin_segment(v);
		if (!parts_add(&v->parts, rec))
			return et_fail_nomem(err);
		return et_context_take(v->names, v->r, rec, err);
	}
	check_seq(v);
	if (rec->type != ET_REC_FOOTER)
		check_place(v);
	if (rec->type == ET_REC_END || rec->rows)
		check_lost(v);
	if (rec->type == ET_REC_END)
		check_end(v);
	else if (rec->type == ET_REC_FOOTER)
		check_footer(v);
	else if (is_names_type(rec->type))
		return check_names(v, rec, err);
	return rec->rows ? check_rows(v, err) : ET_OK;
}

int et_verify(const struct et_io *io, et_fault_fn *fault, void *ctx, struct et_reader_stats *stats,
	      struct et_error *err)
{
	struct verify v = { .fault = fault, .ctx = ctx };
	struct et_error own;
	struct et_record rec;
	int rc;

	if (!err)
		err = &own;
	memset(stats, 0, sizeof(*stats));
	rc = et_reader_open(io, on_fault, &v, &v.r, err);
	if (rc)
		return rc;
	v.names = et_context_new();
	rc = v.names ? ET_OK : et_fail_nomem(err);
	while (!rc) {
		rc = et_reader_next(v.r, &rec, err);
		if (!rc)
			rc = check_record(&v, &rec, err);
	}
	et_reader_stats(v.r, stats);
	stats->segments_missing = parts_missing(&v.parts);
	parts_free(&v.parts);
	et_context_free(v.names);
	et_reader_close(v.r);
	if (rc != ET_EOF)
		return rc;
	return v.faults ? et_fail(err, ET_CORRUPT, 0, "the capture breaks rules of its format") : ET_OK;
}
