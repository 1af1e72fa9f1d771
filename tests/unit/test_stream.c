/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of numbers: the narrowest width, every packing, exact lengths on the way back. */
#include "check.h"
#include "stream.h"
#include "transform.h"

#include <stdlib.h>
#include <string.h>

static struct stream_coder coder;
static ZSTD_DCtx *dctx;
static struct buf scratch;

static const struct {
	const char *label;
	uint32_t n;
	uint64_t first, step;
	unsigned width, packing;
} cases[] = {
	{ "one value", 1, 5, 0, 1, PACK_CONST },
	{ "all the same", 1000, 0x1234, 0, 2, PACK_CONST },
	{ "all 64 bits", 1000, UINT64_MAX, 0, 8, PACK_CONST },
	{ "few bytes", 10, 0, 1, 1, PACK_RAW },
	{ "counting bytes", 256, 0, 1, 1, PACK_RAW },
	{ "counting", 5000, 0, 1, 2, PACK_ZSTD },
	{ "17 bits", 5000, 65530, 3, 4, PACK_ZSTD },
	{ "33 bits", 5000, 0xffffff00, 1, 8, PACK_ZSTD },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t n = cases[i].n;
		uint64_t *in = malloc(n * sizeof(*in)), *out = malloc(n * sizeof(*out));
		struct stream s = { 0 };
		struct buf body = { 0 };

		for (uint32_t k = 0; k < n; k++)
			in[k] = cases[i].first + k * cases[i].step;
		buf_u8(&body, 0xee);
		CHECK(!stream_put(&coder, in, n, 0, &body, &s, NULL));
		CHECK_CASE(cases[i].label, s.at == 1 && s.n == n && s.stored == body.len - 1);
		CHECK_CASE(cases[i].label, stream_width(s.encoding) == cases[i].width);
		CHECK_CASE(cases[i].label, stream_packing(s.encoding) == cases[i].packing);
		CHECK_CASE(cases[i].label,
			   !stream_get(&s, body.data + 1, dctx, &scratch, out, 0, NULL));
		CHECK_CASE(cases[i].label, !memcmp(in, out, n * sizeof(*in)));

		/* One value more or less than there are is refused, unless const. */
		if (cases[i].packing != PACK_CONST) {
			s.n--;
			CHECK_CASE(cases[i].label, stream_get(&s, body.data + 1, dctx, &scratch,
							      out, 0, NULL) == ET_CORRUPT);
			s.n++;
		}
		s.stored--;
		CHECK_CASE(cases[i].label, stream_get(&s, body.data + 1, dctx, &scratch, out, 0,
						      NULL) == ET_CORRUPT);
		free(in);
		free(out);
		buf_free(&body);
	}
}

/* Two frames, or a frame and a skippable one, are not one frame. */
static void test_two_frames(void)
{
	uint8_t zeros[100] = { 0 }, data[512];
	uint64_t out[200];
	struct stream s = { .encoding = PACK_ZSTD << 2, .n = 100 };
	size_t n = ZSTD_compress(data, sizeof(data), zeros, sizeof(zeros), 3);

	s.stored = (uint32_t)n;
	CHECK(stream_get(&s, data, dctx, &scratch, out, 0, NULL) == ET_OK);
	s.stored += (uint32_t)ZSTD_compress(data + n, sizeof(data) - n, zeros, 0, 3);
	CHECK(stream_get(&s, data, dctx, &scratch, out, 0, NULL) == ET_CORRUPT);
}

static void test_transforms(void)
{
	enum { N = 1000 };
	uint64_t in[N], out[N], pid[N], ts[N];
	uint64_t x = 88172645463325252ull;

	for (unsigned i = 0; i < N; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		in[i] = i % 7 ? x : 0;
		pid[i] = x % 50;
		ts[i] = x >> 3;
	}
	delta_encode(in, out, N);
	delta_decode(out, N);
	CHECK(!memcmp(in, out, sizeof(in)));
	CHECK(by_pid_encode(in, out, pid, ts, N));
	CHECK(by_pid_decode(out, pid, ts, N));
	CHECK(!memcmp(in, out, sizeof(in)));

	from_pid_encode(in, out, pid, N);
	from_pid_decode(out, pid, N);
	CHECK(!memcmp(in, out, sizeof(in)));
	first_use_encode(in, out, N);
	first_use_decode(out, N);
	CHECK(!memcmp(in, out, sizeof(in)));
	for (unsigned i = 0; i < N; i++)
		ts[i] = i % 10 + i / 100;
	first_use_encode(ts, out, N);
	first_use_decode(out, N);
	CHECK(!memcmp(ts, out, sizeof(ts)));

	/* The second value of a pid that repeats its first costs nothing. */
	in[0] = in[1] = 1000;
	pid[0] = pid[1] = 7;
	ts[0] = 990;
	CHECK(by_pid_encode(in, out, pid, ts, 2));
	CHECK(out[0] == zigzag(10) && out[1] == 0);
}

int main(void)
{
	coder = (struct stream_coder){ .zstd = ZSTD_createCCtx() };
	dctx = ZSTD_createDCtx();
	test_cases();
	test_two_frames();
	test_transforms();
	ZSTD_freeCCtx(coder.zstd);
	ZSTD_freeDCtx(dctx);
	buf_free(&coder.planes);
	buf_free(&scratch);
	return check_result();
}
