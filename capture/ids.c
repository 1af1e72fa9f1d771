/* SPDX-License-Identifier: BSD-2-Clause */
#include "ids.h"

#include <stdlib.h>
#include <string.h>

static void insert(uint64_t *slots, uint32_t size, uint64_t key)
{
	uint32_t at = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (size - 1);

	while (slots[at])
		at = (at + 1) & (size - 1);
	slots[at] = key;
}

static bool has(const struct id_set *s, uint64_t key)
{
	uint32_t at;

	if (!s->size)
		return false;
	at = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (s->size - 1);
	for (; s->slots[at]; at = (at + 1) & (s->size - 1))
		if (s->slots[at] == key)
			return true;
	return false;
}

/* Room for one more at a load of at most a half, so that a search always ends. */
static bool grow(struct id_set *s)
{
	uint32_t size = s->size ? s->size * 2 : 32;
	uint64_t *slots;

	if (s->used < s->size / 2)
		return true;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i < s->size; i++)
		if (s->slots[i])
			insert(slots, size, s->slots[i]);
	free(s->slots);
	s->slots = slots;
	s->size = size;
	return true;
}

bool id_set_add(struct id_set *s, uint64_t id)
{
	uint64_t key = id + 1;

	/* The one number that + 1 makes 0 stands for "not known" everywhere. */
	if (!key || has(s, key))
		return false;
	if (grow(s)) {
		insert(s->slots, s->size, key);
		s->used++;
	}
	return true;
}

void id_set_free(struct id_set *s)
{
	free(s->slots);
	*s = (struct id_set){ 0 };
}

/* Sets that grew larger than this, in bytes about 16 times as many, are not kept. */
#define KEPT 4096u

static void clear_set(struct id_set *s)
{
	if (s->size > KEPT)
		id_set_free(s);
	if (s->used)
		memset(s->slots, 0, s->size * sizeof(*s->slots));
	s->used = 0;
}

bool ids_add(struct ids *l, enum id_kind kind, uint64_t id)
{
	if (!id_set_add(&l->seen[kind], id))
		return false;
	if (l->n == l->size) {
		uint32_t size = l->size ? l->size * 2 : 16;
		struct id *v = realloc(l->v, size * sizeof(*v));

		if (!v)
			return true;
		l->v = v;
		l->size = size;
	}
	l->v[l->n++] = (struct id){ kind, id };
	return true;
}

void ids_note(struct ids *l, const struct et_event *ev)
{
	for (uint64_t left = ev->known; left; left &= left - 1) {
		unsigned f = (unsigned)__builtin_ctzll(left);

		switch (et_fields[f].unit) {
		case ET_UID:
			ids_add(l, ID_USER, ev->v[f].u);
			break;
		case ET_GID:
			ids_add(l, ID_GROUP, ev->v[f].u);
			break;
		case ET_CGROUP_ID:
			ids_add(l, ID_CGROUP, ev->v[f].u);
			break;
		}
	}
}

void ids_clear(struct ids *l)
{
	for (unsigned i = 0; i < ID_KINDS; i++)
		clear_set(&l->seen[i]);
	l->n = 0;
}

void ids_free(struct ids *l)
{
	for (unsigned i = 0; i < ID_KINDS; i++)
		id_set_free(&l->seen[i]);
	free(l->v);
	*l = (struct ids){ .n = 0 };
}
