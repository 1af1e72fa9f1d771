/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

void rows_free(struct rows *r)
{
	free(r->v);
}

static int grow(struct rows *r, size_t n)
{
	struct waiting_row *more;

	if (n <= r->cap)
		return 0;
	n += n / 2;
	more = reallocarray(r->v, n, sizeof(*more));
	if (!more)
		return -1;
	r->v = more;
	r->cap = n;
	return 0;
}

int rows_room(struct rows *r, size_t n)
{
	if (r->at) {
		r->n -= r->at;
		memmove(r->v, r->v + r->at, r->n * sizeof(*r->v));
		r->at = 0;
	}
	return grow(r, r->n + n);
}

/* Stable: on equal times the order of the file stands. */
static void merge(struct waiting_row *to, const struct waiting_row *a, size_t na,
		  const struct waiting_row *b, size_t nb)
{
	while (na && nb) {
		if (b->ts < a->ts) {
			*to++ = *b++;
			nb--;
		} else {
			*to++ = *a++;
			na--;
		}
	}
	if (na)
		memcpy(to, a, na * sizeof(*a));
	else if (nb)
		memcpy(to, b, nb * sizeof(*b));
}

/* By runs that are in order already, which in a capture are long. */
static void sort(struct waiting_row *p, size_t n, struct waiting_row *spare)
{
	for (;;) {
		size_t runs = 0, i = 0;

		while (i < n) {
			size_t a = i, b, end;

			for (i++; i < n && p[i].ts >= p[i - 1].ts; i++)
				;
			b = i;
			if (b < n)
				for (i++; i < n && p[i].ts >= p[i - 1].ts; i++)
					;
			end = i;
			runs++;
			if (b == end)
				continue;
			merge(spare, p + a, b - a, p + b, end - b);
			memcpy(p + a, spare, (end - a) * sizeof(*p));
		}
		if (runs <= 1)
			return;
	}
}

int rows_add(struct rows *r, size_t n, struct rows *spare)
{
	if (!n)
		return 0;
	if (grow(spare, r->n + n))
		return -1;
	sort(r->v + r->n, n, spare->v);
	if (r->n && r->v[r->n].ts < r->v[r->n - 1].ts) {
		merge(spare->v, r->v, r->n, r->v + r->n, n);
		memcpy(r->v, spare->v, (r->n + n) * sizeof(*r->v));
	}
	r->n += n;
	return 0;
}
