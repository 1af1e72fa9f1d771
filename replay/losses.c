/* SPDX-License-Identifier: BSD-2-Clause */
#include "losses.h"

#include <stdlib.h>
#include <string.h>

void losses_free(struct losses *l)
{
	free(l->v);
	*l = (struct losses){ 0 };
}

static void add_up(uint64_t *to, uint64_t n)
{
	if (__builtin_add_overflow(*to, n, to))
		*to = UINT64_MAX;
}

static void widen(struct loss *to, const struct loss *more)
{
	add_up(&to->count, more->count);
	add_up(&to->rows, more->rows);
	to->first = more->first < to->first ? more->first : to->first;
	to->last = more->last > to->last ? more->last : to->last;
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_times(const struct loss *a, const struct loss *b)
{
	return a->first < b->first ? -1 : a->first > b->first ? 1 :
	       a->last < b->last ? -1 : a->last > b->last;
}

/* Those that may become one stand beside each other. */
static int by_place(const void *x, const void *y)
{
	const struct loss *a = x, *b = y;
	int r = compare(a->cause, b->cause);

	r = r ? r : compare(a->cpu, b->cpu);
	/* What no row tells of is not mixed with what one does. */
	r = r ? r : compare(!a->rows, !b->rows);
	return r ? r : compare_times(a, b);
}

static int by_time(const void *x, const void *y)
{
	const struct loss *a = x, *b = y;
	int r = compare_times(a, b);

	r = r ? r : compare(a->cause, b->cause);
	return r ? r : compare(a->cpu, b->cpu);
}

static int by_count(const void *x, const void *y)
{
	const struct loss *a = x, *b = y;
	int r = compare(b->count, a->count);

	return r ? r : by_time(x, y);
}

static int by_number(const void *x, const void *y)
{
	return compare(*(const uint64_t *)x, *(const uint64_t *)y);
}

static bool same_place(const struct loss *a, const struct loss *b)
{
	return a->cause == b->cause && a->cpu == b->cpu && !a->rows == !b->rows;
}

/* Time between two of a place; the first begins no later. */
static uint64_t apart(const struct loss *a, const struct loss *b)
{
	return b->first <= a->last ? 0 : (uint64_t)b->first - (uint64_t)a->last;
}

/*
 * Joins those of a place that are no further apart than so many ns. last: as far as any
 * before reaches, since one may lie within another.
 */
static void join(struct losses *l, uint64_t most)
{
	size_t n = 0;

	for (size_t i = 1; i < l->n; i++) {
		if (same_place(&l->v[n], &l->v[i]) && apart(&l->v[n], &l->v[i]) <= most)
			widen(&l->v[n], &l->v[i]);
		else
			l->v[++n] = l->v[i];
	}
	l->n = l->n ? n + 1 : 0;
}

/* As few as n, where their places allow it. */
static int reduce(struct losses *l, size_t n)
{
	uint64_t *gaps;
	size_t k = 0;

	if (l->n <= n)
		return 0;
	gaps = malloc(l->n * sizeof(*gaps));
	if (!gaps)
		return -1;
	qsort(l->v, l->n, sizeof(*l->v), by_place);
	for (size_t i = 1; i < l->n; i++)
		if (same_place(&l->v[i - 1], &l->v[i]))
			gaps[k++] = apart(&l->v[i - 1], &l->v[i]);
	qsort(gaps, k, sizeof(*gaps), by_number);
	/* l->n - n have to go, by the smallest gaps there are. */
	if (k)
		join(l, gaps[l->n - n < k ? l->n - n - 1 : k - 1]);
	free(gaps);
	return 0;
}

/*
 * Room for as many again. So many CPUs and causes nobody has: a capture that says so
 * costs the places, and not the time to sort it for each of its rows.
 */
static int make_room(struct losses *l)
{
	if (reduce(l, LOSSES_MAX / 2))
		return -1;
	for (unsigned step = 0; step < 2 && l->n > LOSSES_MAX / 2; step++) {
		for (size_t i = 0; i < l->n; i++) {
			l->v[i].cpu = LOSS_NO_CPU;
			if (step && l->v[i].cause > ET_CAUSE_END)
				l->v[i].cause = ET_CAUSE_END;
		}
		if (reduce(l, LOSSES_MAX / 2))
			return -1;
	}
	return 0;
}

int losses_add(struct losses *l, const struct loss *loss)
{
	struct loss *more;
	size_t cap;

	if (l->n == LOSSES_MAX && make_room(l))
		return -1;
	if (l->n == l->cap) {
		cap = l->cap ? l->cap * 2 : 16;
		more = reallocarray(l->v, cap, sizeof(*more));
		if (!more)
			return -1;
		l->v = more;
		l->cap = cap;
	}
	l->v[l->n++] = *loss;
	return 0;
}

int losses_merged(const struct losses *l, size_t n, struct losses *out)
{
	*out = (struct losses){ .v = malloc((l->n + !l->n) * sizeof(*out->v)), l->n, l->n };
	if (!out->v)
		return -1;
	if (l->n)
		memcpy(out->v, l->v, l->n * sizeof(*out->v));
	if (reduce(out, n)) {
		losses_free(out);
		return -1;
	}
	qsort(out->v, out->n, sizeof(*out->v), by_time);
	return 0;
}

void losses_keep(struct losses *l, size_t n, struct loss *rest, size_t *others)
{
	*rest = (struct loss){ 0 };
	*others = 0;
	if (l->n <= n)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_count);
	*rest = l->v[n];
	for (size_t i = n + 1; i < l->n; i++) {
		widen(rest, &l->v[i]);
		rest->cause = rest->cause == l->v[i].cause ? rest->cause : 0;
		rest->cpu = rest->cpu == l->v[i].cpu ? rest->cpu : LOSS_NO_CPU;
	}
	*others = l->n - n;
	l->n = n;
	qsort(l->v, l->n, sizeof(*l->v), by_time);
}

struct loss losses_sum(const struct losses *l)
{
	struct loss sum = l->n ? l->v[0] : (struct loss){ 0 };

	for (size_t i = 1; i < l->n; i++) {
		widen(&sum, &l->v[i]);
		sum.cause = sum.cause == l->v[i].cause ? sum.cause : 0;
		sum.cpu = sum.cpu == l->v[i].cpu ? sum.cpu : LOSS_NO_CPU;
	}
	return sum;
}
