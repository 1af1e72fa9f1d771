/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

void tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->cap; i++)
		free(t->entries[i].key);
	free(t->entries);
	*t = (struct tally){ 0 };
}

static struct tally_entry *find(const struct tally *t, uint64_t hash, const char *key,
				size_t len)
{
	size_t i = hash & (t->cap - 1);

	for (; t->entries[i].key; i = (i + 1) & (t->cap - 1)) {
		const struct tally_entry *e = &t->entries[i];

		if (e->hash == hash && e->len == len && !memcmp(e->key, key, len))
			break;
	}
	return &t->entries[i];
}

static int grow(struct tally *t)
{
	struct tally bigger = *t;

	bigger.cap = t->cap ? t->cap * 2 : 256;
	bigger.entries = calloc(bigger.cap, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -1;
	if (!t->cap)
		hash_seed(bigger.seed);
	for (size_t i = 0; i < t->cap; i++) {
		const struct tally_entry *e = &t->entries[i];

		if (e->key)
			*find(&bigger, e->hash, e->key, e->len) = *e;
	}
	free(t->entries);
	*t = bigger;
	return 0;
}

static int enter(struct tally *t, struct tally_entry *at, uint64_t hash, const char *key,
		 size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -1;
	memcpy(copy, key, len);
	*at = (struct tally_entry){ copy, len, hash, 0 };
	t->n++;
	t->bytes += len;
	return 0;
}

int tally_add(struct tally *t, const char *key, size_t len)
{
	struct tally_entry *e;
	uint64_t hash;

	/* At most half of the entries are in use. */
	if (t->n >= t->cap / 2 && t->n < TALLY_KEYS && grow(t))
		return -1;
	hash = hash_bytes(t->seed, key, len);
	e = find(t, hash, key, len);
	if (e->key) {
		e->count++;
	} else if (t->n >= TALLY_KEYS || len > TALLY_BYTES - t->bytes) {
		t->other++;
	} else {
		if (enter(t, e, hash, key, len))
			return -1;
		e->count++;
	}
	t->total++;
	return 0;
}

/* By count, and by key where that is the same, so that output never changes. */
static int compare(const void *a, const void *b)
{
	const struct tally_entry *x = *(const struct tally_entry *const *)a;
	const struct tally_entry *y = *(const struct tally_entry *const *)b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	order = memcmp(x->key, y->key, n);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

const struct tally_entry **tally_ranking(const struct tally *t)
{
	const struct tally_entry **v;
	size_t n = 0;

	if (!t->n)
		return NULL;
	v = reallocarray(NULL, t->n, sizeof(*v));
	if (!v)
		return NULL;
	for (size_t i = 0; i < t->cap; i++)
		if (t->entries[i].key)
			v[n++] = &t->entries[i];
	qsort(v, n, sizeof(*v), compare);
	return v;
}
