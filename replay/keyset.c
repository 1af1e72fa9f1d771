/* SPDX-License-Identifier: BSD-2-Clause */
#include "keyset.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

void keyset_free(struct keyset *k)
{
	free(k->keys);
	free(k->slots);
	free(k->bytes);
	*k = (struct keyset){ 0 };
}

/* Where the key is, or where it would go. */
static uint32_t *find(const struct keyset *k, uint64_t hash, const char *key, size_t len)
{
	size_t i = hash & (k->n_slots - 1);

	for (; k->slots[i]; i = (i + 1) & (k->n_slots - 1)) {
		const struct keyset_key *e = &k->keys[k->slots[i] - 1];

		if (e->hash == hash && e->len == len &&
		    (!len || !memcmp(k->bytes + e->at, key, len)))
			break;
	}
	return &k->slots[i];
}

/* At most half of the slots are in use. */
static int grow(struct keyset *k)
{
	uint32_t cap = k->cap ? k->cap * 2 : 128;
	struct keyset_key *keys = reallocarray(k->keys, cap, sizeof(*keys));
	uint32_t *slots;

	if (!keys)
		return -1;
	k->keys = keys;
	slots = calloc((size_t)cap * 2, sizeof(*slots));
	if (!slots)
		return -1;
	if (!k->cap)
		hash_seed(k->seed);
	k->cap = cap;
	free(k->slots);
	k->slots = slots;
	k->n_slots = (size_t)cap * 2;
	for (uint32_t i = 0; i < k->n; i++) {
		size_t at = k->keys[i].hash & (k->n_slots - 1);

		while (slots[at])
			at = (at + 1) & (k->n_slots - 1);
		slots[at] = i + 1;
	}
	return 0;
}

static int room_for_bytes(struct keyset *k, size_t len)
{
	size_t cap = k->bytes_cap ? k->bytes_cap : 4096;
	char *more;

	while (cap - k->len < len)
		cap *= 2;
	if (cap == k->bytes_cap)
		return 0;
	more = realloc(k->bytes, cap);
	if (!more)
		return -1;
	k->bytes = more;
	k->bytes_cap = cap;
	return 0;
}

int keyset_add(struct keyset *k, const char *key, size_t len, uint32_t *number)
{
	uint32_t *slot;
	uint64_t hash;

	if (k->n == k->cap && k->n < KEYSET_KEYS && grow(k))
		return -1;
	hash = hash_bytes(k->seed, key, len);
	slot = find(k, hash, key, len);
	if (*slot) {
		*number = *slot - 1;
		return 0;
	}
	*number = KEYSET_OTHER;
	if (k->n == KEYSET_KEYS || len > KEYSET_BYTES - k->len)
		return 0;
	if (room_for_bytes(k, len))
		return -1;
	if (len)
		memcpy(k->bytes + k->len, key, len);
	k->keys[k->n] = (struct keyset_key){ hash, (uint32_t)k->len, (uint32_t)len };
	k->len += len;
	*number = k->n++;
	*slot = k->n;
	return 0;
}

int keyset_compare(struct et_str a, struct et_str b)
{
	uint32_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}
