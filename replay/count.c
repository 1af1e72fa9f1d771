/* SPDX-License-Identifier: BSD-2-Clause */
/* count.c - how many events a source has, by heads alone where they tell. */
#include "feed.h"

static int count_record(struct feed *f, const struct et_record *rec, uint64_t limit,
			uint64_t *count)
{
	struct et_chunk *c = NULL;
	struct et_error err;
	uint64_t n = 0;
	uint32_t rows;
	int r;

	source_take(f->source, rec);
	r = feed_bind(f, rec);
	if (r || !rec->rows)
		return r;
	if (scope_matches_all(&f->scope, rec) && f->source->wanted && !rec->kinds[ET_LOST]) {
		const uint8_t *body;

		/* No later record will tell whether the capture ends inside the last. */
		if ((rec->rows >= limit - *count || f->shared->opt.whole) &&
		    et_reader_body(f->source->reader, &body, &err)) {
			source_failed(f->source);
			return err.code == ET_NOMEM ? ET_NOMEM : ET_OK;
		}
		*count += rec->rows;
		f->source->shown += rec->rows;
		return ET_OK;
	}
	if (!feed_reads(f, rec, scope_may_match(&f->scope, rec)))
		return feed_check(f);
	r = et_reader_chunk(f->source->reader, &c, &err);
	if (r) {
		if (r == ET_UNSUPPORTED)
			source_fault(f->source, rec, &err);
		else
			source_failed(f->source);
		return r == ET_NOMEM ? ET_NOMEM : ET_OK;
	}
	source_losses(f->source, c, f->scope.since, f->scope.until);
	if (!f->source->wanted) {
		et_chunk_free(c);
		return ET_OK;
	}
	rows = et_chunk_rows(c);
	r = feed_room_for_selected(f, rows);
	if (!r)
		r = scope_select(&f->scope, &f->shared->scratch, rec, c, f->shared->selected,
				 &err);
	if (!r) {
		for (uint32_t i = 0; i < rows; i++)
			n += f->shared->selected[i];
		*count += n;
		f->source->shown += n;
	} else if (r != ET_NOMEM) {
		source_fault(f->source, rec, &err);
		r = ET_OK;
	}
	et_chunk_free(c);
	return r;
}

static bool is_cut_off(const struct source *s, const struct et_record *rec)
{
	struct et_reader_stats st;

	et_reader_stats(s->reader, &st);
	return st.truncated && s->fault_at == rec->at;
}

int feed_count(struct feed *f, uint64_t limit, uint64_t *count)
{
	struct et_record rec = { 0 };
	uint64_t n = 0; /* rows of rec that were counted */

	while (*count < limit && source_next(f->source, &rec)) {
		int r;

		n = *count;
		r = count_record(f, &rec, limit, count);
		if (r)
			return r;
		n = *count - n;
	}
	/* By its head alone, and only then the end of the input was met. */
	if (is_cut_off(f->source, &rec)) {
		f->source->shown -= n;
		*count -= n;
	}
	return ET_OK;
}
