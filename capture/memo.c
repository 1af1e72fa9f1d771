/* SPDX-License-Identifier: BSD-2-Clause */
#include "memo.h"

#include <stdlib.h>
#include <string.h>

/* Never more than half of the slots are in use. */
#define SLOTS 16384u

struct entry {
	uint64_t id;
	size_t len;
	char text[];
};

struct memo {
	unsigned used;
	struct entry *slots[SLOTS];
};

struct memo *memo_new(void)
{
	return calloc(1, sizeof(struct memo));
}

static void forget(struct memo *m)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		free(m->slots[i]);
		m->slots[i] = NULL;
	}
	m->used = 0;
}

void memo_free(struct memo *m)
{
	if (!m)
		return;
	forget(m);
	free(m);
}

/* Where it is, or would be. */
static unsigned slot_of(const struct memo *m, uint64_t id)
{
	unsigned at = (unsigned)((id * 0x9e3779b97f4a7c15ull) >> 32) % SLOTS;

	while (m->slots[at] && m->slots[at]->id != id)
		at = (at + 1) % SLOTS;
	return at;
}

void memo_keep(struct memo *m, uint64_t id, const char *text, size_t len)
{
	struct entry *e;

	if (m->slots[slot_of(m, id)])
		return;
	e = malloc(sizeof(*e) + len);
	if (!e)
		return;
	if (m->used == SLOTS / 2)
		forget(m);
	e->id = id;
	e->len = len;
	memcpy(e->text, text, len);
	m->slots[slot_of(m, id)] = e;
	m->used++;
}

bool memo_find(const struct memo *m, uint64_t id, const char **text, size_t *len)
{
	const struct entry *e = m->slots[slot_of(m, id)];

	if (!e)
		return false;
	*text = e->text;
	*len = e->len;
	return true;
}
