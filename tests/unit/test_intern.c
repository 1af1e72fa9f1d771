/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings kept once each, up to a bound; and pids as an option gives them. */
#include "check.h"
#include "intern.h"
#include "pids.h"

#include <string.h>

static uint32_t number_of(struct intern *t, const char *s, size_t len)
{
	uint32_t n = 12345;

	CHECK(!intern_add(t, s, len, &n));
	return n;
}

static void test_strings(void)
{
	struct intern t = { 0 };
	uint32_t empty = number_of(&t, "", 0), a = number_of(&t, "cc1", 3);

	CHECK(a != empty && a != INTERN_OTHERS && empty != INTERN_OTHERS);
	CHECK(number_of(&t, "cc1plus", 3) == a && number_of(&t, "cc1plus", 7) != a);
	CHECK(number_of(&t, "cc", 2) != a && number_of(&t, "", 0) == empty);
	CHECK(!strcmp(intern_text(&t, a), "cc1") && !*intern_text(&t, empty));
	CHECK(!intern_text(&t, INTERN_OTHERS));
	intern_free(&t);
}

/* Each is found again; beyond the bound there are only others. */
static void test_many(void)
{
	struct intern t = { 0 };
	uint32_t wrong = 0;
	char s[32];

	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < INTERN_STRINGS + 5; i++) {
			int len = snprintf(s, sizeof(s), "name %u", i);
			uint32_t n = number_of(&t, s, (size_t)len);

			if (i < INTERN_STRINGS)
				wrong += n != i + 1 || strcmp(intern_text(&t, n), s);
			else
				wrong += n != INTERN_OTHERS;
		}
	CHECK(!wrong && t.n == INTERN_STRINGS);
	intern_free(&t);
}

static void test_bytes(void)
{
	static char big[1 << 20];
	struct intern t = { 0 };
	unsigned kept = 0;

	memset(big, 'x', sizeof(big));
	for (unsigned i = 0; i < 40; i++) {
		big[0] = (char)('A' + i);
		kept += number_of(&t, big, sizeof(big)) != INTERN_OTHERS;
	}
	CHECK(kept == INTERN_BYTES / sizeof(big) - 1 && t.len <= INTERN_BYTES);
	CHECK(number_of(&t, "short", 5) != INTERN_OTHERS);
	intern_free(&t);
}

static void test_pids(void)
{
	static const char *const wrong[] = { "", ",", "1,", ",1", "x", "1x", "-1", "0", "1,,2",
					     "4294967296", "99999999999999999999" };
	struct pids p = { 0 };
	struct reason why;

	CHECK(!pids_add(&p, "pid", "7,4294967295,7,1", &why) && !pids_add(&p, "pid", "5", &why));
	CHECK(p.n == 4 && pids_have(&p, 1) && pids_have(&p, 5) && pids_have(&p, 7));
	CHECK(pids_have(&p, UINT32_MAX) && !pids_have(&p, 0) && !pids_have(&p, 6));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why = (struct reason){ 0 };
		CHECK_CASE(wrong[i], pids_add(&p, "pid", wrong[i], &why) == -1);
		CHECK_CASE(wrong[i], why.code == EXIT_USAGE && strstr(why.text, "--pid: '"));
	}
	pids_free(&p);
	CHECK(!pids_have(&p, 1));
}

int main(void)
{
	test_strings();
	test_many();
	test_bytes();
	test_pids();
	return check_result();
}
