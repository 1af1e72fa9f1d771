/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clocks.h - what the wall clock was for the rows of a record: its offset from
 * the boot clock, in spans of ts (SPEC.md 2.4 and 3.6).
 */
#ifndef ET_CLOCKS_H
#define ET_CLOCKS_H

#include "bytes.h"

#include <exectrace.h>

/* ts + offset, or the nearest that 64 bits hold. */
int64_t clock_wall(uint64_t ts, int64_t offset);
/* The offset in force at ts by clocks that ascend; there is at least one. */
int64_t clock_offset(const struct et_clock *clocks, unsigned n, uint64_t ts);
/* The wall-clock time of ts by them. */
int64_t clock_find(const struct et_clock *clocks, unsigned n, uint64_t ts);

/* Rows that were seen from first to last all have that offset. */
struct clock_span {
	uint64_t first, last;
	int64_t offset;
};

/* Spans ascend and do not overlap. Start it zeroed. */
struct clock_spans {
	unsigned n;
	struct clock_span v[ET_CLOCKS_MAX];
};

/* Whether a row of this ts and offset can be added. */
bool spans_fit(const struct clock_spans *s, uint64_t ts, int64_t offset);
/* Adds one that fits. */
void spans_add(struct clock_spans *s, uint64_t ts, int64_t offset);
/*
 * Wall-clock times between which the rows lie; there is at least one. until: the
 * latest end of a lost row, 0 for none.
 */
void spans_range(const struct clock_spans *s, uint64_t until, int64_t *lo, int64_t *hi);
/* The value of REALTIME. */
void spans_put(struct buf *out, const struct clock_spans *s);
/* Reads it: clocks has room for ET_CLOCKS_MAX. ts_min: where the first begins. */
void clocks_parse(struct cursor *c, uint64_t ts_min, struct et_clock *clocks, unsigned *n);

#endif
