/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

void tally_free(struct tally *t)
{
	keyset_free(&t->keys);
	free(t->counts);
	*t = (struct tally){ 0 };
}

int tally_add(struct tally *t, const char *key, size_t len, uint64_t n)
{
	uint32_t number;

	if (keyset_add(&t->keys, key, len, &number))
		return -1;
	if (t->keys.n > t->cap) {
		uint64_t *more = reallocarray(t->counts, t->keys.cap, sizeof(*more));

		/* The key stays, and has not come. */
		if (!more)
			return -1;
		memset(more + t->cap, 0, (t->keys.cap - t->cap) * sizeof(*more));
		t->counts = more;
		t->cap = t->keys.cap;
	}
	if (number == KEYSET_OTHER)
		t->other += n;
	else
		t->counts[number] += n;
	t->total += n;
	return 0;
}

int tally_merge(struct tally *t, const struct tally *from)
{
	for (uint32_t i = 0; i < from->keys.n; i++) {
		struct et_str key = keyset_get(&from->keys, i);

		if (tally_add(t, key.ptr, key.len, from->counts[i]))
			return -1;
	}
	t->other += from->other;
	t->total += from->other;
	return 0;
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct tally *t = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (t->counts[x] != t->counts[y])
		return t->counts[x] > t->counts[y] ? -1 : 1;
	return keyset_compare(keyset_get(&t->keys, x), keyset_get(&t->keys, y));
}

uint32_t *tally_ranking(const struct tally *t)
{
	uint32_t *v = t->keys.n ? reallocarray(NULL, t->keys.n, sizeof(*v)) : NULL;

	if (!v)
		return NULL;
	for (uint32_t i = 0; i < t->keys.n; i++)
		v[i] = i;
	qsort_r(v, t->keys.n, sizeof(*v), compare, (void *)(uintptr_t)t);
	return v;
}
