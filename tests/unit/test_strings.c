/* SPDX-License-Identifier: BSD-2-Clause */
/* The string table: one id per distinct string, and a cut that leaves no trace. Its hash. */
#include "check.h"
#include "mix.h"
#include "strings.h"

#include <stdio.h>
#include <string.h>

static uint32_t add(struct strings *t, const char *s)
{
	return strings_add(t, s, (uint32_t)strlen(s));
}

static void test_distinct(void)
{
	struct strings t;
	char name[32];

	strings_init(&t);
	CHECK(add(&t, "") == 1);
	CHECK(add(&t, "a") == 2);
	CHECK(add(&t, "") == 1);
	CHECK(strings_add(&t, "ab", 1) == 2);
	/* Prefixes of each other around the 8 bytes that are hashed at once. */
	CHECK(add(&t, "12345678") == 3);
	CHECK(add(&t, "1234567") == 4);
	CHECK(add(&t, "123456789") == 5);
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "string %u", i);
		CHECK(add(&t, name) == i + 6);
	}
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "string %u", i);
		CHECK(add(&t, name) == i + 6);
	}
	CHECK(t.n == 50005);
	strings_reset(&t);
	CHECK(t.n == 0 && add(&t, "new") == 1);
	strings_free(&t);
}

/* What a failed add takes back must not be found, nor lie in the bytes. */
static void test_cut(void)
{
	struct strings t;
	char name[32];
	size_t len;

	strings_init(&t);
	for (unsigned i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "kept %u", i);
		add(&t, name);
	}
	len = t.bytes.len;
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "secret %u", i);
		add(&t, name);
	}
	strings_cut(&t, 700);
	CHECK(t.n == 700 && t.bytes.len == len);
	for (unsigned i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "kept %u", i);
		CHECK(add(&t, name) == i + 1);
	}
	CHECK(add(&t, "secret 2999") == 701);
	strings_cut(&t, 0);
	CHECK(t.n == 0 && t.bytes.len == 0 && add(&t, "kept 5") == 1);
	strings_free(&t);
}

/* Machines of 32 bits hash as others do; products worked out by hand. */
static void test_fold(void)
{
	static const struct {
		uint64_t a, b, folded;
	} rows[] = {
		{ 0, UINT64_MAX, 0 },
		{ 1, UINT64_MAX, UINT64_MAX },
		/* 2^128 - 2^65 + 1 */
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX },
		/* 2^64: only the upper half */
		{ 1ull << 32, 1ull << 32, 1 },
		/* (2^32 - 1)^2 = 2^64 - 2^33 + 1: only the lower half */
		{ UINT32_MAX, UINT32_MAX, 0xfffffffe00000001u },
		/* 2^96 - 2^64 - 2^32 + 1: the middle carries */
		{ UINT64_MAX, UINT32_MAX, 0xffffffff00000001u ^ 0xfffffffeu },
	};
	uint64_t a = 1;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(mix_fold(rows[i].a, rows[i].b) == rows[i].folded);
		CHECK(mix_fold_narrow(rows[i].a, rows[i].b) == rows[i].folded);
		CHECK(mix_fold_narrow(rows[i].b, rows[i].a) == rows[i].folded);
	}
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t b = a * 0x9e3779b97f4a7c15u;

		CHECK(mix_fold_narrow(a, b) == mix_fold(a, b));
		a = a * 6364136223846793005u + 1442695040888963407u;
	}
}

int main(void)
{
	test_fold();
	test_distinct();
	test_cut();
	return check_result();
}
