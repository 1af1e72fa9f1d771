/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of CPUs as people write them; sizes of the ring for machines large and small. */
#include "check.h"
#include "ringsize.h"
#include "schedule.h"

#include <errno.h>

static void good_lists(void)
{
	static const struct {
		const char *text;
		uint64_t low;	/* CPUs 0 to 63 */
	} lists[] = {
		{ "0", 1 }, { "63", 1ull << 63 }, { "0,2", 5 }, { "2,0", 5 }, { "1-3", 14 },
		{ "0-63", UINT64_MAX }, { "5-5", 32 }, { "0,0,0-1", 3 }, { "007", 128 },
	};
	struct schedule_cpus cpus;

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		CHECK_CASE(lists[i].text, schedule_parse_cpus(lists[i].text, &cpus));
		CHECK_CASE(lists[i].text, cpus.bits[0] == lists[i].low);
		for (unsigned word = 1; word < SCHEDULE_CPUS / 64; word++)
			CHECK_CASE(lists[i].text, cpus.bits[word] == 0);
	}
	CHECK(schedule_parse_cpus("64,8191", &cpus));
	CHECK(cpus.bits[0] == 0 && cpus.bits[1] == 1 &&
	      cpus.bits[SCHEDULE_CPUS / 64 - 1] == 1ull << 63);
}

static void bad_lists(void)
{
	static const char *const lists[] = {
		"", ",", "0,", ",0", "-", "1-", "-1", "3-1", "0--1", "1-2-3", "a", "0 ", " 0",
		"0;1", "8192", "0-8192", "18446744073709551616", "0x1", "+1",
	};
	struct schedule_cpus cpus;

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		CHECK_CASE(lists[i], !schedule_parse_cpus(lists[i], &cpus));
}

static void pinning(void)
{
	struct schedule_cpus cpus;
	unsigned missing = 0;

	/* Nobody has it. */
	CHECK(schedule_parse_cpus("8191", &cpus));
	CHECK(schedule_pin(0, &cpus, &missing) == ENODEV && missing == 8191);
}

static void sizes(void)
{
	static const uint64_t mib = 1 << 20, gib = 1 << 30;
	static const struct {
		unsigned cpus;
		uint64_t memory, size;	/* MiB */
	} machines[] = {
		{ 1, 4096, 8 }, { 2, 4096, 8 }, { 4, 16384, 8 }, { 5, 16384, 16 },
		{ 16, 65536, 32 }, { 32, 65536, 64 }, { 512, 1024, 16 }, { 512, 1 << 22, 64 },
		{ 2, 480, 4 }, { 2, 512, 8 },
	};

	for (unsigned i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		CHECK(ringsize_for(machines[i].cpus, machines[i].memory * mib) ==
		      machines[i].size * mib);
	CHECK(ringsize_for(2, 16 * mib) == mib / 4);
	CHECK(ringsize_for(2, 0) == mib / 4);
	CHECK(ringsize_for(2, gib) <= gib / 64);
}

int main(void)
{
	good_lists();
	bad_lists();
	pinning();
	sizes();
	return check_result();
}
