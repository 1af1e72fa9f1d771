/* SPDX-License-Identifier: BSD-2-Clause */
#include "ranking.h"

#include <stdlib.h>
#include <string.h>

#include "keyvalue.h"

int ranking_parse(struct ranking_order *o, const char *name, const struct keys *keys,
		  struct reason *why)
{
	*o = (struct ranking_order){ .descending = *name == '-' };
	name += o->descending;
	o->figure = figure_find(name);
	if (o->figure < FIGURES)
		return 0;
	for (o->key = 0; o->key < keys->n; o->key++)
		if (!strcmp(key_name(keys->ids[o->key]), name))
			return 0;
	return reason_set(why, EXIT_USAGE,
			  "--sort: '%s' is no column of the table (--by help lists them)", name);
}

/* The value of one key among several, with all that is behind it. */
static struct et_str value_at(struct et_str key, unsigned i)
{
	while (i--)
		key_next(&key);
	return key;
}

/* By what is asked for, then by events, then by all keys: output never changes. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct ranking *r = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	struct et_str left = keyset_get(&r->groups->keys, x);
	struct et_str right = keyset_get(&r->groups->keys, y);
	uint64_t events[2];
	int order;

	if (r->order.figure == FIGURES) {
		order = keyset_compare(value_at(left, r->order.key), value_at(right, r->order.key));
		if (order)
			return r->order.descending ? -order : order;
	} else if (r->figures[x] != r->figures[y]) {
		/* What is not known comes last. */
		return r->figures[x] + 1 > r->figures[y] + 1 ? -1 : 1;
	}
	events[0] = group_figure(&r->groups->v[x], FIGURE_EVENTS);
	events[1] = group_figure(&r->groups->v[y], FIGURE_EVENTS);
	if (events[0] != events[1])
		return events[0] > events[1] ? -1 : 1;
	return keyset_compare(left, right);
}

int ranking_open(struct ranking *r, struct groups *g, const struct keys *keys,
		 struct ranking_order order, uint32_t top)
{
	uint32_t n = g->keys.n;

	*r = (struct ranking){ .groups = g, .keys = keys, .order = order };
	r->numbers = reallocarray(NULL, n + 1, sizeof(*r->numbers));
	r->figures = reallocarray(NULL, n + 1, sizeof(*r->figures));
	if (!r->numbers || !r->figures)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		r->numbers[i] = i;
		r->figures[i] = group_figure(&g->v[i], order.figure);
	}
	qsort_r(r->numbers, n, sizeof(*r->numbers), compare, r);
	r->shown = n < top ? n : top;
	r->n_rest = n - r->shown;
	r->any_rest = r->n_rest || g->any_other;
	for (uint32_t i = r->shown; i < n; i++)
		if (groups_add(g, &r->rest, &g->v[r->numbers[i]]))
			return -1;
	return groups_add(g, &r->rest, &g->other);
}

void ranking_close(struct ranking *r)
{
	quantile_free(&r->rest.durations);
	free(r->numbers);
	free(r->figures);
	*r = (struct ranking){ .groups = NULL };
}
