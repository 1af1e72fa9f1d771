/* SPDX-License-Identifier: BSD-2-Clause */
/* exprbuild.c - putting expressions together. */
#include "exprtree.h"

#include <stdlib.h>
#include <string.h>

void *expr_grow(void *items, size_t n, size_t size)
{
	/* There is room up to the next power of two. */
	return n & (n - 1) ? items : reallocarray(items, n ? n * 2 : 1, size);
}

/* ---- Tests ----------------------------------------------------------------------------- */

struct test test_of(unsigned id, enum test_op op)
{
	struct operand o = operand_get(id);

	return (struct test){
		.what = { .id = (uint8_t)id },
		.op = (uint8_t)op,
		.any = o.type == OPERAND_LIST && op != TEST_KNOWN,
		.kinds = o.kinds,
		.fields = o.fields,
	};
}

int test_add_range(struct test *t, uint64_t low, uint64_t high)
{
	struct range *more = expr_grow(t->ranges, t->n_ranges, sizeof(*more));

	if (!more)
		return -1;
	t->ranges = more;
	more[t->n_ranges++] = (struct range){ low, high };
	return 0;
}

int test_add_times(struct test *t, const struct time_range *r)
{
	struct time_range *more = expr_grow(t->times, t->n_times, sizeof(*more));

	if (!more)
		return -1;
	t->times = more;
	more[t->n_times++] = *r;
	return 0;
}

int test_add_text(struct test *t, const char *text, size_t len, struct ere *ere)
{
	struct text *more = expr_grow(t->texts, t->n_texts, sizeof(*more));
	char *copy;

	if (more)
		t->texts = more;
	copy = more ? strndup(text, len) : NULL;
	if (!copy) {
		ere_free(ere);
		return -1;
	}
	more[t->n_texts++] = (struct text){ copy, len, ere };
	return 0;
}

void test_free(struct test *t)
{
	for (size_t i = 0; i < t->n_texts; i++) {
		free(t->texts[i].p);
		ere_free(t->texts[i].ere);
	}
	free(t->texts);
	free(t->times);
	free(t->ranges);
}

/* ---- Nodes ----------------------------------------------------------------------------- */

int expr_add_node(struct expr *e, enum node_op op, uint16_t first, uint16_t *node)
{
	struct node *more = expr_grow(e->nodes, e->n_nodes, sizeof(*more));

	if (!more)
		return -1;
	e->nodes = more;
	more[e->n_nodes] = (struct node){ .op = (uint8_t)op, .first = first, .next = EXPR_NONE };
	*node = (uint16_t)e->n_nodes++;
	return 0;
}

int expr_add_test(struct expr *e, const struct test *t, uint16_t *node)
{
	struct test *more = expr_grow(e->tests, e->n_tests, sizeof(*more));
	struct test own = *t;

	if (more)
		e->tests = more;
	if (!more || expr_add_node(e, NODE_TEST, (uint16_t)e->n_tests, node)) {
		test_free(&own);
		return -1;
	}
	more[e->n_tests++] = own;
	return 0;
}

void expr_free(struct expr *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n_tests; i++)
		test_free(&e->tests[i]);
	free(e->tests);
	free(e->nodes);
	free(e);
}
