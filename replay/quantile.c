/* SPDX-License-Identifier: BSD-2-Clause */
#include "quantile.h"

#include <stdlib.h>
#include <string.h>

/*
 * Numbers below 2^bits have a bucket each, in row 0. In row r > 0 are those from
 * 2^(bits+r-1) to twice that, in 2^bits buckets.
 */
#define ROWS 65

struct quantile_buckets {
	unsigned bits;
	uint64_t *rows[ROWS]; /* 2^bits counts each; NULL: all 0 */
};

struct place {
	unsigned row, bucket;
};

static struct place place_of(uint64_t value, unsigned bits)
{
	unsigned top;

	if (value < 1ull << bits)
		return (struct place){ 0, (unsigned)value };
	top = 63 - (unsigned)__builtin_clzll(value);
	return (struct place){ top - bits + 1,
			       (unsigned)((value >> (top - bits)) - (1ull << bits)) };
}

/* The least number of a bucket, and how many numbers it holds. */
static uint64_t least_of(struct place p, unsigned bits, uint64_t *width)
{
	*width = p.row ? 1ull << (p.row - 1) : 1;
	return p.row ? ((1ull << bits) + p.bucket) << (p.row - 1) : p.bucket;
}

/* ---- Buckets ---------------------------------------------------------------------- */

static size_t row_size(unsigned bits)
{
	return sizeof(uint64_t) << bits;
}

static void free_buckets(struct quantile_buckets *b, struct quantile_pool *p)
{
	for (unsigned r = 0; b && r < ROWS; r++) {
		if (b->rows[r] && p)
			p->bytes -= row_size(b->bits);
		free(b->rows[r]);
	}
	if (b && p)
		p->bytes -= sizeof(*b);
	free(b);
}

static struct quantile_buckets *new_buckets(struct quantile_pool *p)
{
	struct quantile_buckets *b = calloc(1, sizeof(*b));

	if (b) {
		b->bits = p->bits;
		p->bytes += sizeof(*b);
	}
	return b;
}

static int count(struct quantile_buckets *b, struct quantile_pool *p, uint64_t value, uint64_t n)
{
	struct place at = place_of(value, b->bits);
	uint64_t **row = &b->rows[at.row];

	if (!*row) {
		*row = calloc(1, row_size(b->bits));
		if (!*row)
			return -1;
		p->bytes += row_size(b->bits);
	}
	(*row)[at.bucket] += n;
	return 0;
}

static int count_all(struct quantile_buckets *b, struct quantile_pool *p,
		     const struct quantile_buckets *from)
{
	struct place at = { 0, 0 };
	uint64_t width;

	for (; at.row < ROWS; at.row++)
		for (at.bucket = 0; from->rows[at.row] && at.bucket < 1u << from->bits; at.bucket++) {
			uint64_t n = from->rows[at.row][at.bucket];

			if (n && count(b, p, least_of(at, from->bits, &width), n))
				return -1;
		}
	return 0;
}

bool quantile_pool_full(struct quantile_pool *p)
{
	if (p->bytes <= QUANTILE_BYTES || !p->bits)
		return false;
	p->bits--;
	return true;
}

int quantile_coarsen(struct quantile *q, struct quantile_pool *p)
{
	struct quantile_buckets *b;

	if (!q->buckets || q->buckets->bits <= p->bits)
		return 0;
	b = new_buckets(p);
	if (!b || count_all(b, p, q->buckets)) {
		free_buckets(b, p);
		return -1;
	}
	free_buckets(q->buckets, p);
	q->buckets = b;
	return 0;
}

/* ---- Numbers ---------------------------------------------------------------------- */

void quantile_free(struct quantile *q)
{
	free(q->values);
	free_buckets(q->buckets, NULL);
	*q = (struct quantile){ 0 };
}

static int to_buckets(struct quantile *q, struct quantile_pool *p)
{
	if (q->buckets)
		return quantile_coarsen(q, p);
	q->buckets = new_buckets(p);
	if (!q->buckets)
		return -1;
	for (uint64_t i = 0; i < q->n; i++)
		if (count(q->buckets, p, q->values[i], 1))
			return -1;
	free(q->values);
	q->values = NULL;
	return 0;
}

static int keep(struct quantile *q, uint64_t value)
{
	if (q->n == q->cap || !q->values) {
		uint32_t cap = q->values ? q->cap * 2 : 4;
		uint64_t *more = reallocarray(q->values, cap, sizeof(*more));

		if (!more)
			return -1;
		q->values = more;
		q->cap = cap;
	}
	q->values[q->n++] = value;
	return 0;
}

int quantile_add(struct quantile *q, struct quantile_pool *p, uint64_t value)
{
	if (!q->buckets && q->n < QUANTILE_EXACT)
		return keep(q, value);
	if (!q->buckets && to_buckets(q, p))
		return -1;
	if (count(q->buckets, p, value, 1))
		return -1;
	q->n++;
	return 0;
}

int quantile_merge(struct quantile *q, struct quantile_pool *p, const struct quantile *from)
{
	if (!from->buckets) {
		for (uint64_t i = 0; i < from->n; i++)
			if (quantile_add(q, p, from->values[i]))
				return -1;
		return 0;
	}
	if (from->buckets->bits < p->bits)
		p->bits = from->buckets->bits;
	if (to_buckets(q, p) || count_all(q->buckets, p, from->buckets))
		return -1;
	q->n += from->n;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t quantile_at(struct quantile *q, unsigned percent)
{
	/* Counted from 1; no product overflows. */
	uint64_t rank = q->n / 100 * percent + (q->n % 100 * percent + 99) / 100;
	uint64_t width, least = 0;
	struct place at = { 0, 0 };

	if (!q->buckets) {
		qsort(q->values, (size_t)q->n, sizeof(*q->values), compare);
		return q->values[rank - 1];
	}
	for (; at.row < ROWS; at.row++)
		for (at.bucket = 0; q->buckets->rows[at.row] && at.bucket < 1u << q->buckets->bits;
		     at.bucket++) {
			uint64_t n = q->buckets->rows[at.row][at.bucket];

			least = n ? least_of(at, q->buckets->bits, &width) + width / 2 : least;
			if (rank <= n)
				return least;
			rank -= n;
		}
	return least;
}

double quantile_error(const struct quantile *q)
{
	return q->buckets ? 1.0 / (double)(2u << q->buckets->bits) : 0;
}
