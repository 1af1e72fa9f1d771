/* SPDX-License-Identifier: BSD-2-Clause */
#include "pairs.h"

#include <stdlib.h>

#include "hash.h"

void pairs_free(struct pairs *p)
{
	free(p->entries);
	free(p->used);
	*p = (struct pairs){ 0 };
}

int pairs_begin(struct pairs *p, size_t most)
{
	size_t cap = 64;

	/* At most half of the entries are in use. */
	while (cap < most * 2)
		cap *= 2;
	if (cap > p->cap) {
		pairs_free(p);
		p->entries = calloc(cap, sizeof(*p->entries));
		p->used = malloc(cap / 2 * sizeof(*p->used));
		if (!p->entries || !p->used) {
			pairs_free(p);
			return -1;
		}
		p->cap = cap;
		hash_seed(p->seed);
	}
	for (uint32_t i = 0; i < p->n; i++)
		p->entries[p->used[i]].number = 0;
	p->n = 0;
	return 0;
}

uint32_t pairs_number(struct pairs *p, uint64_t a, uint32_t b, bool *fresh)
{
	size_t i = hash_pair(p->seed, a, b) & (p->cap - 1);
	struct pairs_entry *e = &p->entries[i];

	while (e->number && (e->a != a || e->b != b)) {
		i = (i + 1) & (p->cap - 1);
		e = &p->entries[i];
	}
	*fresh = !e->number;
	if (*fresh) {
		p->used[p->n] = (uint32_t)i;
		*e = (struct pairs_entry){ a, b, ++p->n };
	}
	return e->number - 1;
}
