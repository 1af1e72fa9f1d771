/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Losses as they become fewer: whatever is merged, each CPU and cause has the events and
 * rows it had, and each loss lies in a stretch of its own CPU and cause.
 */
#include "check.h"

#include <losses.h>

#include <stdlib.h>

static uint32_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

struct totals {
	uint64_t count, rows;
};

/* Of a cause and CPU, or of all with cause 0. */
static struct totals totals_of(const struct losses *l, uint64_t cause, uint64_t cpu)
{
	struct totals t = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		if (cause && (l->v[i].cause != cause || l->v[i].cpu != cpu))
			continue;
		t.count += l->v[i].count;
		t.rows += l->v[i].rows;
	}
	return t;
}

static bool covered(const struct losses *l, const struct loss *loss)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].cause == loss->cause && l->v[i].cpu == loss->cpu &&
		    l->v[i].first <= loss->first && l->v[i].last >= loss->last)
			return true;
	return false;
}

static void fill(struct losses *l, unsigned n, unsigned cpus, unsigned causes)
{
	for (unsigned i = 0; i < n; i++) {
		struct loss loss = { .cause = 1 + rnd(causes), .cpu = rnd(cpus), .count = rnd(100),
				     .rows = 1, .first = rnd(1000000) };

		loss.last = rnd(50) ? loss.first + rnd(1000) : LOSS_NO_END;
		CHECK(!losses_add(l, &loss));
	}
}

static void merged_keep_all(unsigned n, unsigned cpus, unsigned causes, size_t most)
{
	struct losses l = { 0 }, less;

	fill(&l, n, cpus, causes);
	CHECK(!losses_merged(&l, most, &less));
	CHECK(less.n <= (most > (size_t)cpus * causes ? most : (size_t)cpus * causes));
	CHECK(n <= most ? less.n == n : less.n < n || n <= cpus * causes);
	for (unsigned cause = 1; cause <= causes; cause++) {
		for (unsigned cpu = 0; cpu < cpus; cpu++) {
			struct totals a = totals_of(&l, cause, cpu), b = totals_of(&less, cause, cpu);

			CHECK(a.count == b.count && a.rows == b.rows);
		}
	}
	for (size_t i = 0; i < l.n; i++)
		CHECK(covered(&less, &l.v[i]));
	for (size_t i = 1; i < less.n; i++)
		CHECK(less.v[i].first >= less.v[i - 1].first);
	losses_free(&less);
	losses_free(&l);
}

/* Those closest together become one first. */
static void smallest_gaps_go_first(void)
{
	static const int64_t firsts[] = { 0, 100, 110, 500, 520 };
	struct losses l = { 0 }, less;

	for (unsigned i = 0; i < 5; i++) {
		struct loss loss = { .cause = 1, .count = 1, .rows = 1, .first = firsts[i],
				     .last = firsts[i] + 5 };

		CHECK(!losses_add(&l, &loss));
	}
	CHECK(!losses_merged(&l, 3, &less));
	CHECK(less.n == 3 && less.v[0].last == 5 && less.v[1].first == 100 && less.v[1].last == 115 &&
	      less.v[2].first == 500 && less.v[2].last == 525);
	losses_free(&less);
	losses_free(&l);
}

/* What no row told of stays by itself. */
static void untold_ones_are_apart(void)
{
	struct loss told = { .cause = 1, .cpu = LOSS_NO_CPU, .count = 2, .rows = 1, .last = 9 };
	struct loss untold = { .cause = 1, .cpu = LOSS_NO_CPU, .count = 3, .last = 9 };
	struct losses l = { 0 }, less;

	CHECK(!losses_add(&l, &told) && !losses_add(&l, &untold) && !losses_merged(&l, 1, &less));
	CHECK(less.n == 2);
	losses_free(&less);
	losses_free(&l);
}

static void more_than_are_kept(unsigned cpus, unsigned causes)
{
	struct losses l = { 0 };
	struct totals before, after;

	fill(&l, 3 * LOSSES_MAX, cpus, causes);
	CHECK(l.n <= LOSSES_MAX);
	after = totals_of(&l, 0, 0);
	CHECK(after.rows == 3 * LOSSES_MAX);
	before = after;
	fill(&l, 1, 1, 1);
	after = totals_of(&l, 0, 0);
	CHECK(after.rows == before.rows + 1);
	losses_free(&l);
}

static void largest_are_kept(void)
{
	struct losses l = { 0 };
	struct loss rest;
	size_t others;

	for (unsigned i = 0; i < 10; i++) {
		struct loss loss = { .cause = 1, .cpu = i, .count = i, .rows = 1, .first = 100 - i, .last = 100 };

		CHECK(!losses_add(&l, &loss));
	}
	losses_keep(&l, 10, &rest, &others);
	CHECK(l.n == 10 && !others && !rest.rows);
	losses_keep(&l, 4, &rest, &others);
	CHECK(l.n == 4 && others == 6 && rest.rows == 6 && rest.count == 0 + 1 + 2 + 3 + 4 + 5);
	CHECK(rest.first == 95 && rest.last == 100 && rest.cause == 1 && rest.cpu == LOSS_NO_CPU);
	CHECK(l.v[0].cpu == 9 && l.v[3].cpu == 6);
	losses_free(&l);
}

int main(void)
{
	static const size_t most[] = { 1, 2, 7, 16, 100, 100000 };

	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		merged_keep_all(1, 1, 1, most[i]);
		merged_keep_all(50, 1, 1, most[i]);
		merged_keep_all(500, 3, 2, most[i]);
		merged_keep_all(300, 64, 7, most[i]);
	}
	smallest_gaps_go_first();
	untold_ones_are_apart();
	more_than_are_kept(2, 3);
	more_than_are_kept(1 << 20, 7);
	more_than_are_kept(1 << 20, 1 << 20);
	largest_are_kept();
	return check_result();
}
