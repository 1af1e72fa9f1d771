/* SPDX-License-Identifier: BSD-2-Clause */
#include "grouping.h"

#include <stdlib.h>

/* Groups that several threads have are kept by each until they are merged. */
#define LARGE_GROUPS 4096u
#define LARGE_BYTES (1u << 20)

struct grouping *grouping_new(void)
{
	struct grouping *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->groups.pool = (struct quantile_pool)QUANTILE_POOL;
	out_open(&g->key, -1);
	return g;
}

void grouping_free(struct grouping *g)
{
	if (!g)
		return;
	groups_free(&g->groups);
	classes_free(&g->classes);
	out_close(&g->key);
	free(g->rows);
	free(g);
}

bool grouping_large(const struct grouping *g)
{
	return g->groups.keys.n > LARGE_GROUPS ||
	       g->groups.keys.len + g->groups.pool.bytes > LARGE_BYTES;
}

int grouping_add(struct grouping *g, const struct keys *k, const struct picked *p)
{
	return classes_make(&g->classes, k, p) ||
	       groups_take(&g->groups, k, &g->classes, p, &g->key) ? -1 : 0;
}

int grouping_take(struct grouping *g, const struct keys *k, const struct scan_chunk *c, bool utc)
{
	struct picked p = { .source = c->source, .chunk = c->chunk, .utc = utc };
	uint32_t rows = et_chunk_rows(c->chunk);

	if (rows > g->rows_cap) {
		free(g->rows);
		g->rows_cap = 0;
		g->rows = malloc(rows * sizeof(*g->rows));
		if (!g->rows)
			return -1;
		g->rows_cap = rows;
	}
	for (uint32_t row = 0; row < rows; row++) {
		g->rows[p.n] = row;
		p.n += c->selected[row];
	}
	p.rows = g->rows;
	return grouping_add(g, k, &p);
}
