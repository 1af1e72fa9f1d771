/* SPDX-License-Identifier: BSD-2-Clause */
/* A bucket of tokens: who may send how much, after how much of what. */
#include "check.h"
#include "pace.h"

#define MS 1000000ull
#define START 77777777777ull

struct step {
	uint64_t ms;	/* that pass */
	uint64_t sent;	/* meanwhile */
	uint64_t fails, forks;	/* that may be sent then */
};

static const struct step steps[] = {
	{ 0, 0, 1000, 2000 },
	{ 5000, 0, 1000, 2000 },	/* it holds no more */
	{ 0, 400, 600, 1600 },
	{ 100, 0, 700, 1700 },
	{ 300, 0, 1000, 2000 },
	{ 0, 1000, 0, 1000 },		/* failed execs have used up theirs */
	{ 20, 0, 20, 1020 },
	{ 20, 20, 20, 1020 },		/* the rate, from now on */
	{ 20, 1220, 0, 0 },
	{ 500, 0, 0, 320 },		/* 180 of debt */
	{ 0, 1000000, 0, 0 },		/* execs and exits: a debt of a second at most */
	{ 1000, 0, 0, 0 },
	{ 1000, 0, 0, 1000 },
	{ 999, 0, 999, 1999 },
	{ 1, 0, 1000, 2000 },
	{ 0, UINT64_MAX, 0, 0 },	/* no number is too large */
	{ UINT64_MAX / MS, 0, 1000, 2000 },
};

static void table(void)
{
	struct pace p = pace_begin(1000, START);
	uint64_t now = START, sent = 0;

	CHECK(pace_fails(&p) == 1000 && pace_forks(&p) == 2000);
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		char name[16];

		snprintf(name, sizeof(name), "step %u", i);
		now += steps[i].ms * MS;
		sent += steps[i].sent;
		pace_step(&p, now, sent);
		CHECK_CASE(name, pace_fails(&p) == steps[i].fails);
		CHECK_CASE(name, pace_forks(&p) == steps[i].forks);
	}
}

/* Whoever takes what there is gets a second's worth, and then the rate to the event. */
static void average(uint64_t rate)
{
	struct pace p = pace_begin(rate, START);
	uint64_t sent = 0;

	for (uint64_t i = 0; i <= 20000; i++) {
		pace_step(&p, START + i * 7 * MS, sent);
		sent += pace_fails(&p);
	}
	CHECK(sent == rate + rate * 140);
}

/* More by far than a double or 2^53 would take. */
static void extremes(void)
{
	struct pace p = pace_begin(PACE_MAX, START);

	CHECK(pace_fails(&p) == PACE_MAX && pace_forks(&p) == 2 * PACE_MAX);
	pace_step(&p, START, UINT64_MAX);
	CHECK(pace_forks(&p) == 0);
	pace_step(&p, START + 3000 * MS, UINT64_MAX);
	CHECK(pace_fails(&p) == PACE_MAX && pace_forks(&p) == 2 * PACE_MAX);
	p = pace_begin(1, START);
	pace_step(&p, START, 1);
	CHECK(pace_fails(&p) == 0 && pace_forks(&p) == 1);
	pace_step(&p, START + 999 * MS, 1);
	CHECK(pace_fails(&p) == 0);
	pace_step(&p, START + 1000 * MS, 1);
	CHECK(pace_fails(&p) == 1);
}

static void due(void)
{
	struct pace p = pace_begin(10, START);

	CHECK(pace_due(&p, 20 * MS) == UINT64_MAX);
	pace_step(&p, START + MS, 1);
	CHECK(pace_due(&p, 20 * MS) == START + 101 * MS);
	p = pace_begin(1000, START);
	pace_step(&p, START + MS, 2);
	CHECK(pace_due(&p, 20 * MS) == START + 21 * MS);
	pace_step(&p, START + 2 * MS, 2);
	CHECK(pace_due(&p, 20 * MS) == UINT64_MAX);
}

int main(void)
{
	table();
	average(10);
	average(1000);
	average(123457);
	extremes();
	due();
	return check_result();
}
