/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What summary counts with: sets of keys and tallies within their bounds, quantiles held
 * to sorted numbers, and counts over time held to counts of every moment.
 */
#include "chart.h"
#include "check.h"
#include "quantile.h"
#include "tally.h"

#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static uint64_t rnd(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state ^ state >> 29;
}

/* ---- Keys and tallies -------------------------------------------------------------- */

static uint64_t count_at(const struct tally *t, const uint32_t *v, uint32_t i)
{
	return t->counts[v[i]];
}

static void test_tally(void)
{
	struct tally t = { 0 }, two[2] = { { .total = 0 } }, sum = { 0 };
	uint32_t *v, *w;
	char key[16];

	CHECK(!tally_ranking(&t));
	for (int i = 0; i < 3000; i++) {
		int n = snprintf(key, sizeof(key), "%d", i % 1000 < 10 ? i % 1000 : i);

		CHECK(!tally_add(&t, key, (size_t)n, 1 + (uint64_t)i % 2));
		CHECK(!tally_add(&two[i * 7 % 2], key, (size_t)n, 1 + (uint64_t)i % 2));
	}
	v = tally_ranking(&t);
	CHECK(v && t.total == 4500 && t.keys.n == 2980 && !t.other);
	for (uint32_t i = 0; v && i + 1 < t.keys.n; i++)
		CHECK(count_at(&t, v, i) > count_at(&t, v, i + 1) ||
		      (count_at(&t, v, i) == count_at(&t, v, i + 1) &&
		       keyset_compare(keyset_get(&t.keys, v[i]),
				      keyset_get(&t.keys, v[i + 1])) < 0));
	CHECK(v && count_at(&t, v, 0) == 6 && keyset_get(&t.keys, v[0]).ptr[0] == '1');
	/* Merged from two it is the same ranking. */
	CHECK(!tally_merge(&sum, &two[1]) && !tally_merge(&sum, &two[0]));
	w = tally_ranking(&sum);
	CHECK(w && sum.total == t.total && sum.keys.n == t.keys.n);
	for (uint32_t i = 0; v && w && i < t.keys.n; i++)
		CHECK(count_at(&t, v, i) == count_at(&sum, w, i) &&
		      !keyset_compare(keyset_get(&t.keys, v[i]), keyset_get(&sum.keys, w[i])));
	free(v);
	free(w);
	tally_free(&t);
	tally_free(&sum);
	tally_free(&two[0]);
	tally_free(&two[1]);
}

/* Keys are a stranger's: so many are kept apart, and so many bytes of them. */
static void test_tally_bounds(void)
{
	static char key[1u << 20];
	struct tally t = { 0 };
	uint32_t *v;

	for (uint32_t i = 0; i < 200000; i++)
		CHECK(!tally_add(&t, (const char *)&i, sizeof(i), 1));
	CHECK(!tally_add(&t, "\0\0\0", 4, 1) && !tally_add(&t, "", 0, 1));
	CHECK(t.keys.n == KEYSET_KEYS && t.total == 200002 && t.other == 200001 - KEYSET_KEYS);
	v = tally_ranking(&t);
	CHECK(v && t.counts[v[0]] == 2 && !memcmp(keyset_get(&t.keys, v[0]).ptr, "\0\0\0", 4));
	free(v);
	tally_free(&t);
	for (unsigned i = 0; i < 40; i++) {
		key[0] = (char)i;
		CHECK(!tally_add(&t, key, sizeof(key), 1));
	}
	CHECK(t.keys.n == 8 && t.keys.len == KEYSET_BYTES && t.other == 32 && t.total == 40);
	CHECK(!tally_add(&t, "", 0, 1) && t.keys.n == 9);
	tally_free(&t);
}

/* ---- Quantiles ---------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Numbers of all sizes, many of them small, or within a range as durations are. */
static uint64_t number(int how)
{
	uint64_t u = rnd();

	return how == 0 ? u >> (u & 63) : how == 1 ? 1000000 + u % 500000 : how == 2 ? u % 5 : ~0ull - u % 3;
}

static bool is_near(uint64_t found, uint64_t truth, double error)
{
	double far = found > truth ? (double)(found - truth) : (double)(truth - found);

	return far <= (double)truth * error;
}

static void judge(struct quantile *q, const uint64_t *sorted, uint64_t n, double error)
{
	for (unsigned percent = 1; percent <= 100; percent++) {
		/* The least rank with at least so many percent below or at it. */
		uint64_t rank = 1;

		while (rank * 100 < n * percent)
			rank++;
		CHECK(is_near(quantile_at(q, percent), sorted[rank - 1], error));
	}
}

