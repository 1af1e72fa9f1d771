/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes put together from rows: whose child each is, when it ends, and when it goes. */
#include "check.h"
#include "events.h"
#include "families.h"

#define NONE ET_NONE
#define SECOND 1000000000ull

/* ---- What is told of known rows ------------------------------------------------------- */

static const struct {
	const char *label;
	struct families_row rows[8];
	const char *log;
} cases[] = {
	{ "a life",
	  { { ET_FORK, 1, 100, 20, 10, 100 },
	    { ET_EXEC, 1, 200, 20, 10, 100 },
	    { ET_EXIT, 1, 300, 20, 10, 100 } },
	  "named 10, forked 20 of 10, executed 20 of 10, exited 20 of 10, gone 20 of 10, gone 10" },
	{ "what was found is known when it forks",
	  { { ET_PROC, 1, 50, 10, 0, 0 }, { ET_FORK, 1, 100, 20, 10, 100 } },
	  "found 10, forked 20 of 10, gone 20 of 10, gone 10" },
	{ "who begot it stays its parent",
	  { { ET_FORK, 1, 100, 10, 0, 100 },
	    { ET_FORK, 1, 200, 20, 10, 200 },
	    { ET_EXIT, 1, 300, 10, 0, 100 },
	    { ET_EXEC, 1, 400, 20, 1, 200 },
	    { ET_EXIT, 1, 500, 20, 1, 200 } },
	  "forked 10, forked 20 of 10, exited 10, executed 20 of 10, exited 20 of 10, "
	  "gone 20 of 10, gone 10" },
	{ "a pid again",
	  { { ET_FORK, 1, 100, 20, 0, 100 },
	    { ET_EXIT, 1, 200, 20, 0, 100 },
	    { ET_FORK, 1, 300, 20, 0, 300 } },
	  "forked 20, exited 20, gone 20, forked 20, gone 20" },
	{ "a pid again, and the exit is not there",
	  { { ET_FORK, 1, 100, 20, 0, 100 }, { ET_FORK, 1, 300, 20, 0, 300 } },
	  "forked 20, replaced 20, gone 20, forked 20, gone 20" },
	{ "neither the exit nor the fork is there",
	  { { ET_FORK, 1, 100, 20, 0, 100 }, { ET_EXEC, 1, 300, 20, 0, 250 } },
	  "forked 20, replaced 20, gone 20, seen 20, executed 20, gone 20" },
	{ "without starts it is the same until it is forked again",
	  { { ET_FORK, 1, 100, 20, 0, NONE },
	    { ET_EXEC, 1, 200, 20, 0, NONE },
	    { ET_FORK, 1, 300, 20, 0, NONE } },
	  "forked 20, executed 20, replaced 20, gone 20, forked 20, gone 20" },
	{ "the fork is not there: a guess",
	  { { ET_FORK, 1, 50, 10, 0, 50 }, { ET_FAIL, 1, 100, 20, 10, 60 } },
	  "forked 10, seen 20 of 10, gone 20 of 10, gone 10" },
	{ "two boots",
	  { { ET_FORK, 1, 100, 20, 0, 100 },
	    { ET_FORK, 2, 100, 20, 0, 100 },
	    { ET_FORK, 2, 200, 30, 20, 200 },
	    { ET_EXIT, 1, 300, 20, 0, 100 } },
	  "forked 20, forked 20, forked 30 of 20, exited 20, gone 20, gone 30 of 20, gone 20" },
	{ "a row that comes late is of nobody",
	  { { ET_FORK, 1, 100, 20, 0, 100 },
	    { ET_EXIT, 1, 200, 20, 0, 100 },
	    { ET_EXEC, 1, 190, 20, 0, 100 },
	    { ET_EXIT, 1, 200, 20, 0, NONE } },
	  "forked 20, exited 20, gone 20" },
	{ "of one that had the pid before, too",
	  { { ET_FORK, 1, 300, 20, 0, 300 }, { ET_EXIT, 1, 310, 20, 0, 100 } },
	  "forked 20, gone 20" },
	{ "a fork is told twice",
	  { { ET_FORK, 1, 100, 20, 0, 100 }, { ET_FORK, 1, 101, 20, 0, 100 } },
	  "forked 20, gone 20" },
	{ "its own parent",
	  { { ET_EXEC, 1, 100, 20, 20, 50 } },
	  "seen 20, executed 20, gone 20" },
	{ "a circle of two",
	  { { ET_EXEC, 1, 100, 20, 10, NONE }, { ET_EXEC, 1, 200, 10, 20, NONE } },
	  "named 10, seen 20 of 10, executed 20 of 10, told 10, executed 10, "
	  "gone 20 of 10, gone 10" },
	{ "a parent that began later",
	  { { ET_FORK, 1, 300, 10, 0, 300 }, { ET_EXEC, 1, 400, 20, 10, 100 } },
	  "forked 10, seen 20, executed 20, gone 10, gone 20" },
	{ "a parent named before that turns out to have begun later",
	  { { ET_EXEC, 1, 400, 20, 10, 100 }, { ET_PROC, 1, 500, 10, 0, 300 } },
	  "named 10, seen 20 of 10, executed 20 of 10, replaced 10, found 10, "
	  "gone 20 of 10, gone 10, gone 10" },
	{ "a snapshot tells late of a parent, and of its own",
	  { { ET_EXEC, 1, 2000, 20, 10, 1500 },
	    { ET_PROC, 1, 3000, 10, 5, 0 },
	    { ET_PROC, 1, 3001, 5, 1, 0 } },
	  "named 10, seen 20 of 10, executed 20 of 10, named 5, told 10 of 5, named 1, "
	  "told 5 of 1, gone 20 of 10, gone 10 of 5, gone 5 of 1, gone 1" },
	{ "a snapshot is cut down to the tick",
	  { { ET_FORK, 1, 105 * SECOND, 20, 0, 105 * SECOND - 3 },
	    { ET_PROC, 1, 106 * SECOND, 20, 0, 105 * SECOND - 9999999 },
	    { ET_EXIT, 1, 107 * SECOND, 20, 0, 105 * SECOND - 3 } },
	  "forked 20, exited 20, gone 20" },
	{ "the next recording's snapshot is of the same processes",
	  { { ET_PROC, 1, 100, 10, 0, 0 },
	    { ET_EXEC, 1, 200, 10, 0, 7 },
	    { ET_PROC, 1, 300, 10, 0, 0 },
	    { ET_EXIT, 1, 400, 10, 0, 7 } },
	  "found 10, told 10, executed 10, exited 10, gone 10" },
	{ "lost events, and pids that nobody has",
	  { { ET_LOST, 1, 100, 20, 0, NONE },
	    { ET_FORK, 1, 200, 0, 10, 200 },
	    { ET_FORK, 1, 300, 1ull << 32 | 20, 10, 300 } },
	  "" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct families f;
		char log[1024];

		families_open(&f, log, sizeof(log));
		for (size_t k = 0; k < 8 && cases[i].rows[k].kind; k++)
			families_take(&f, &cases[i].rows[k]);
		families_end(&f);
		CHECK_CASE(cases[i].label, !f.broken);
		CHECK_CASE(cases[i].label, !strcmp(log, cases[i].log));
		if (strcmp(log, cases[i].log))
			fprintf(stderr, "found:    %s\nexpected: %s\n", log, cases[i].log);
	}
}

