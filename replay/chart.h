/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chart.h - how many events there were when: counts of spans of time that are all of the
 * same length, which grows with the time that they have to cover. Lengths are such as
 * 20 ms, 10 s or 1 h, and spans begin where these do in UTC.
 */
#ifndef EXECTRACE_CHART_H
#define EXECTRACE_CHART_H

#include "out.h"

#define CHART_SPANS 1024

/* Start it zeroed. */
struct chart {
	bool any;
	unsigned step;	/* of the lengths */
	int64_t base;	/* the number of the span counts[0], from 1970 on */
	int64_t first, last; /* numbers of spans that have some */
	int64_t from, until; /* wall times: of the span that was counted last */
	uint64_t *at;	/* and its count */
	uint64_t counts[CHART_SPANS];
};

/* An event more at that wall time, ns. */
void chart_grow(struct chart *c, int64_t wall, uint64_t n);
static inline void chart_add(struct chart *c, int64_t wall)
{
	if (c->at && wall >= c->from && wall < c->until)
		++*c->at;
	else
		chart_grow(c, wall, 1);
}
void chart_merge(struct chart *c, const struct chart *from);

/*
 * Columns of several spans each, at most so many. length: of a column, ns; *first: wall time
 * at which the first begins. Returns how many there are, fills counts.
 */
unsigned chart_columns(const struct chart *c, unsigned most, uint64_t *counts, uint64_t *length,
		       int64_t *first);
/*
 * As bars of events a second below each other, with times below; nothing where there are
 * less than a few columns. width: of the terminal; unicode: it can show more than ASCII.
 */
void chart_text(const struct chart *c, struct out *o, int32_t offset, size_t width, bool unicode);
/* ,"histogram":{"start":...,"width":ns,"events":[...]} of at most 60 columns. */
void chart_json(const struct chart *c, struct out *o);

#endif
