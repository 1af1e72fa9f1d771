/* SPDX-License-Identifier: BSD-2-Clause */
/* seek.c - finding where a range of times begins and ends (SPEC.md 6.5). */
#include "seek.h"
#include "error.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

/* What is left is no longer halved, but read. A fuzzer's captures are not as large. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define NEAR 64u
#else
#define NEAR (32u << 10)
#endif
#define BLOCK (16u << 10)

struct seek {
	int64_t since, until;
	bool begun;		/* looked for the beginning and for END */
	bool has_end;		/* END was found; what it says: */
	uint64_t end_at, step_back;

	uint64_t *visits;	/* offsets of the records to read next, ascending */
	size_t n_visits, at_visit, cap_visits;

	/* The record that was looked at last. */
	struct frame frame;
	struct head head;
	struct buf bytes;
};

struct seek *seek_new(int64_t since, int64_t until)
{
	struct seek *s = calloc(1, sizeof(*s));

	if (s) {
		s->since = since;
		s->until = until;
	}
	return s;
}

void seek_free(struct seek *s)
{
	if (!s)
		return;
	buf_free(&s->bytes);
	free(s->visits);
	free(s);
}

/* Bytes at an offset; ET_EOF where the input ends before. */
static int read_at(struct et_reader *r, uint64_t at, void *to, size_t len, struct et_error *err)
{
	size_t got;
	int sys = source_seek(&r->src, at);

	if (!sys)
		sys = source_read(&r->src, to, len, &got);
	if (sys)
		return et_fail_io(err, sys, at, "cannot read");
	return got == len ? ET_OK : ET_EOF;
}

enum found {
	FOUND_NONE,	/* no record begins here */
	FOUND_OTHER,	/* one of another segment, or that says it belongs elsewhere */
	FOUND_RECORD,	/* one of this: s->frame; where its head is right, s->head */
};

/* What stands at an offset. Like the records of the reader it has to be right in all. */
static int look(struct seek *s, struct et_reader *r, uint64_t at, enum found *found, bool *parsed,
		struct et_error *err)
{
	uint8_t fixed[RECORD_FIXED];
	uint8_t *bytes;
	int rc = read_at(r, at, fixed, sizeof(fixed), err);

	*found = FOUND_NONE;
	*parsed = false;
	if (rc || memcmp(fixed, RECORD_MAGIC, RECORD_MAGIC_LEN) || !frame_get(fixed, &s->frame) ||
	    s->frame.head_len > LIMIT_HEAD || s->frame.body_len > LIMIT_BODY)
		return rc == ET_EOF ? ET_OK : rc;
	*found = memcmp(s->frame.file_id, r->file_id, sizeof(r->file_id)) ? FOUND_OTHER : FOUND_RECORD;
	if (*found == FOUND_OTHER)
		return ET_OK;
	buf_reset(&s->bytes);
	bytes = buf_room(&s->bytes, s->frame.head_len + 1);
	if (!bytes)
		return et_fail_nomem(err);
	rc = read_at(r, at + RECORD_FIXED, bytes, s->frame.head_len, err);
	if (rc)
		return rc == ET_EOF ? ET_OK : rc;
	if (!head_check(&s->frame, bytes) ||
	    head_parse(&s->head, &s->frame, bytes, at, &r->schema, NULL))
		return ET_OK;
	/* The same segment once more has the same file_id (cat a a): not all of it is looked at. */
	if (s->head.has_place && s->head.place != at - r->segment_at)
		*found = FOUND_OTHER;
	else
		*parsed = s->head.has_place || s->frame.type == ET_REC_FOOTER;
	return ET_OK;
}

/*
 * The first row record of the segment that begins in [from, to) and says what is
 * before it. FOUND_NONE: there is none, FOUND_OTHER: another segment begins before.
 */
static int find(struct seek *s, struct et_reader *r, uint64_t from, uint64_t to, enum found *found,
		uint64_t *at, struct et_error *err)
{
	uint8_t block[BLOCK];
	bool parsed;
	int rc;

	*found = FOUND_NONE;
	while (from < to) {
		const uint8_t *hit;
		size_t got;
		int sys = source_seek(&r->src, from);

		if (!sys)
			sys = source_read(&r->src, block, sizeof(block), &got);
		if (sys)
			return et_fail_io(err, sys, from, "cannot read");
		hit = memmem(block, got, RECORD_MAGIC, RECORD_MAGIC_LEN);
		if (!hit && got < sizeof(block))
			return ET_OK;
		if (!hit) {
			from += got - (RECORD_MAGIC_LEN - 1);
			continue;
		}
		from += (size_t)(hit - block);
		/* A record has the length that it says: its body is not searched. */
		for (;;) {
			if (from >= to)
				return ET_OK;
			rc = look(s, r, from, found, &parsed, err);
			*at = from;
			if (rc || *found == FOUND_OTHER)
				return rc;
			if (*found == FOUND_NONE)
				break;
			if (parsed && s->head.rec.rows && s->head.rec.has_latest)
				return ET_OK;
			*found = FOUND_NONE;
			from += frame_size(&s->frame);
		}
		from++;
	}
	return ET_OK;
}