/* ---- What is known of a process --------------------------------------------------------- */

static void test_fields(void)
{
	struct families f;
	struct process *p;

	families_open(&f, NULL, 0);
	p = families_take(&f, &(struct families_row){ ET_FORK, 1, 1000, 20, 10, 990 });
	CHECK(p->start == 990 && p->began == 990 && !p->coarse && p->origin == PROCESS_FORKED);
	CHECK(p->realtime == FAMILIES_OFFSET && p->ppid == 10 && !process_guessed(p));
	CHECK(p->parent->origin == PROCESS_NAMED && p->parent->began == 1000);
	p = families_take(&f, &(struct families_row){ ET_EXEC, 1, 2000, 20, 1, 990 });
	p = families_take(&f, &(struct families_row){ ET_EXEC, 1, 3000, 20, 1, 990 });
	CHECK(p->execs == 2 && p->ppid == 10 && p->end == PROCESS_RUNS);
	p = families_take(&f, &(struct families_row){ ET_EXIT, 1, 4000, 20, 1, 990 });
	/* It is still there for who asked. */
	CHECK(p && p->last == 4000 && p->end == PROCESS_EXITED && !f.gone);
	p = families_take(&f, &(struct families_row){ ET_EXIT, 1, 5000, 30, 10, NONE });
	CHECK(f.gone == 1 && process_guessed(p) && p->start == ET_NONE && p->began == 5000);
	p = families_take(&f, &(struct families_row){ ET_PROC, 1, 6000, 10, 1, 0 });
	CHECK(p->origin == PROCESS_FOUND && p->coarse && p->start == 0);
	CHECK(!families_take(&f, &(struct families_row){ ET_EXEC, 1, 4500, 20, 1, 990 }));
	families_end(&f);
	CHECK(!f.broken);
}

