/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wall clock of a record's rows: what spans are built from comes back at each
 * row's ts, whatever the order of the rows; what breaks SPEC.md 3.6 is refused.
 */
#include "check.h"
#include "clocks.h"
#include "events.h"

#define ROWS 300

/* A wall clock that was set now and then: the oracle, offset by ts. */
struct course {
	unsigned n;
	struct et_clock v[40];
};

static int64_t random_offset(void)
{
	switch (rng() % 4) {
	case 0:
		return (int64_t)rng();
	case 1:
		return rng() % 2 ? INT64_MAX - (int64_t)(rng() % 99) : INT64_MIN + (int64_t)(rng() % 99);
	default:
		return 1790000000000000000 + (int64_t)(rng() % 7200) * 1000000000;
	}
}

static bool has_offset(const struct course *c, int64_t offset)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->v[i].offset == offset)
			return true;
	return false;
}

/* No offset comes twice: rows around a time without rows would be taken for one span. */
static struct course random_course(uint64_t from, unsigned steps)
{
	struct course c = { .n = 1, .v = { { 0, random_offset() } } };

	while (c.n <= steps) {
		int64_t offset = random_offset();

		if (has_offset(&c, offset))
			continue;
		from += 1 + rng() % 1000;
		c.v[c.n++] = (struct et_clock){ from, offset };
	}
	return c;
}

static int64_t offset_of(const struct course *c, uint64_t ts)
{
	int64_t offset = 0;

	for (unsigned i = 0; i < c->n && c->v[i].ts <= ts; i++)
		offset = c->v[i].offset;
	return offset;
}

/* The nearest that 64 bits hold, by another way than the library's. */
static int64_t nearest(uint64_t ts, int64_t offset)
{
	uint64_t back = 0 - (uint64_t)offset;

	if (offset >= 0)
		return ts > (uint64_t)(INT64_MAX - offset) ? INT64_MAX : (int64_t)ts + offset;
	if (ts < back)
		return (int64_t)(ts - back);
	return ts - back > INT64_MAX ? INT64_MAX : (int64_t)(ts - back);
}

/* Adds rows until one does not fit; what was added has to come back. */
static unsigned round_trip(const struct course *course, uint64_t from, uint64_t width)
{
	struct clock_spans spans = { 0 };
	struct et_clock clocks[ET_CLOCKS_MAX];
	struct buf out = { 0 };
	uint64_t ts[ROWS], min = UINT64_MAX;
	int64_t lo = INT64_MAX, hi = INT64_MIN, span_lo, span_hi;
	unsigned n = 0, clocks_n;
	struct cursor cursor;

	for (; n < ROWS; n++) {
		int64_t offset, wall;

		ts[n] = from + rng() % width;
		offset = offset_of(course, ts[n]);
		wall = nearest(ts[n], offset);
		if (!spans_fit(&spans, ts[n], offset)) {
			/* Only for want of room: the offset is a function of ts. */
			CHECK(spans.n == ET_CLOCKS_MAX);
			break;
		}
		spans_add(&spans, ts[n], offset);
		min = ts[n] < min ? ts[n] : min;
		lo = wall < lo ? wall : lo;
		hi = wall > hi ? wall : hi;
	}
	for (unsigned i = 0; i < spans.n; i++) {
		CHECK(spans.v[i].first <= spans.v[i].last);
		CHECK(!i || (spans.v[i].first > spans.v[i - 1].last &&
			     spans.v[i].offset != spans.v[i - 1].offset));
	}
	spans_range(&spans, 0, &span_lo, &span_hi);
	CHECK(span_lo == lo && span_hi == hi);
	spans_put(&out, &spans);
	cursor = cur_make(out.data, out.len);
	clocks_parse(&cursor, min, clocks, &clocks_n);
	CHECK(cur_done(&cursor) && clocks_n == spans.n && clocks[0].ts == min);
	for (unsigned i = 0; i < n; i++) {
		CHECK(clock_offset(clocks, clocks_n, ts[i]) == offset_of(course, ts[i]));
		CHECK(clock_find(clocks, clocks_n, ts[i]) ==
		      nearest(ts[i], offset_of(course, ts[i])));
	}
	buf_free(&out);
	return n;
}

static void test_round_trips(void)
{
	static const uint64_t starts[] = { 0, 1000, 1ull << 40, INT64_MAX - 5000ull, 1ull << 63,
					   UINT64_MAX - 50000 };
	unsigned whole = 0, full = 0;

	for (unsigned i = 0; i < 3000; i++) {
		uint64_t from = starts[rng() % (sizeof(starts) / sizeof(starts[0]))];
		struct course course = random_course(from, rng() % 30);
		unsigned n = round_trip(&course, from, 1 + rng() % 20000);

		whole += n == ROWS;
		full += n < ROWS;
	}
	/* Both ways were gone. */
	CHECK(whole > 500 && full > 100);
}

/* One ts, two offsets; and one in the midst of rows that have another. */
static void test_contradictions(void)
{
	struct clock_spans s = { 0 };

	spans_add(&s, 100, 5);
	spans_add(&s, 200, 5);
	CHECK(!spans_fit(&s, 100, 6) && !spans_fit(&s, 150, 6) && !spans_fit(&s, 200, 6));
	CHECK(spans_fit(&s, 99, 6) && spans_fit(&s, 201, 6) && spans_fit(&s, 150, 5));
	spans_add(&s, 300, 6);
	/* Between two spans it may belong to either, or be one of its own. */
	CHECK(spans_fit(&s, 250, 5) && spans_fit(&s, 250, 6) && spans_fit(&s, 250, 7));
	CHECK(!spans_fit(&s, 300, 5) && spans_fit(&s, 301, 5));
	spans_add(&s, 250, 6);
	CHECK(s.n == 2 && s.v[1].first == 250 && s.v[1].last == 300);
	CHECK(!spans_fit(&s, 260, 5));
}

