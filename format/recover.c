/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recover.c - every whole record of a damaged capture in a new one, which says of
 * what is gone how much it was and between which times (SPEC.md 4.4, 6.3).
 */
#include "audit.h"
#include "clocks.h"
#include "copy.h"
#include "error.h"
#include "orphan.h"
#include "parts.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

/* How often an input is read at most in search of what lies within broken records. */
#define DOUBT 8

struct recover {
	struct orphan in;
	struct et_io out;	/* writes to real, and its close does nothing */
	const struct et_io *real;
	const struct et_recover_calls *calls;
	struct et_recovery *report;
	struct et_reader *r;
	struct et_context *names;
	struct et_batch *losses;
	struct parts parts;

	/* The segment at hand; NULL: none, or one that cannot be read */
	struct et_writer *w;
	bool ours;		/* its columns are those of this version */
	bool placeable;		/* those of lost rows are, at least */
	bool ended;
	uint64_t rows;		/* of the source, by seq */
	uint64_t rows_said;	/* likewise, by the last record without rows */
	uint64_t damaged;	/* events that were counted as such so far */
	uint64_t lost_heads[ET_CAUSE_END], lost_rows[ET_CAUSE_END];
	bool has_last;
	struct et_clock last;	/* of the rows so far, or of the start */
};

static void ignore_close(void *ctx)
{
	(void)ctx;
}

static int write_out(void *ctx, const void *p, size_t len)
{
	struct recover *v = ctx;
	int sys = v->real->write(v->real->ctx, p, len);

	v->report->failed_output |= sys != 0;
	return sys;
}

static void tell(struct recover *v, const struct et_error *fault)
{
	struct et_error e = *fault;

	e.at = orphan_offset(&v->in, e.at);
	v->report->faults++;
	if (v->calls->fault)
		v->calls->fault(v->calls->ctx, &e);
}

static void on_fault(void *ctx, const struct et_error *fault)
{
	tell(ctx, fault);
}

