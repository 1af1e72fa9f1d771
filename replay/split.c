/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * split.c - the segments of one file as sources of their own, where recordings of
 * the same time stand in it one behind the other, as merge writes them.
 */
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stretch.h"

/* More are read one after the other. */
#define SEGMENTS_MAX 64

/* Memory for the largest record of each; with more they are read one after the other. */
#define DECODED_MAX (512ull << 20)

static bool overlap(const struct et_segment *a, const struct et_segment *b)
{
	return et_clock_wall(a->started) < et_clock_wall(b->ended) &&
	       et_clock_wall(b->started) < et_clock_wall(a->ended);
}

/* Whether reading them side by side changes anything, and can be done. */
static bool worthwhile(const struct et_io *io, struct et_segment *segs, size_t n)
{
	uint64_t decoded = 0;
	bool any = false;

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			any |= overlap(&segs[i], &segs[k]);
	for (size_t i = 0; any && i < n; i++) {
		any = !et_segment_check(io, &segs[i], NULL);
		decoded += segs[i].decoded;
	}
	return any && decoded <= DECODED_MAX;
}

/* Times in options count from the beginning of the first, in its zone. */
static int share_beginning(struct source *s)
{
	struct ledger *fresh = ledger_new();
	struct et_record rec;

	if (!fresh)
		return ET_NOMEM;
	while (!s->rows && source_next(s, &rec))
		source_take(s, &rec);
	for (size_t i = 0; i < s->n_parts; i++) {
		s->parts[i]->started = s->started;
		s->parts[i]->rows = s->rows;
		s->parts[i]->start = s->start;
		s->parts[i]->offset = s->offset;
	}
	/* What is wrong in there the parts will tell again, and what was read they will read. */
	ledger_free(s->own);
	s->own = fresh;
	s->own_at = LEDGER_NONE;
	s->again_segments = 0;
	s->n_faults = 0;
	s->failure = (struct et_error){ 0 };
	s->ended = false;
	return ET_OK;
}

int source_split(struct source *s)
{
	struct et_segment segs[SEGMENTS_MAX];
	struct et_io io;
	size_t n = 0;
	int r;

	if (s->pipe || s->size <= s->origin || s->parts)
		return 0;
	if (stretch_open(s->fd, s->origin, s->size - s->origin, &io))
		return -1;
	r = et_segments(&io, segs, SEGMENTS_MAX, &n, NULL);
	if (!r && n > 1 && !worthwhile(&io, segs, n))
		n = 0;
	io.close(io.ctx);
	if (r == ET_NOMEM)
		return -1;
	if (n < 2)
		return 0;
	s->parts = calloc(n, sizeof(*s->parts));
	r = s->parts ? ET_OK : ET_NOMEM;
	for (size_t i = 0; i < n && !r; i++) {
		r = ET_NOMEM;
		if (!stretch_open(s->fd, s->origin + segs[i].at, segs[i].size, &io))
			r = source_open_part(s, &io, segs[i].at);
	}
	if (!r)
		r = share_beginning(s);
	/* One is of a later version, say: then reading the whole tells of that. */
	if (r)
		source_unsplit(s);
	return r == ET_NOMEM ? -1 : 0;
}
