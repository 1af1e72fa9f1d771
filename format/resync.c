/* SPDX-License-Identifier: BSD-2-Clause */
/* resync.c - finding the way again after damaged bytes (SPEC.md 6.2). */
#include "error.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK (64u << 10)
#define BLOCK_FIRST 256u

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return false;
	}
	return true;
}

/*
 * Reads on to the next magic and puts it back; ET_EOF where there is none. In steps
 * that grow: bytes that are full of magics cost no block for each.
 */
static int find_magic(struct et_reader *r, uint8_t *block, bool *zeros, struct et_error *err)
{
	for (size_t want = BLOCK_FIRST;; want = want < BLOCK ? want * 4 : BLOCK) {
		const uint8_t *hit;
		uint64_t at = r->src.at;
		size_t got, keep;
		int sys = source_read(&r->src, block, want, &got);

		if (sys)
			return et_fail_io(err, sys, at, "cannot read");
		hit = memmem(block, got, RECORD_MAGIC, RECORD_MAGIC_LEN);
		*zeros = *zeros && all_zero(block, hit ? (size_t)(hit - block) : got);
		if (!hit && got < want)
			return ET_EOF;
		/* A magic may begin in the last bytes of the block. */
		keep = hit ? got - (size_t)(hit - block) : RECORD_MAGIC_LEN - 1;
		if (source_unread(&r->src, block + got - keep, keep))
			return et_fail_nomem(err);
		if (hit)
			return ET_OK;
	}
}

void reader_doubt(struct et_reader *r, uint64_t at)
{
	uint64_t from = at + RECORD_MAGIC_LEN, again = r->src.at - from;

	if (again > r->doubt || source_seek(&r->src, from))
		return;
	r->doubt -= again;
	r->body_pending = false;
	r->lost_way = true;
	r->at_end = false;
}

int reader_resync(struct et_reader *r, uint64_t at, const uint8_t *fixed, size_t fixed_len,
		  const char *what, struct et_error *err)
{
	bool zeros = all_zero(fixed, fixed_len);
	uint8_t *block = malloc(BLOCK);
	uint64_t passed;
	int rc = ET_OK;

	if (!block)
		return et_fail_nomem(err);
	/*
	 * All but the first byte may still be part of a whole record. In what was put
	 * behind a file that lacks only padding, so may what stands in the place of it.
	 */
	if (r->doubt && !r->lost_way && at > RECORD_FIXED)
		rc = source_seek(&r->src, at - 7) ? et_fail(err, ET_IO, at, "cannot seek") : ET_OK;
	else if (source_unread(&r->src, fixed + 1, fixed_len - 1))
		rc = et_fail_nomem(err);
	if (!rc)
		rc = find_magic(r, block, &zeros, err);
	free(block);
	if (rc && rc != ET_EOF)
		return rc;
	/* Zeros up to the end are what a crash leaves of a file: no damage. */
	if (rc == ET_EOF && zeros) {
		reader_truncated(r, at, true, "the capture ends in zeros");
		return ET_EOF;
	}
	/* What was found may begin in what was taken for padding. */
	passed = r->src.at > at ? r->src.at - at : 0;
	/* Up to the next valid frame it is one place, whatever looks like a record in it. */
	if (r->lost_way)
		r->stats.damaged_bytes += passed;
	else
		reader_fault(r, ET_CORRUPT, at, what, passed);
	r->lost_way = true;
	r->at_end |= rc == ET_EOF;
	return rc;
}