/* What a later version added is kept as it is. */
static void on_audit(void *ctx, enum et_code code, const char *what)
{
	struct recover *v = ctx;
	struct et_error e = { code, 0, v->r->head.rec.at, what };

	if (code == ET_CORRUPT)
		tell(v, &e);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* The largest number that a row can say is one less than the largest. */
static uint64_t row_count(uint64_t n)
{
	return n < ET_NONE ? n : ET_NONE - 1;
}

/* What a head says of losses; the larger of that and the rows' sum is true (SPEC.md 4.4). */
static void take_losses(struct recover *v, const struct et_record *rec)
{
	for (unsigned i = 0; i < ET_CAUSE_END; i++) {
		uint64_t said = row_count(rec->lost[i]);

		if (said > v->lost_heads[i])
			v->lost_heads[i] = said;
		if (v->lost_rows[i] > v->lost_heads[i])
			v->lost_heads[i] = v->lost_rows[i];
	}
}

/* Cumulative losses, as the next record is to say them. */
static void losses_now(const struct recover *v, uint64_t lost[ET_CAUSE_END])
{
	memcpy(lost, v->placeable ? v->lost_heads : v->lost_rows, sizeof(v->lost_heads));
	lost[ET_CAUSE_DAMAGED] = sum(lost[ET_CAUSE_DAMAGED], v->damaged);
}

static int copy(struct recover *v, const uint8_t *body, struct et_error *err)
{
	uint64_t lost[ET_CAUSE_END];

	losses_now(v, lost);
	return copy_record(v->w, &v->r->head, &v->r->head_bytes, body, lost, err);
}

/* ---- What is gone ---------------------------------------------------------------------- */

/* until of NULL: no end is known. */
static int put_loss(struct recover *v, enum et_cause cause, uint64_t count, struct et_clock from,
		    const struct et_clock *until, struct et_error *err)
{
	struct et_event ev = { .realtime = from.offset };
	uint64_t lost[ET_CAUSE_END];
	int rc;

	/* A schema that cannot hold the row: only the report tells then. */
	if (!v->placeable)
		return ET_OK;
	et_set_uint(&ev, ET_F_KIND, ET_LOST);
	et_set_uint(&ev, ET_F_TS, from.ts);
	if (until && until->ts >= from.ts)
		et_set_uint(&ev, ET_F_UNTIL, until->ts);
	et_set_uint(&ev, ET_F_COUNT, count);
	et_set_uint(&ev, ET_F_CAUSE, cause);
	et_batch_reset(v->losses);
	losses_now(v, lost);
	rc = et_batch_add(v->losses, &ev, err);
	return rc ? rc : et_writer_batch(v->w, ET_REC_LOST, v->losses, lost, err);
}

static int put_gap(struct recover *v, uint64_t count, uint64_t at, struct et_clock from,
		   const struct et_clock *until, struct et_error *err)
{
	struct et_gap gap = {
		.at = orphan_offset(&v->in, at),
		.count = count,
		.from = et_clock_wall(from),
		.until = INT64_MAX,
	};

	if (until)
		gap.until = et_clock_wall(until->ts < from.ts ? from : *until);
	count = row_count(count);
	if (v->placeable)
		v->damaged = sum(v->damaged, count);
	v->report->missing = sum(v->report->missing, count);
	if (v->calls->gap)
		v->calls->gap(v->calls->ctx, &gap);
	return put_loss(v, ET_CAUSE_DAMAGED, count, from, until, err);
}

/* Behind the last record there may have been others. */
static void tell_open(struct recover *v)
{
	struct et_gap gap = {
		.at = orphan_offset(&v->in, v->r->src.at),
		.from = et_clock_wall(v->last),
		.until = INT64_MAX,
	};

	v->report->unknown = true;
	if (v->calls->gap)
		v->calls->gap(v->calls->ctx, &gap);
}

/* Rows that seq says were before the record at hand, which begins or ends at until. */
static int put_missing(struct recover *v, const struct et_record *rec, struct et_clock until,
		       struct et_error *err)
{
	uint64_t count = rec->seq > v->rows ? rec->seq - v->rows : 0;

	/* Nothing told the time before: it was some time after the boot. */
	if (!v->has_last)
		v->last = (struct et_clock){ 0, until.offset };
	v->has_last = true;
	v->rows = rec->seq + rec->rows;
	return count ? put_gap(v, count, rec->at, v->last, &until, err) : ET_OK;
}

/* Losses of the recorder whose rows went with a damaged record. */
static int put_unplaced(struct recover *v, struct et_clock until, struct et_error *err)
{
	int rc = ET_OK;

	for (unsigned i = 1; !rc && i < ET_CAUSE_END; i++) {
		uint64_t rows = v->lost_rows[i];

		if (v->lost_heads[i] > rows)
			rc = put_loss(v, i, v->lost_heads[i] - rows, v->last, &until, err);
	}
	return rc;
}

/* ---- Segments --------------------------------------------------------------------------- */

/*
 * Whether the schema has the columns of these kinds just as this version has them; of
 * all kinds also which of them carry each.
 */
static bool columns_are_ours(const struct schema *s, unsigned kinds)
{
	for (unsigned id = 1; id <= LIMIT_COLUMN_ID; id++) {
		const struct et_column *col = schema_find(s, id);
		const struct et_field *f = id < ET_FIELD_END ? &et_fields[id] : NULL;
		bool has = col && col->kinds & kinds, should = f && f->name && f->kinds & kinds;

		if (has != should || (has && (col->type != f->type || (kinds == ~0u && col->kinds != f->kinds))))
			return false;
	}
	return true;
}

/* A segment that was not ended may lack events at its end, nobody knows how many. */
static int end_open(struct recover *v, struct et_error *err)
{
	uint64_t lost[ET_CAUSE_END];
	int rc = ET_OK;

	/* A record of names said that they were there; no row came behind it. */
	if (v->rows_said > v->rows)
		rc = put_gap(v, v->rows_said - v->rows, v->r->src.at, v->last, NULL, err);
	if (!rc)
		rc = put_unplaced(v, v->last, err);
	tell_open(v);
	losses_now(v, lost);
	if (!rc)
		rc = et_writer_end(v->w, v->last, lost,
				   ET_NOT_ENDED ": recovered from a capture without END", err);
	return rc;
}

static int leave(struct recover *v, struct et_error *err)
{
	struct et_writer_stats stats;
	int rc = ET_OK;

	if (!v->w)
		return ET_OK;
	if (!v->ended)
		rc = end_open(v, err);
	et_writer_stats(v->w, &stats);
	v->report->bytes += stats.bytes;
	et_writer_close(v->w);
	v->w = NULL;
	return rc;
}

static int enter(struct recover *v, const struct et_record *rec, struct et_error *err)
{
	int rc = leave(v, err);

	if (!rc && !parts_add(&v->parts, rec))
		rc = et_fail_nomem(err);
	if (rc)
		return rc;
	v->ended = false;
	v->rows = v->rows_said = v->damaged = 0;
	memset(v->lost_heads, 0, sizeof(v->lost_heads));
	memset(v->lost_rows, 0, sizeof(v->lost_rows));
	v->last = rec->started;
	v->has_last = rec->has_started;
	v->ours = columns_are_ours(&v->r->schema, ~0u);
	v->placeable = columns_are_ours(&v->r->schema, ET_KIND_BIT(ET_LOST));
	rc = et_context_take(v->names, v->r, rec, err);
	if (!rc)
		rc = writer_new(&v->out, 0, &v->w, err);
	return rc ? rc : copy_header(v->w, &v->r->head_bytes, err);
}

static int end(struct recover *v, const struct et_record *rec, struct et_error *err)
{
	uint64_t at;
	int rc = put_missing(v, rec, rec->ended, err);

	take_losses(v, rec);
	if (!rc)
		rc = put_unplaced(v, rec->ended, err);
	at = v->w->stats.bytes;
	if (!rc)
		rc = copy(v, NULL, err);
	if (!rc)
		rc = writer_footer(v->w, at, err);
	v->ended = true;
	return rc;
}

/* ---- Rows --------------------------------------------------------------------------------- */

/* What rows of kind lost say. */
static void note_losses(struct recover *v, const struct et_record *rec, struct et_chunk *c)
{
	const uint64_t *cause, *count;

	if (!rec->kinds[ET_LOST] || et_chunk_uints(c, ET_F_CAUSE, &cause, NULL) ||
	    et_chunk_uints(c, ET_F_COUNT, &count, NULL))
		return;
	for (uint32_t i = 0; i < rec->rows; i++)
		if (count[i] != ET_NONE && cause[i] && cause[i] < ET_CAUSE_END)
			v->lost_rows[cause[i]] = sum(v->lost_rows[cause[i]], count[i]);
	take_losses(v, rec);
}

/* Where the rows lie in time. */
static void note_times(struct recover *v, struct et_chunk *c)
{
	const uint64_t *ts, *until;
	int64_t lo, hi;

	if (et_chunk_uints(c, ET_F_TS, &ts, NULL))
		return;
	if (et_chunk_uints(c, ET_F_UNTIL, &until, NULL))
		until = NULL;
	chunk_walls(c, ts, until, &lo, &hi);
	writer_note_times(v->w, lo, hi);
}

static struct et_clock begins(const struct et_record *rec)
{
	return (struct et_clock){ rec->ts_min, rec->clocks[0].offset };
}

static struct et_clock ends(const struct et_record *rec)
{
	return (struct et_clock){ rec->ts_max, clock_offset(rec->clocks, rec->n_clocks, rec->ts_max) };
}

/* The record cannot be kept; its head says what went with it. */
static int drop(struct recover *v, const struct et_record *rec, struct et_error *err)
{
	struct et_clock from = begins(rec), until = ends(rec);
	uint64_t events = rec->rows - rec->kinds[ET_LOST];

	v->report->dropped++;
	return events ? put_gap(v, events, rec->at, from, &until, err) : ET_OK;
}

/* Rows that can be read, of a record whose head is not to be believed. */
static int write_anew(struct recover *v, const struct et_record *rec, struct et_chunk *c, bool *done,
		      struct et_error *err)
{
	uint64_t lost[ET_CAUSE_END];
	struct et_event ev;
	int rc = ET_OK;

	*done = false;
	et_batch_reset(v->losses);
	for (uint32_t i = 0; !rc && i < rec->rows; i++) {
		rc = et_chunk_event(c, i, &ev, err);
		if (!rc)
			rc = et_batch_add(v->losses, &ev, err);
	}
	losses_now(v, lost);
	if (!rc)
		rc = et_writer_batch(v->w, rec->type, v->losses, lost, err);
	*done = !rc;
	return rc == ET_NOMEM || rc == ET_IO ? rc : ET_OK;
}

static int keep_chunk(struct recover *v, const struct et_record *rec, struct et_chunk *c,
		      struct et_error *err)
{
	uint64_t faults = v->report->faults, lost_rows[ET_CAUSE_END];
	bool whole, kept = false;
	int rc = audit_chunk(c, &v->r->head, on_audit, v, &whole, err);

	memcpy(lost_rows, v->lost_rows, sizeof(lost_rows));
	if (!rc && whole)
		note_losses(v, rec, c);
	if (!rc && whole && v->report->faults == faults) {
		rc = copy(v, c->body.data, err);
		kept = true;
	} else if (!rc && whole && v->ours) {
		rc = write_anew(v, rec, c, &kept, err);
	}
	if (rc)
		return rc;
	if (!kept) {
		memcpy(v->lost_rows, lost_rows, sizeof(lost_rows));
		return drop(v, rec, err);
	}
	note_times(v, c);
	v->report->records++;
	v->report->events += rec->rows - rec->kinds[ET_LOST];
	return ET_OK;
}

static int rows(struct recover *v, const struct et_record *rec, struct et_error *err)
{
	struct et_chunk *c;
	int rc = put_missing(v, rec, begins(rec), err);

	take_losses(v, rec);
	if (rc)
		return rc;
	rc = et_reader_chunk(v->r, &c, err);
	if (rc == ET_CORRUPT) {
		rc = drop(v, rec, err);
	} else if (!rc) {
		rc = keep_chunk(v, rec, c, err);
		et_chunk_free(c);
	}
	if (rec->ts_max >= v->last.ts)
		v->last = ends(rec);
	return rc;
}

static int other(struct recover *v, const struct et_record *rec, struct et_error *err)
{
	bool names = is_names_type(rec->type);
	const uint8_t *body;
	int rc;

	/* When they happened, the next rows tell. */
	v->rows_said = rec->seq;
	rc = names ? et_context_take(v->names, v->r, rec, err) : et_reader_body(v->r, &body, err);
	if (rc == ET_CORRUPT || rc == ET_LIMIT) {
		v->report->dropped++;
		return ET_OK;
	}
	if (rc)
		return rc;
	v->report->records++;
	return copy(v, v->r->body.data, err);
}

/* A segment is what lies before its END. */
static int behind_end(struct recover *v, const struct et_record *rec)
{
	struct et_error e = { ET_CORRUPT, 0, rec->at, "rows behind END" };

	if (!rec->rows)
		return ET_OK;
	tell(v, &e);
	v->report->dropped++;
	v->report->missing = sum(v->report->missing, rec->rows - rec->kinds[ET_LOST]);
	return ET_OK;
}

static int take(struct recover *v, const struct et_record *rec, struct et_error *err)
{
	if (rec->type == ET_REC_FILE)
		return enter(v, rec, err);
	/* FOOTER is written with END. */
	if (rec->type == ET_REC_FOOTER)
		return ET_OK;
	if (v->ended)
		return behind_end(v, rec);
	if (rec->type == ET_REC_END)
		return end(v, rec, err);
	return rec->rows ? rows(v, rec, err) : other(v, rec, err);
}

int et_recover(const struct et_io *in, const struct et_io *out,
	       const struct et_recover_calls *calls, struct et_recovery *report, struct et_error *err)
{
	struct recover v = { .calls = calls, .report = report, .real = out };
	struct et_reader_stats stats;
	struct et_error own;
	struct et_record rec;
	struct et_io io;
	uint64_t size;
	int rc;

	if (!err)
		err = &own;
	memset(report, 0, sizeof(*report));
	v.out = (struct et_io){ .ctx = &v, .write = write_out, .close = ignore_close };
	v.names = et_context_new();
	v.losses = et_batch_new();
	rc = orphan_open(&v.in, in, err);
	if (!rc && (!v.names || !v.losses))
		rc = et_fail_nomem(err);
	if (!rc && v.in.fault.code)
		tell(&v, &v.in.fault);
	if (!rc) {
		orphan_io(&v.in, &io);
		rc = et_reader_open(&io, on_fault, &v, &v.r, err);
	}
	if (!rc && source_seeks(&v.r->src, &size))
		v.r->doubt = DOUBT * size;
	while (!rc) {
		rc = et_reader_next(v.r, &rec, err);
		if (!rc)
			rc = take(&v, &rec, err);
	}
	if (rc == ET_EOF && v.r)
		rc = leave(&v, err);
	if (v.r) {
		et_reader_stats(v.r, &stats);
		report->segments = stats.segments;
		report->not_ended = stats.not_ended;
		for (unsigned i = 0; i < ET_CAUSE_END; i++)
			report->lost = sum(report->lost, stats.lost[i]);
		report->lost = sum(report->lost, stats.lost_other);
		report->segments_missing = parts_missing(&v.parts);
	}
	et_writer_close(v.w);
	et_reader_close(v.r);
	et_context_free(v.names);
	et_batch_free(v.losses);
	parts_free(&v.parts);
	orphan_close(&v.in);
	out->close(out->ctx);
	return rc;
}
