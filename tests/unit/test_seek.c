/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A range of times gives what reading everything gives: the same rows in the same
 * order with the same names known, whatever the clocks did and however damaged the
 * capture is.
 */
#include "ranges.h"

static const struct shape shapes[] = {
	{ "in order", 1500, 0, 0, false, false, false, false, 0 },
	{ "many at one time", 1500, 0, 0, false, false, false, false, 3 },
	{ "rows step back", 1500, 0, 50000, false, false, false, false, 0 },
	{ "rows step far back", 1500, 0, 40 * MS, false, false, false, false, 0 },
	{ "the wall clock is set", 1500, 9, 50000, false, false, false, false, 0 },
	{ "losses that last", 1500, 0, 50000, true, false, false, false, 0 },
	{ "names", 1500, 0, 50000, false, true, false, false, 0 },
	{ "unclean", 1500, 3, 50000, true, true, true, true, 0 },
	{ "all of it", 2500, 30, 5 * MS, true, true, true, false, 0 },
	{ "small", 5, 1, 50000, true, true, true, false, 0 },
	{ "no rows", 0, 0, 0, false, true, false, false, 0 },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void test_shapes(void)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct tried sum = { 0 };

		for (unsigned round = 0; round < 3; round++) {
			struct sink s = { 0 };
			struct tried t;

			write_segment(&s, &shapes[i]);
			t = try_ranges(shapes[i].label, &s, 100, true);
			sum.ranges += t.ranges;
			sum.seeks += t.seeks;
			sum.whole += t.whole;
			sum.unread += t.unread;
			free(s.data);
		}
		printf("%-24s %llu ranges, %llu passed over %llu rows, %llu were of all rows\n",
		       shapes[i].label, (unsigned long long)sum.ranges, (unsigned long long)sum.seeks,
		       (unsigned long long)sum.unread, (unsigned long long)sum.whole);
		/* Or it would be no test of seeking. */
		CHECK_CASE(shapes[i].label, shapes[i].records < 1000 || sum.seeks > sum.ranges / 8);
	}
}

/* Several segments, all kinds of them, also the same one twice. */
static void test_segments(void)
{
	for (unsigned round = 0; round < 8; round++) {
		struct sink s = { 0 };
		unsigned n = 2 + (unsigned)(rng() % 3);

		for (unsigned i = 0; i < n; i++) {
			struct shape shape = shapes[rng() % SHAPES];
			size_t at = s.len, len;

			shape.unclean = rng() % 3 == 0;
			shape.records = shape.records / 2 + 1;
			write_segment(&s, &shape);
			if (rng() % 3)
				continue;
			/* cat a a */
			len = s.len - at;
			s.data = realloc(s.data, s.len + len);
			memcpy(s.data + s.len, s.data + at, len);
			s.len += len;
		}
		try_ranges("segments", &s, 60, true);
		free(s.data);
	}
}

/* Bytes changed, zeroed, cut off at the end, taken out, put in. */
static void damage(struct sink *s)
{
	size_t header = 1024;	/* left alone: without it nothing can be read */
	size_t at = header + rng() % (s->len - header), n = 1 + rng() % 3000;

	if (n > s->len - at)
		n = s->len - at;
	switch (rng() % 6) {
	case 0:
		memset(s->data + at, 0, n);
		break;
	case 1:
		s->len -= rng() % 5000;
		break;
	case 2:
		memmove(s->data + at, s->data + at + n, s->len - at - n);
		s->len -= n;
		break;
	case 3:
		s->data = realloc(s->data, s->len + n);
		memmove(s->data + at + n, s->data + at, s->len - at);
		s->len += n;
		break;
	default:
		for (unsigned i = 0; i < 1 + n % 40; i++)
			s->data[header + rng() % (s->len - header)] ^= (uint8_t)(1 + rng() % 255);
	}
}

static void test_damaged(void)
{
	struct tried sum = { 0 };

	for (unsigned round = 0; round < 40; round++) {
		struct shape shape = shapes[rng() % 8];
		struct sink s = { 0 };
		struct tried t;

		shape.records = 800;
		write_segment(&s, &shape);
		if (rng() % 3 == 0)
			write_segment(&s, &shape);
		for (unsigned i = 0; i < 1 + round % 3; i++)
			damage(&s);
		t = try_ranges("damaged", &s, 30, true);
		sum.ranges += t.ranges;
		sum.seeks += t.seeks;
		free(s.data);
	}
	printf("%-24s %llu ranges, %llu passed over rows\n", "damaged", (unsigned long long)sum.ranges,
	       (unsigned long long)sum.seeks);
	CHECK(sum.seeks > sum.ranges / 6);
}

int main(void)
{
	test_shapes();
	test_segments();
	test_damaged();
	return check_result();
}