/* ---- Bounds ----------------------------------------------------------------------------- */

/* Generations of which only the last lives; and living ones without end. */
static void test_bounds(void)
{
	struct families f;
	uint64_t n = PROCESSES_MAX + 1000, ts = SECOND;

	families_open(&f, NULL, 0);
	for (uint64_t i = 0; i < n; i++, ts += 10) {
		struct process *p = families_take(
			&f, &(struct families_row){ ET_FORK, 1, ts, i + 2, i + 1, ts });

		CHECK(p->parent != NULL);
		families_take(&f, &(struct families_row){ ET_EXIT, 1, ts + 5, i + 1, 0,
							  i ? ts - 10 : NONE });
	}
	CHECK(processes_forgotten(f.table) >= 900);
	families_end(&f);
	CHECK(!f.broken && f.ended == n);
	families_open(&f, NULL, 0);
	for (uint64_t i = 0; i < n; i++, ts += 10)
		families_take(&f, &(struct families_row){ ET_FORK, 1, ts, i + 2, 1, ts });
	CHECK(processes_forgotten(f.table) >= 1000 && f.ended == f.gone);
	/* One that was heard of all the time is still there. */
	families_take(&f, &(struct families_row){ ET_EXIT, 1, ts, 1, 0, NONE });
	CHECK(f.ended == f.gone + 1);
	families_end(&f);
	CHECK(!f.broken);
}

/* ---- Anything ------------------------------------------------------------------------- */

static uint64_t some_start(uint64_t ts)
{
	switch (rng() % 6) {
	case 0:
		return ET_NONE;
	case 1:
		return ts;
	case 2:
		return ts - ts % 10000000;
	case 3:
		return rng_number();
	default:
		return ts - rng() % 20 * 1000;
	}
}

static void test_random(void)
{
	for (rng_state = 1; rng_state < 400; rng_state++) {
		uint64_t keep = rng_state, ts = 5 * SECOND, pids = 2 + rng() % 30;
		struct families f;

		families_open(&f, NULL, 0);
		for (unsigned i = 0; i < 2000; i++) {
			ts += rng() % 5000000;
			if (rng() % 16 == 0)
				ts -= rng() % 40000000;
			families_take(&f, &(struct families_row){
						  (unsigned)(1 + rng() % 7), (unsigned)(rng() % 3), ts,
						  rng() % pids, rng() % 8 ? rng() % pids : ET_NONE,
						  some_start(ts) });
		}
		families_end(&f);
		CHECK(!f.broken && f.began > 10);
		rng_state = keep;
	}
}

int main(void)
{
	test_cases();
	test_fields();
	test_bounds();
	test_random();
	return check_result();
}
