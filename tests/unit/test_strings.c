/* SPDX-License-Identifier: BSD-2-Clause */
/* The string table: one id per distinct string, and a cut that leaves no trace. */
#include "check.h"
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

int main(void)
{
	test_distinct();
	test_cut();
	return check_result();
}
