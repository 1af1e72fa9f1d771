/* SPDX-License-Identifier: BSD-2-Clause */
/* test_seriesname.c - names of files that sort by time, and what is none of them. */
#include "check.h"
#include "seriesname.h"

#include <string.h>

static void check_names(void)
{
	static const struct {
		const char *base;
		uint64_t ms;
		const char *name;
	} cases[] = {
		{ "trace.etz", 1795281157123, "trace-20261121T171237.123Z.etz" },
		{ "trace", 1795281157123, "trace-20261121T171237.123Z" },
		{ "a.b.etz", 0, "a.b-19700101T000000.000Z.etz" },
		{ ".etz", 0, ".etz-19700101T000000.000Z" },
		{ "x.etz", SERIES_LAST, "x-99991231T235959.999Z.etz" },
		{ "x.etz", 951782400000, "x-20000229T000000.000Z.etz" },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[SERIES_NAME] = "";
		uint64_t ms = 1;

		CHECK_CASE(cases[i].name, series_name(cases[i].base, cases[i].ms, name));
		CHECK_CASE(cases[i].name, strcmp(name, cases[i].name) == 0);
		CHECK_CASE(cases[i].name, series_name_is(cases[i].base, name, &ms));
		CHECK_CASE(cases[i].name, ms == cases[i].ms);
	}
}

static void check_others(void)
{
	static const char *const others[] = {
		"", "trace.etz", "trace-.etz", "trace-20261121T171237.123Z", "trace-20261121T171237.123Z.etz~",
		"trace-20261121T171237.123Z.etz.etz", "trace-20260230T171237.123Z.etz",
		"trace-20261121T176037.123Z.etz", "trace-20261121T171260.123Z.etz",
		"trace-20261121t171237.123Z.etz", "trace-20261121T171237,123Z.etz",
		"trace-20261321T171237.123Z.etz", "trace-+0261121T171237.123Z.etz",
		"Trace-20261121T171237.123Z.etz", "trace-19691231T235959.999Z.etz",
		"../trace-20261121T171237.123Z.etz", "trace-20261121T171237.123Z.etz/..",
		"trace-x-20261121T171237.123Z.etz",
	};
	uint64_t ms;

	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK_CASE(others[i], !series_name_is("trace.etz", others[i], &ms));
}

static void check_order(void)
{
	char before[SERIES_NAME] = "", name[SERIES_NAME];

	for (uint64_t ms = 0; ms < SERIES_LAST; ms += ms / 3 + 1) {
		CHECK(series_name("trace.etz", ms, name));
		CHECK(strcmp(before, name) < 0);
		memcpy(before, name, sizeof(name));
	}
}

static void check_length(void)
{
	char base[SERIES_NAME + 1], name[SERIES_NAME];

	memset(base, 'b', sizeof(base));
	base[SERIES_NAME] = '\0';
	CHECK(!series_name(base, 0, name));
	base[SERIES_NAME - 1 - 21] = '\0';
	CHECK(series_name(base, 0, name));
	base[SERIES_NAME - 1 - 21] = 'b';
	base[SERIES_NAME - 1 - 20] = '\0';
	CHECK(!series_name(base, 0, name));
	CHECK(!series_name("trace.etz", SERIES_LAST + 1, name));
}

int main(void)
{
	check_names();
	check_others();
	check_order();
	check_length();
	return check_result();
}