static int add_visit(struct seek *s, uint64_t at, struct et_error *err)
{
	if (s->n_visits == s->cap_visits) {
		size_t cap = s->cap_visits ? s->cap_visits * 2 : 16;
		uint64_t *more = realloc(s->visits, cap * sizeof(*more));

		if (!more)
			return et_fail_nomem(err);
		s->visits = more;
		s->cap_visits = cap;
	}
	s->visits[s->n_visits++] = at;
	return ET_OK;
}

/*
 * Lists target and the records of names between here and it, which say
 * themselves where the one before them is. *ok: the chain is whole.
 */
static int list_visits(struct seek *s, struct et_reader *r, uint64_t here, uint64_t target,
		       bool *ok, struct et_error *err)
{
	uint64_t at = target, back;
	enum found found;
	bool parsed;
	int rc;

	*ok = false;
	s->n_visits = s->at_visit = 0;
	rc = add_visit(s, target, err);
	while (!rc) {
		rc = look(s, r, at, &found, &parsed, err);
		if (rc || found != FOUND_RECORD || !parsed)
			break;
		if (at != target && !is_names_type(s->frame.type))
			break;
		back = s->head.names_back;
		if (!back || at - r->segment_at < back || at - back < here) {
			*ok = !back || at - r->segment_at >= back;
			break;
		}
		at -= back;
		rc = add_visit(s, at, err);
	}
	if (!*ok)
		s->n_visits = 0;
	for (size_t i = 0, k = s->n_visits; i + 1 < k; i++) {
		uint64_t swap = s->visits[--k];

		s->visits[k] = s->visits[i];
		s->visits[i] = swap;
	}
	return rc;
}

/* END of a segment that is the last of the input, by its FOOTER (SPEC.md 3.7). */
static int find_end(struct seek *s, struct et_reader *r, uint64_t size, struct et_error *err)
{
	uint64_t footer = size - FOOTER_SIZE, end;
	enum found found;
	bool parsed;
	int rc;

	if (size < r->segment_at + FOOTER_SIZE)
		return ET_OK;
	rc = look(s, r, footer, &found, &parsed, err);
	if (rc || found != FOUND_RECORD || !parsed || s->frame.type != ET_REC_FOOTER ||
	    s->head.segment_len != size - r->segment_at || s->head.end_at > footer - r->segment_at)
		return rc;
	end = r->segment_at + s->head.end_at;
	rc = look(s, r, end, &found, &parsed, err);
	if (rc || found != FOUND_RECORD || !parsed || s->frame.type != ET_REC_END ||
	    end + frame_size(&s->frame) != footer)
		return rc;
	s->has_end = s->head.has_step_back;
	s->end_at = end;
	s->step_back = s->head.step_back;
	return ET_OK;
}

/* The last row record of which all before it is too early: *target; 0: none. */
static int find_since(struct seek *s, struct et_reader *r, uint64_t here, uint64_t size,
		      uint64_t *target, struct et_error *err)
{
	uint64_t low = here, high = size, at;
	enum found found;

	*target = 0;
	while (high - low > NEAR) {
		uint64_t mid = low + (high - low) / 2;
		int rc = find(s, r, mid, high, &found, &at, err);

		if (rc)
			return rc;
		if (found == FOUND_RECORD && s->head.rec.latest < s->since)
			*target = low = at;
		else
			high = mid;
	}
	return ET_OK;
}

static int begin(struct seek *s, struct et_reader *r, struct et_error *err)
{
	uint64_t here = r->src.at, size, target = 0;
	bool ok;
	int rc;

	s->begun = true;
	if (!source_seeks(&r->src, &size) || size <= here)
		return ET_OK;
	rc = find_end(s, r, size, err);
	if (!rc && s->since != INT64_MIN)
		rc = find_since(s, r, here, size, &target, err);
	if (!rc && target)
		rc = list_visits(s, r, here, target, &ok, err);
	if (!rc && source_seek(&r->src, here))
		rc = et_fail(err, ET_IO, here, "cannot seek");
	return rc;
}

int seek_next(struct seek *s, struct et_reader *r, struct et_error *err)
{
	int sys, rc = s->begun ? ET_OK : begin(s, r, err);

	if (rc || s->at_visit == s->n_visits)
		return rc;
	sys = source_seek(&r->src, s->visits[s->at_visit++]);
	if (sys)
		return et_fail_io(err, sys, r->src.at, "cannot seek");
	r->jumped = true;
	return ET_OK;
}

bool seek_ends(const struct seek *s, const struct et_record *rec)
{
	int64_t earliest;

	if (!s->has_end || !rec->has_latest || rec->at >= s->end_at || s->at_visit < s->n_visits)
		return false;
	if (s->step_back > INT64_MAX ||
	    __builtin_sub_overflow(rec->latest, (int64_t)s->step_back, &earliest))
		return false;
	return earliest >= s->until;
}

int seek_to_end(struct seek *s, struct et_reader *r, struct et_error *err)
{
	uint64_t here = r->src.at;
	bool ok;
	int rc = list_visits(s, r, here, s->end_at, &ok, err);

	s->has_end = false;
	if (!rc && source_seek(&r->src, here))
		rc = et_fail(err, ET_IO, here, "cannot seek");
	return rc;
}
