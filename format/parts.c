/* SPDX-License-Identifier: BSD-2-Clause */
/* parts.c - numbers of segments, sorted once all are there. */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

struct part {
	uint8_t series[8];
	uint64_t number;
};

bool parts_add(struct parts *p, const struct et_record *rec)
{
	size_t cap = p->cap ? p->cap * 2 : 16;
	struct part *more;

	if (!rec->has_series || p->n == PARTS_MAX)
		return true;
	if (p->n == p->cap) {
		more = realloc(p->v, cap * sizeof(*more));
		if (!more)
			return false;
		p->v = more;
		p->cap = cap;
	}
	p->v[p->n].number = rec->number;
	memcpy(p->v[p->n++].series, rec->series, sizeof(rec->series));
	return true;
}

static int by_number(const void *x, const void *y)
{
	const struct part *a = x, *b = y;
	int r = memcmp(a->series, b->series, sizeof(a->series));

	return r ? r : a->number < b->number ? -1 : a->number > b->number;
}

uint64_t parts_missing(struct parts *p)
{
	uint64_t missing = 0;

	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), by_number);
	for (size_t i = 1; i < p->n; i++) {
		const struct part *a = &p->v[i - 1], *b = &p->v[i];
		bool same = !memcmp(a->series, b->series, sizeof(a->series));
		uint64_t between = same && b->number > a->number ? b->number - a->number - 1 : 0;

		/* Of a number of recordings that each lack most of 2^64. */
		missing = missing + between < missing ? UINT64_MAX : missing + between;
	}
	return missing;
}

void parts_free(struct parts *p)
{
	free(p->v);
	*p = (struct parts){ 0 };
}
