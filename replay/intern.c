/* SPDX-License-Identifier: BSD-2-Clause */
#include "intern.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

void intern_free(struct intern *t)
{
	free(t->bytes);
	free(t->at);
	free(t->slots);
	*t = (struct intern){ 0 };
}

const char *intern_text(const struct intern *t, uint32_t number)
{
	return number ? t->bytes + t->at[number - 1] : NULL;
}

/* Where the string is, or is to be entered. */
static uint32_t *slot_of(const struct intern *t, const char *s, size_t len)
{
	size_t i = hash_bytes(t->seed, s, len) & (t->n_slots - 1);

	for (; t->slots[i]; i = (i + 1) & (t->n_slots - 1)) {
		const char *other = intern_text(t, t->slots[i]);

		if (!strncmp(other, s, len) && !other[len])
			break;
	}
	return &t->slots[i];
}

static int grow_slots(struct intern *t)
{
	struct intern more = *t;

	more.n_slots = t->n_slots ? t->n_slots * 2 : 1024;
	more.slots = calloc(more.n_slots, sizeof(*more.slots));
	if (!more.slots)
		return -1;
	if (!t->n_slots)
		hash_seed(more.seed);
	for (uint32_t i = 1; i <= t->n; i++) {
		const char *s = intern_text(t, i);

		*slot_of(&more, s, strlen(s)) = i;
	}
	free(t->slots);
	*t = more;
	return 0;
}

static int make_room(struct intern *t, size_t len)
{
	char *bytes;
	uint32_t *at;

	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 512;

		at = reallocarray(t->at, cap, sizeof(*at));
		if (!at)
			return -1;
		t->at = at;
		t->cap = cap;
	}
	if (len + 1 > t->cap_bytes - t->len) {
		size_t cap = (t->cap_bytes + len + 1) * 2;

		bytes = realloc(t->bytes, cap);
		if (!bytes)
			return -1;
		t->bytes = bytes;
		t->cap_bytes = cap;
	}
	return 0;
}

int intern_add(struct intern *t, const char *s, size_t len, uint32_t *number)
{
	uint32_t *slot;

	/* At most half of the slots are in use. */
	if (t->n >= t->n_slots / 2 && grow_slots(t))
		return -1;
	slot = slot_of(t, s, len);
	*number = *slot;
	if (*slot || t->n >= INTERN_STRINGS || len >= INTERN_BYTES - t->len)
		return 0;
	if (make_room(t, len))
		return -1;
	t->at[t->n++] = (uint32_t)t->len;
	if (len)
		memcpy(t->bytes + t->len, s, len);
	t->bytes[t->len + len] = '\0';
	t->len += len + 1;
	*number = *slot = (uint32_t)t->n;
	return 0;
}
