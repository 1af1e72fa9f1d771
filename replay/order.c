/* SPDX-License-Identifier: BSD-2-Clause */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "runs.h"

/* Of few that are wanted, so many are looked at together: sorting each time would be slow. */
#define FEW 4096

struct order {
	struct order_options opt;
	struct item **items;
	size_t n, cap;
	size_t bytes;		 /* of memory that they take */
	uint64_t keep;		 /* how many are wanted */
	const struct item *edge; /* of as many as are wanted, the last or first; NULL: unknown */
	uint64_t seq, handed;	 /* lines that came, and that went */
	struct runs *runs;	 /* NULL: all are in memory */
	uint64_t skip;		 /* of those in runs, not wanted ones in front */
};

struct order *order_new(const struct order_options *opt)
{
	struct order *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->opt = *opt;
	o->keep = opt->first < opt->last ? opt->first : opt->last;
	return o;
}

static void let_go(struct order *o, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		o->bytes -= item_bytes(o->items[i]);
		free(o->items[i]);
	}
}

void order_free(struct order *o)
{
	if (!o)
		return;
	if (!o->runs)
		let_go(o, o->handed ? (size_t)o->handed - 1 : 0, o->n);
	else
		let_go(o, 0, o->n);
	runs_free(o->runs);
	free(o->items);
	free(o);
}

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

/* ---- Sorting ------------------------------------------------------------------------ */

static int compare(const void *a, const void *b, void *backwards)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;

	return item_compare(&x->head, x->bytes, &y->head, y->bytes, *(bool *)backwards);
}

static void sort_items(struct order *o)
{
	size_t i = 1;

	/* As they come, they are in order already. */
	while (i < o->n && compare(&o->items[i - 1], &o->items[i], &o->opt.backwards) < 0)
		i++;
	if (i < o->n)
		qsort_r(o->items, o->n, sizeof(*o->items), compare, &o->opt.backwards);
}

/* Sorts, and keeps those that are wanted. */
static void prune(struct order *o)
{
	size_t surplus;

	sort_items(o);
	if (o->n <= o->keep)
		return;
	surplus = o->n - (size_t)o->keep;
	if (o->opt.first == o->keep) {
		let_go(o, (size_t)o->keep, o->n);
	} else {
		let_go(o, 0, surplus);
		memmove(o->items, o->items + surplus, (size_t)o->keep * sizeof(*o->items));
	}
	o->n = (size_t)o->keep;
	if (o->n)
		o->edge = o->items[o->opt.first == o->keep ? o->n - 1 : 0];
}

bool order_wants(const struct order *o, const char *key, size_t len)
{
	struct item_head next = { .seq = o->seq, .key_len = (uint32_t)len };
	int side;

	if (!o->keep)
		return false;
	if (!o->edge)
		return true;
	side = item_compare(&next, key, &o->edge->head, o->edge->bytes, o->opt.backwards);
	return o->opt.first == o->keep ? side < 0 : side > 0;
}

/* ---- Keeping ------------------------------------------------------------------------ */

/* All that is in memory becomes a run in the file. */
static int spill(struct order *o, struct reason *why)
{
	if (!o->runs)
		o->runs = runs_new(o->opt.fd, o->opt.error, o->opt.memory);
	if (!o->runs)
		return no_memory(why);
	prune(o);
	if (runs_add(o->runs, o->items, o->n, why))
		return -1;
	let_go(o, 0, o->n);
	o->n = 0;
	o->edge = NULL;
	return 0;
}

static int room(struct order *o, struct reason *why)
{
	size_t cap = o->cap ? o->cap * 2 : 1024;
	struct item **items;

	if (o->n < o->cap)
		return 0;
	items = reallocarray(o->items, cap, sizeof(*items));
	if (!items)
		return no_memory(why);
	o->items = items;
	o->cap = cap;
	return 0;
}

int order_add(struct order *o, const struct order_line *line, struct reason *why)
{
	struct item *item;

	if (room(o, why))
		return -1;
	item = item_new(line, o->seq);
	if (!item)
		return no_memory(why);
	o->seq++;
	o->items[o->n++] = item;
	o->bytes += item_bytes(item);
	if (o->n >= FEW && o->n / 2 >= o->keep)
		prune(o);
	if (o->bytes <= o->opt.memory)
		return 0;
	prune(o);
	/* Else it would be full again soon, and be sorted for each of a few. */
	return o->bytes > o->opt.memory / 2 ? spill(o, why) : 0;
}

int order_end(struct order *o, struct reason *why)
{
	uint64_t all;

	if (!o->runs) {
		prune(o);
		return 0;
	}
	if (o->n && spill(o, why))
		return -1;
	all = runs_items(o->runs);
	if (o->opt.last < all)
		o->skip = all - o->opt.last;
	return runs_merge(o->runs, o->opt.backwards, why);
}

/* ---- Handing out -------------------------------------------------------------------- */

static int next_of_items(struct order *o, struct order_line *line)
{
	if (o->handed)
		let_go(o, (size_t)o->handed - 1, (size_t)o->handed);
	if (o->handed == o->n) {
		o->n = 0;
		o->handed = 0;
		return 0;
	}
	item_line(&o->items[o->handed]->head, o->items[o->handed]->bytes, line);
	o->handed++;
	return 1;
}

int order_next(struct order *o, struct order_line *line, struct reason *why)
{
	int r;

	if (!o->runs)
		return next_of_items(o, line);
	if (o->handed == o->opt.first)
		return 0;
	do
		r = runs_next(o->runs, line, why);
	while (r > 0 && o->skip && o->skip--);
	o->handed += r > 0;
	return r;
}