static void test_until(void)
{
	struct clock_spans s = { 0 };
	int64_t lo, hi;

	spans_add(&s, 100, 1000);
	spans_add(&s, 200, 10);
	spans_range(&s, 0, &lo, &hi);
	CHECK(lo == 210 && hi == 1100);
	/* A lost row of either may last until then. */
	spans_range(&s, 500, &lo, &hi);
	CHECK(lo == 210 && hi == 1500);
}

static void test_refused(void)
{
	static const struct {
		const char *label;
		uint64_t ts_min;
		unsigned steps; /* of 1 ns and 1, before the one below */
		uint64_t step;
		size_t cut; /* bytes that are missing */
		bool ok;
	} cases[] = {
		{ "one step", 100, 0, 1, 0, true },
		{ "as many as can be", 100, 14, 1, 0, true },
		{ "one too many", 100, 15, 1, 0, false },
		{ "no time between", 100, 0, 0, 0, false },
		{ "no time between, later", 100, 3, 0, 0, false },
		{ "up to the end of time", UINT64_MAX - 5, 0, 5, 0, true },
		{ "over the end of time", UINT64_MAX - 5, 0, 6, 0, false },
		{ "far over the end of time", 1ull << 63, 0, 1ull << 63, 0, false },
		{ "a step without a change", 100, 2, 1, 1, false },
	};
	struct et_clock clocks[ET_CLOCKS_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };
		struct cursor c;
		unsigned n;

		buf_u64(&b, 7);
		for (unsigned k = 0; k <= cases[i].steps; k++) {
			buf_varint(&b, k == cases[i].steps ? cases[i].step : 1);
			buf_varint(&b, zigzag((uint64_t)-2));
		}
		c = cur_make(b.data, b.len - cases[i].cut);
		clocks_parse(&c, cases[i].ts_min, clocks, &n);
		CHECK_CASE(cases[i].label, cur_done(&c) == cases[i].ok);
		if (cases[i].ok) {
			CHECK_CASE(cases[i].label, n == cases[i].steps + 2);
			CHECK_CASE(cases[i].label, clocks[n - 1].offset == 7 - 2 * (int)(n - 1));
			CHECK_CASE(cases[i].label, clocks[n - 1].ts == cases[i].ts_min + cases[i].steps +
									       cases[i].step);
		}
		buf_free(&b);
	}
	/* Fewer bytes than the first offset has. */
	for (size_t len = 0; len < 8; len++) {
		struct cursor c = cur_make((const uint8_t *)"\1\2\3\4\5\6\7", len);
		unsigned n;

		clocks_parse(&c, 1, clocks, &n);
		CHECK(!cur_done(&c) && n >= 1 && n <= ET_CLOCKS_MAX);
	}
}

/* Any bytes: parsed within bounds or refused, and clocks that were parsed ascend. */
static void test_any_bytes(void)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < 200000; i++) {
		uint8_t bytes[48];
		struct et_clock clocks[ET_CLOCKS_MAX];
		size_t len = rng() % sizeof(bytes);
		struct cursor c = cur_make(bytes, len);
		unsigned n;

		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)(rng() % 4 ? rng() % 128 : rng());
		clocks_parse(&c, rng_number(), clocks, &n);
		if (!cur_done(&c))
			continue;
		taken++;
		CHECK(n >= 1 && n <= ET_CLOCKS_MAX);
		for (unsigned k = 1; k < n; k++)
			CHECK(clocks[k].ts > clocks[k - 1].ts);
	}
	CHECK(taken > 1000);
}

static void test_saturation(void)
{
	static const struct {
		uint64_t ts;
		int64_t offset, wall;
	} cases[] = {
		{ 0, 0, 0 },
		{ 5, -7, -2 },
		{ 1, INT64_MAX, INT64_MAX },
		{ 0, INT64_MAX, INT64_MAX },
		{ 0, INT64_MIN, INT64_MIN },
		{ INT64_MAX, INT64_MIN, -1 },
		{ INT64_MAX, 0, INT64_MAX },
		{ UINT64_MAX, 0, INT64_MAX },
		{ UINT64_MAX, INT64_MAX, INT64_MAX },
		{ 1ull << 63, -1, INT64_MAX },
		{ 1ull << 63, INT64_MIN, 0 },
		{ UINT64_MAX, INT64_MIN, INT64_MAX },
		{ UINT64_MAX, -1, INT64_MAX },
		{ (1ull << 63) + 10, -11, INT64_MAX },
		{ (1ull << 63) + 10, -12, INT64_MAX - 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char label[64];

		snprintf(label, sizeof(label), "%llu + %lld", (unsigned long long)cases[i].ts,
			 (long long)cases[i].offset);
		CHECK_CASE(label, clock_wall(cases[i].ts, cases[i].offset) == cases[i].wall);
		CHECK_CASE(label, nearest(cases[i].ts, cases[i].offset) == cases[i].wall);
	}
}

int main(void)
{
	test_round_trips();
	test_contradictions();
	test_until();
	test_refused();
	test_any_bytes();
	test_saturation();
	return check_result();
}