static void test_quantiles(void)
{
	static uint64_t v[5000];

	for (unsigned round = 0; round < 60; round++) {
		struct quantile q = { 0 }, parts[3] = { { .n = 0 } }, sum = { 0 };
		struct quantile_pool p = QUANTILE_POOL, own[3] = { QUANTILE_POOL, QUANTILE_POOL,
								    QUANTILE_POOL };
		struct quantile_pool both = QUANTILE_POOL;
		uint64_t n = round < 20 ? 1 + rnd() % 64 : 1 + rnd() % 5000;

		for (uint64_t i = 0; i < n; i++) {
			unsigned part = (unsigned)(rnd() % 3);

			v[i] = number(round % 4);
			CHECK(!quantile_add(&q, &p, v[i]));
			CHECK(!quantile_add(&parts[part], &own[part], v[i]));
		}
		qsort(v, n, sizeof(*v), compare);
		CHECK(quantile_error(&q) == (n <= QUANTILE_EXACT ? 0 : 1.0 / 128));
		judge(&q, v, n, quantile_error(&q));
		for (unsigned i = 0; i < 3; i++)
			CHECK(!quantile_merge(&sum, &both, &parts[i]));
		for (unsigned percent = 1; percent <= 100; percent++)
			CHECK(quantile_at(&sum, percent) == quantile_at(&q, percent));
		CHECK(sum.n == n && both.bytes == p.bytes);
		/* Coarser, down to a bucket for each power of two. */
		while (p.bits) {
			p.bits--;
			CHECK(!quantile_coarsen(&q, &p));
			CHECK(quantile_error(&q) ==
			      (n <= QUANTILE_EXACT ? 0 : 1.0 / (double)(2u << p.bits)));
			judge(&q, v, n, quantile_error(&q));
		}
		/* What is fine is merged into what is coarse. */
		CHECK(!quantile_merge(&q, &p, &sum) && q.n == 2 * n);
		judge(&q, v, n, n <= QUANTILE_EXACT ? 0.5 : quantile_error(&q));
		quantile_free(&q);
		quantile_free(&sum);
		for (unsigned i = 0; i < 3; i++)
			quantile_free(&parts[i]);
	}
}

/* However many groups there are, their buckets stay within the bound. */
static void test_pool(void)
{
	static struct quantile q[20000];
	struct quantile_pool p = QUANTILE_POOL;
	size_t most = 0;

	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned k = 0; k < 100; k++)
			CHECK(!quantile_add(&q[i], &p, number(0)));
		while (quantile_pool_full(&p))
			for (unsigned k = 0; k <= i; k++)
				CHECK(!quantile_coarsen(&q[k], &p));
		most = p.bytes > most ? p.bytes : most;
	}
	CHECK(most > QUANTILE_BYTES / 3 && most <= QUANTILE_BYTES + 65536 && p.bits < QUANTILE_BITS);
	for (unsigned i = 0; i < 20000; i++)
		quantile_free(&q[i]);
}

/* ---- Counts over time ---------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void judge_chart(const struct chart *c, const int64_t *walls, unsigned n, unsigned most)
{
	static uint64_t counts[CHART_SPANS];
	uint64_t length, truth;
	int64_t first;
	unsigned columns = chart_columns(c, most, counts, &length, &first);

	CHECK(columns && columns <= most);
	CHECK(first == INT64_MIN || floor_div(first, (int64_t)length) * (int64_t)length == first);
	for (unsigned k = 0; k < columns; k++) {
		truth = 0;
		for (unsigned i = 0; i < n; i++)
			truth += ((uint64_t)walls[i] - (uint64_t)first) / length == k;
		CHECK(counts[k] == truth || first == INT64_MIN);
	}
	CHECK(counts[0] && counts[columns - 1]);
	truth = 0;
	for (unsigned k = 0; k < columns; k++)
		truth += counts[k];
	CHECK(truth == n);
}

static void test_chart(void)
{
	static const int64_t edges[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX };
	static struct chart c, parts[2], sum;
	static int64_t walls[400];

	for (unsigned round = 0; round < 300; round++) {
		unsigned n = 1 + (unsigned)(rnd() % 400);
		uint64_t range = 1 + (rnd() >> (round % 64));
		int64_t begin = round % 3 ? 1790000000000000000 : (int64_t)rnd();

		memset(&c, 0, sizeof(c));
		memset(&sum, 0, sizeof(sum));
		memset(parts, 0, sizeof(parts));
		for (unsigned i = 0; i < n; i++) {
			walls[i] = (int64_t)((uint64_t)begin + rnd() % range);
			if (round % 10 == 9)
				walls[i] = edges[rnd() % 7];
			chart_add(&c, walls[i]);
			chart_add(&parts[rnd() % 2], walls[i]);
		}
		judge_chart(&c, walls, n, 8 + (unsigned)(rnd() % 200));
		chart_merge(&sum, &parts[0]);
		chart_merge(&sum, &parts[1]);
		CHECK(sum.step == c.step && sum.first == c.first && sum.last == c.last);
		for (int64_t i = c.first; i <= c.last; i++)
			CHECK(sum.counts[i - sum.base] == c.counts[i - c.base]);
	}
}

int main(void)
{
	test_tally();
	test_tally_bounds();
	test_quantiles();
	test_pool();
	test_chart();
	return check_result();
}
