/* SPDX-License-Identifier: BSD-2-Clause */
/* clocks.c - offsets of the wall clock by spans of ts (SPEC.md 3.6). */
#include "clocks.h"

#include <string.h>

int64_t clock_wall(uint64_t ts, int64_t offset)
{
	int64_t wall;

	return __builtin_add_overflow(ts, offset, &wall) ? INT64_MAX : wall;
}

int64_t clock_offset(const struct et_clock *clocks, unsigned n, uint64_t ts)
{
	while (n > 1 && clocks[n - 1].ts > ts)
		n--;
	return clocks[n - 1].offset;
}

int64_t clock_find(const struct et_clock *clocks, unsigned n, uint64_t ts)
{
	return clock_wall(ts, clock_offset(clocks, n, ts));
}

/* Number of spans that begin at ts or before. */
static unsigned spans_before(const struct clock_spans *s, uint64_t ts)
{
	unsigned i = s->n;

	while (i && s->v[i - 1].first > ts)
		i--;
	return i;
}

bool spans_fit(const struct clock_spans *s, uint64_t ts, int64_t offset)
{
	unsigned i = spans_before(s, ts);

	if (i && s->v[i - 1].offset == offset)
		return true;
	if (i && ts <= s->v[i - 1].last)
		return false;
	return (i < s->n && s->v[i].offset == offset) || s->n < ET_CLOCKS_MAX;
}

void spans_add(struct clock_spans *s, uint64_t ts, int64_t offset)
{
	unsigned i = spans_before(s, ts);

	if (i && s->v[i - 1].offset == offset) {
		if (ts > s->v[i - 1].last)
			s->v[i - 1].last = ts;
	} else if (i < s->n && s->v[i].offset == offset) {
		s->v[i].first = ts;
	} else {
		memmove(s->v + i + 1, s->v + i, (s->n - i) * sizeof(s->v[0]));
		s->v[i] = (struct clock_span){ ts, ts, offset };
		s->n++;
	}
}

void spans_range(const struct clock_spans *s, uint64_t until, int64_t *lo, int64_t *hi)
{
	*lo = INT64_MAX;
	*hi = INT64_MIN;
	for (unsigned i = 0; i < s->n; i++) {
		int64_t first = clock_wall(s->v[i].first, s->v[i].offset);
		uint64_t end = until > s->v[i].last ? until : s->v[i].last;
		int64_t last = clock_wall(end, s->v[i].offset);

		*lo = first < *lo ? first : *lo;
		*hi = last > *hi ? last : *hi;
	}
}

void spans_put(struct buf *out, const struct clock_spans *s)
{
	buf_u64(out, (uint64_t)s->v[0].offset);
	for (unsigned i = 1; i < s->n; i++) {
		buf_varint(out, s->v[i].first - s->v[i - 1].first);
		buf_varint(out, zigzag((uint64_t)s->v[i].offset - (uint64_t)s->v[i - 1].offset));
	}
}

void clocks_parse(struct cursor *c, uint64_t ts_min, struct et_clock *clocks, unsigned *n)
{
	clocks[0] = (struct et_clock){ ts_min, (int64_t)cur_u64(c) };
	for (*n = 1; !c->failed && cur_left(c); ++*n) {
		uint64_t step = cur_varint(c), change = unzigzag(cur_varint(c));
		const struct et_clock *before = &clocks[*n - 1];

		if (*n == ET_CLOCKS_MAX || !step || before->ts + step < step) {
			c->failed = true;
			return;
		}
		clocks[*n] = (struct et_clock){ before->ts + step,
						(int64_t)((uint64_t)before->offset + change) };
	}
}
