/* SPDX-License-Identifier: BSD-2-Clause */
#include "classes.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

void classes_free(struct classes *c)
{
	free(c->of);
	free(c->first);
	free(c->mark);
	free(c->numbers);
	free(c->numbered);
	pairs_free(&c->pairs);
	*c = (struct classes){ 0 };
}

static int begin(struct classes *c, uint32_t rows)
{
	if (rows > c->cap) {
		classes_free(c);
		c->of = malloc(rows * sizeof(*c->of));
		c->first = malloc(rows * sizeof(*c->first));
		c->mark = malloc(rows * sizeof(*c->mark));
		c->numbers = malloc(rows * sizeof(*c->numbers));
		if (!c->of || !c->first || !c->mark || !c->numbers)
			return -1;
		c->cap = rows;
	}
	memset(c->of, 0, rows * sizeof(*c->of));
	c->first[0] = 0;
	c->n = 1;
	return 0;
}

/* Apart go rows with other numbers, in c->numbers. */
static int by_numbers(struct classes *c, uint32_t rows)
{
	uint64_t last = 0;
	uint32_t last_of = 0, number = 0;
	bool fresh;

	if (pairs_begin(&c->pairs, rows))
		return -1;
	for (uint32_t i = 0; i < rows; i++) {
		if (!i || c->numbers[i] != last || c->of[i] != last_of) {
			last = c->numbers[i];
			last_of = c->of[i];
			number = pairs_number(&c->pairs, last, last_of, &fresh);
			if (fresh)
				c->first[number] = i;
		}
		c->of[i] = number;
	}
	c->n = c->pairs.n;
	return 0;
}

/* As by_numbers of all rows in one class, for what is numbered already, 0 to max. */
static int by_ids(struct classes *c, const struct picked *p, const uint32_t *ids, size_t max)
{
	if (max >= c->numbered_cap) {
		free(c->numbered);
		c->numbered_cap = 0;
		c->numbered = malloc((max + 1) * sizeof(*c->numbered));
		if (!c->numbered)
			return -1;
		c->numbered_cap = max + 1;
	}
	memset(c->numbered, 0, (max + 1) * sizeof(*c->numbered));
	c->n = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t *number = &c->numbered[ids[p->rows[i]]];

		if (!*number) {
			c->first[c->n] = i;
			*number = ++c->n;
		}
		c->of[i] = *number - 1;
	}
	return 0;
}

static int by_strings(struct classes *c, const struct picked *p, unsigned id)
{
	const uint32_t *ids;
	uint32_t n;
	int r = et_chunk_ids(p->chunk, id, &ids, NULL);

	if (!r)
		r = et_chunk_strings(p->chunk, &n, NULL);
	if (r)
		return r;
	/* Of few rows and many strings it takes longer to number the strings. */
	if (c->n == 1 && n <= p->n * 4)
		return by_ids(c, p, ids, n) ? ET_NOMEM : ET_OK;
	for (uint32_t i = 0; i < p->n; i++)
		c->numbers[i] = ids[p->rows[i]];
	return by_numbers(c, p->n) ? ET_NOMEM : ET_OK;
}

static bool same_list(const uint32_t *ids, struct et_span a, struct et_span b)
{
	return a.n == b.n && (!a.n || a.n == UINT32_MAX ||
			      !memcmp(ids + a.first, ids + b.first, a.n * sizeof(*ids)));
}

/* The number of a list is the first index of picked.rows that has it. */
static int by_lists(struct classes *c, const struct picked *p, unsigned id)
{
	const struct et_span *spans;
	const uint32_t *ids;
	int r = et_chunk_lists(p->chunk, id, &spans, &ids, NULL);

	if (r)
		return r;
	if (pairs_begin(&c->pairs, p->n))
		return ET_NOMEM;
	for (uint32_t i = 0; i < p->n; i++) {
		struct et_span s = spans[p->rows[i]];
		uint32_t n = s.n == UINT32_MAX ? 0 : s.n;
		uint64_t hash = hash_bytes(c->pairs.seed, (const char *)(ids + s.first),
					   n * sizeof(*ids));
		size_t at = hash & (c->pairs.cap - 1);
		struct pairs_entry *e = &c->pairs.entries[at];

		while (e->number && (e->a != hash || !same_list(ids, spans[p->rows[e->b]], s))) {
			at = (at + 1) & (c->pairs.cap - 1);
			e = &c->pairs.entries[at];
		}
		if (!e->number) {
			c->pairs.used[c->pairs.n++] = (uint32_t)at;
			*e = (struct pairs_entry){ hash, i, 1 };
		}
		c->numbers[i] = e->b;
	}
	return by_numbers(c, p->n) ? ET_NOMEM : ET_OK;
}

/* As by_ids: a number that is stored as a byte is one of few. */
static int by_bytes(struct classes *c, const struct picked *p, const uint8_t *values)
{
	uint32_t numbers[256] = { 0 };

	c->n = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t *number = &numbers[values[p->rows[i]]];

		if (!*number) {
			c->first[c->n] = i;
			*number = ++c->n;
		}
		c->of[i] = *number - 1;
	}
	return 0;
}

static int by_uints(struct classes *c, const struct picked *p, unsigned id)
{
	struct et_stored st;
	int r = et_chunk_stored(p->chunk, id, &st, NULL);

	/* What is the same in all rows tells none apart. */
	if (r || !st.v)
		return r;
	if (c->n == 1 && st.width == 1)
		return by_bytes(c, p, st.v);
	for (uint32_t i = 0; i < p->n; i++)
		c->numbers[i] = et_stored_number(&st, p->rows[i]);
	return by_numbers(c, p->n) ? ET_NOMEM : ET_OK;
}

static int by_field(struct classes *c, const struct picked *p, unsigned id)
{
	switch (et_fields[id].type) {
	case ET_STR:
		return by_strings(c, p, id);
	case ET_LIST:
		return by_lists(c, p, id);
	default:
		return by_uints(c, p, id);
	}
}

static int by_key_number(struct classes *c, const struct picked *p, unsigned id)
{
	for (uint32_t i = 0; i < p->n; i++)
		c->numbers[i] = key_number(id, p, p->rows[i]);
	return by_numbers(c, p->n) ? ET_NOMEM : ET_OK;
}

int classes_make(struct classes *c, const struct keys *k, const struct picked *p)
{
	uint64_t fields = 0;
	int r = begin(c, p->n) ? ET_NOMEM : ET_OK;

	for (unsigned i = 0; !r && i < k->n && p->n > 1; i++) {
		bool number;

		fields |= key_told_by(k->ids[i], &number);
		if (number)
			r = by_key_number(c, p, k->ids[i]);
	}
	for (unsigned id = 1; id < ET_FIELD_END && p->n > 1; id++)
		if (fields >> id & 1 && r != ET_NOMEM)
			r = by_field(c, p, id);
	return r == ET_NOMEM ? r : ET_OK;
}
