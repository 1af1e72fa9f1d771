/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>
#include <time.h>

void tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->cap; i++)
		free(t->entries[i].key);
	free(t->entries);
	*t = (struct tally){ 0 };
}

/* A seed that is merely unlikely costs time where keys collide, not truth. */
static void seed_with(uint64_t seed[2])
{
	struct timespec now;

	if (getrandom(seed, 2 * sizeof(*seed), GRND_NONBLOCK) == 2 * (ssize_t)sizeof(*seed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	seed[0] = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
	seed[1] = (uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15u;
}

/* Both halves of a product: what goes in cannot be told, or undone, from outside. */
static uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	uint64_t one = (a >> 32) * (b & UINT32_MAX), other = (a & UINT32_MAX) * (b >> 32);
	uint64_t middle = (low >> 32) + (one & UINT32_MAX) + (other & UINT32_MAX);

	high += (one >> 32) + (other >> 32) + (middle >> 32);
	return (middle << 32 | (low & UINT32_MAX)) ^ high;
#endif
}

/* Eight bytes at a time, with a half of the seed in each factor. */
static uint64_t hash_of(const uint64_t seed[2], const char *s, size_t n)
{
	uint64_t h = n, word;

	for (; n; s += 8, n -= 8) {
		word = 0;
		if (n <= 8) {
			memcpy(&word, s, n);
			return fold(word ^ seed[0], h ^ seed[1]);
		}
		memcpy(&word, s, 8);
		h = fold(word ^ seed[0], h ^ seed[1]);
	}
	return fold(seed[0], h ^ seed[1]);
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
		seed_with(bigger.seed);
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
	hash = hash_of(t->seed, key, len);
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
