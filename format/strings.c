/* SPDX-License-Identifier: BSD-2-Clause */
/* strings.c - a chunk's string table as a hash table that can be cut back. */
#include "strings.h"
#include "mix.h"

#include <stdlib.h>
#include <string.h>

void strings_init(struct strings *t)
{
	*t = (struct strings){ 0 };
	t->seed = mix_seed();
}

void strings_free(struct strings *t)
{
	buf_free(&t->bytes);
	free(t->lengths);
	free(t->ends);
	free(t->slots);
	free(t->hashes);
	*t = (struct strings){ 0 };
}

void strings_reset(struct strings *t)
{
	buf_reset(&t->bytes);
	t->n = 0;
	if (t->n_slots)
		memset(t->slots, 0, t->n_slots * sizeof(*t->slots));
}

uint64_t strings_memory(const struct strings *t)
{
	const uint64_t each = sizeof(*t->lengths) + sizeof(*t->ends) + sizeof(*t->hashes);

	return t->bytes.cap + t->cap * each + (uint64_t)t->n_slots * sizeof(*t->slots);
}

/* Moves every id into a table twice as large. */
static bool grow_slots(struct strings *t)
{
	uint32_t n = t->n_slots ? t->n_slots * 2 : 1024;
	uint32_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t id = 1; id <= t->n; id++) {
		uint32_t at = t->hashes[id - 1] & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = id;
	}
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
	return true;
}

static bool grow_ids(struct strings *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : 512;
	uint64_t *lengths = realloc(t->lengths, cap * sizeof(*lengths));
	uint32_t *ends, *hashes;

	if (lengths)
		t->lengths = lengths;
	ends = realloc(t->ends, cap * sizeof(*ends));
	if (ends)
		t->ends = ends;
	hashes = realloc(t->hashes, cap * sizeof(*hashes));
	if (hashes)
		t->hashes = hashes;
	if (!lengths || !ends || !hashes)
		return false;
	t->cap = cap;
	return true;
}

bool strings_is(const struct strings *t, uint32_t id, const char *ptr, uint32_t len)
{
	return id && t->lengths[id - 1] == len &&
	       (!len || !memcmp(t->bytes.data + t->ends[id - 1] - len, ptr, len));
}

uint32_t strings_add(struct strings *t, const char *ptr, uint32_t len)
{
	uint32_t hash = (uint32_t)mix_bytes(t->seed, ptr, len), at, id;

	/* At most three slots in four are taken. */
	if ((uint64_t)t->n * 4 >= (uint64_t)t->n_slots * 3 && !grow_slots(t))
		return 0;
	if (t->n == t->cap && !grow_ids(t))
		return 0;
	for (at = hash & (t->n_slots - 1); (id = t->slots[at]); at = (at + 1) & (t->n_slots - 1)) {
		if (t->hashes[id - 1] == hash && strings_is(t, id, ptr, len))
			return id;
	}
	buf_add(&t->bytes, ptr, len);
	if (t->bytes.failed) {
		t->bytes.failed = false;
		return 0;
	}
	id = ++t->n;
	t->lengths[id - 1] = len;
	t->ends[id - 1] = (uint32_t)t->bytes.len;
	t->hashes[id - 1] = hash;
	t->slots[at] = id;
	return id;
}

void strings_cut(struct strings *t, uint32_t n)
{
	/* The newest first: nothing was placed behind it because of it. */
	while (t->n > n) {
		uint32_t id = t->n--;
		uint32_t at = t->hashes[id - 1] & (t->n_slots - 1);

		while (t->slots[at] != id)
			at = (at + 1) & (t->n_slots - 1);
		t->slots[at] = 0;
	}
	t->bytes.len = n ? t->ends[n - 1] : 0;
}
