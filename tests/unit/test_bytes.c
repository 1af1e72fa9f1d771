/* SPDX-License-Identifier: BSD-2-Clause */
/* Cursors and buffers: varints in shortest form only, sticky failure, bounds. */
#include "bytes.h"
#include "check.h"

#include <string.h>

static const struct {
	const char *label;
	uint8_t bytes[12];
	size_t len;
	bool ok;
	uint64_t value;
} varints[] = {
	{ "zero", { 0 }, 1, true, 0 },
	{ "one byte", { 0x7f }, 1, true, 127 },
	{ "two bytes", { 0x80, 0x01 }, 2, true, 128 },
	{ "largest", { 255, 255, 255, 255, 255, 255, 255, 255, 255, 1 }, 10, true, UINT64_MAX },
	{ "padded zero", { 0x80, 0x00 }, 2, false, 0 },
	{ "padded one", { 0x81, 0x80, 0x00 }, 3, false, 0 },
	{ "65 bits", { 255, 255, 255, 255, 255, 255, 255, 255, 255, 2 }, 10, false, 0 },
	{ "eleven bytes", { 255, 255, 255, 255, 255, 255, 255, 255, 255, 129, 1 }, 11, false, 0 },
	{ "cut short", { 0x80 }, 1, false, 0 },
	{ "empty", { 0 }, 0, false, 0 },
};

static void test_varints(void)
{
	for (size_t i = 0; i < sizeof(varints) / sizeof(varints[0]); i++) {
		struct cursor c = cur_make(varints[i].bytes, varints[i].len);
		uint64_t v = cur_varint(&c);

		CHECK_CASE(varints[i].label, c.failed == !varints[i].ok);
		CHECK_CASE(varints[i].label, v == varints[i].value);
		CHECK_CASE(varints[i].label, !varints[i].ok || cur_done(&c));
	}
}

static void test_round_trip(void)
{
	struct buf b = { 0 };
	struct cursor c;

	for (unsigned bit = 0; bit < 64; bit++) {
		buf_varint(&b, 1ull << bit);
		buf_varint(&b, (1ull << bit) - 1);
	}
	buf_u8(&b, 0x12);
	buf_u16(&b, 0x1234);
	buf_u32(&b, 0x12345678);
	buf_u64(&b, 0x123456789abcdef0);
	buf_bytes(&b, "abc", 3);
	CHECK(!b.failed);
	c = cur_make(b.data, b.len);
	for (unsigned bit = 0; bit < 64; bit++) {
		CHECK(cur_varint(&c) == 1ull << bit);
		CHECK(cur_varint(&c) == (1ull << bit) - 1);
	}
	CHECK(cur_u8(&c) == 0x12);
	CHECK(cur_u16(&c) == 0x1234);
	CHECK(cur_u32(&c) == 0x12345678);
	CHECK(cur_u64(&c) == 0x123456789abcdef0);
	CHECK(cur_varint(&c) == 3);
	CHECK(!memcmp(cur_take(&c, 3), "abc", 3));
	CHECK(cur_done(&c));
	buf_free(&b);
}

static void test_sticky(void)
{
	const uint8_t bytes[] = { 1, 2, 3 };
	struct cursor c = cur_make(bytes, sizeof(bytes));

	CHECK(cur_u16(&c) == 0x0201);
	CHECK(cur_u16(&c) == 0 && c.failed);
	CHECK(cur_u8(&c) == 0 && c.failed);
	CHECK(!cur_take(&c, 0));

	c = cur_make(bytes, sizeof(bytes));
	CHECK(!cur_take(&c, UINT64_MAX) && c.failed);
}

static void test_zigzag(void)
{
	CHECK(zigzag(0) == 0);
	CHECK(zigzag((uint64_t)-1) == 1);
	CHECK(zigzag(1) == 2);
	CHECK(unzigzag(zigzag(INT64_MAX)) == INT64_MAX);
	CHECK(unzigzag(zigzag((uint64_t)INT64_MIN)) == (uint64_t)INT64_MIN);
	for (uint64_t v = 1; v; v <<= 1)
		CHECK(unzigzag(zigzag(v)) == v && unzigzag(zigzag(0 - v)) == 0 - v);
}

int main(void)
{
	test_varints();
	test_round_trip();
	test_sticky();
	test_zigzag();
	return check_result();
}
