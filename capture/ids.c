/* SPDX-License-Identifier: BSD-2-Clause */
#include "ids.h"

#include <stdlib.h>

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

static void append(struct id_list *l, enum id_kind kind, uint64_t id)
{
	if (l->n == l->size) {
		uint32_t size = l->size ? l->size * 2 : 16;
		struct id *v = realloc(l->v, size * sizeof(*v));

		if (!v)
			return;
		l->v = v;
		l->size = size;
	}
	l->v[l->n++] = (struct id){ kind, id };
}

void id_list_free(struct id_list *l)
{
	free(l->v);
	*l = (struct id_list){ 0 };
}

void ids_note(const struct et_event *ev, struct id_set seen[ID_KINDS], struct id_list *l)
{
	for (uint64_t left = ev->known; left; left &= left - 1) {
		unsigned f = (unsigned)__builtin_ctzll(left);
		enum id_kind kind;

		switch (et_fields[f].unit) {
		case ET_UID:
			kind = ID_USER;
			break;
		case ET_GID:
			kind = ID_GROUP;
			break;
		case ET_CGROUP_ID:
			kind = ID_CGROUP;
			break;
		default:
			continue;
		}
		if (id_set_add(&seen[kind], ev->v[f].u))
			append(l, kind, ev->v[f].u);
	}
}
