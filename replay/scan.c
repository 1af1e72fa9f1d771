/* SPDX-License-Identifier: BSD-2-Clause */
#include "scan.h"

#include "ahead.h"
#include "feed.h"

/* Counts a record by its head alone. */
static int count_whole(struct feed *f, struct unit *u, uint64_t limit, uint64_t *count)
{
	uint32_t rows = u->step.rec.rows;
	bool good = true;
	int r = ET_OK;

	/* No later record will tell whether the capture ends inside the last. */
	if (rows >= limit - *count || f->shared->opt.whole)
		r = ahead_check(f, u, &good);
	if (r || !good)
		return r;
	*count += rows;
	f->source->shown += rows;
	return ET_OK;
}

static int scan_unit(struct feed *f, struct unit *u, uint64_t limit, uint64_t *count)
{
	int r = ahead_take(f, u);
	bool have;

	if (r || !u->step.rec.rows)
		return r;
	if (u->all && f->source->wanted && !f->shared->unit.calls->chunk)
		return count_whole(f, u, limit, count);
	r = ahead_rows(f, u, &have);
	if (r || !have)
		return r;
	source_leave_out(f->source, u->left_out.bits);
	*count += u->n_selected;
	f->source->shown += u->n_selected;
	return ET_OK;
}

static bool is_cut_off(const struct source *s, uint64_t at)
{
	struct et_reader_stats st;

	if (!s->reader)
		return false;
	source_reader_stats(s, &st);
	return st.truncated && s->fault_at == at;
}

int feed_scan(struct feed *f, uint64_t limit, uint64_t *count)
{
	uint64_t n = 0, at = 0; /* rows of the last record that were counted; its offset */
	struct unit *u;

	for (;;) {
		int r = *count < limit ? ahead_next(f, &u) : ET_EOF;

		if (r == ET_NOMEM)
			return r;
		if (r || !u)
			break;
		n = *count;
		at = u->step.rec.at;
		r = scan_unit(f, u, limit, count);
		ahead_free(f, u);
		if (r)
			return r;
		n = *count - n;
	}
	/* By its head alone, and only then the end of the input was met. */
	if (is_cut_off(f->source, at)) {
		f->source->shown -= n;
		*count -= n;
	}
	return ET_OK;
}
