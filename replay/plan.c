/* SPDX-License-Identifier: BSD-2-Clause */
/* plan.c - making a plan of expressions, and binding it to names and times. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

/*
 * So many users or groups become numbers. Of more, which only an odd capture has, the
 * names are looked up as rows come, so that memory is bounded.
 */
#define RESOLVED_MAX 4096

/* Decoding a column and asking a row, about: cheap ones first leave less to the others. */
enum cost { COST_KIND, COST_NUMBER, COST_NAME, COST_DERIVED, COST_TEXT, COST_ITEM, COST_LIST };

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_leaves; i++)
		free(p->leaves[i].ranges);
	free(p->leaves);
	free(p->branches);
	*p = (struct plan){ 0 };
}

/* ---- Names ------------------------------------------------------------------------------- */

static const char *find_user(void *ctx, uint64_t uid)
{
	return et_context_user(ctx, uid);
}

static const char *find_group(void *ctx, uint64_t gid)
{
	return et_context_group(ctx, gid);
}

static const char *find_cgroup(void *ctx, uint64_t id)
{
	return et_context_cgroup(ctx, id);
}

unsigned plan_name_field(unsigned operand)
{
	switch (operand) {
	case OPERAND_USER:
		return ET_F_UID;
	case OPERAND_GROUP:
		return ET_F_GID;
	case OPERAND_LOGIN_USER:
		return ET_F_LOGIN_UID;
	case OPERAND_CONTAINER:
		return ET_F_CGROUP;
	default:
		return operand_get(operand).unit == ET_CGROUP_ID ? operand : 0;
	}
}

bool plan_name(const struct plan *p, unsigned operand, uint64_t id, char buffer[OPERAND_BUFFER],
	       struct et_str *out)
{
	const struct expr_scope scope = {
		.ctx = (void *)(uintptr_t)p->names,
		.user = find_user,
		.group = find_group,
		.cgroup = find_cgroup,
	};
	unsigned field = plan_name_field(operand);
	struct et_event ev;

	field = field ? field : operand;
	ev.known = id != ET_NONE ? 1ull << field : 0;
	ev.v[field].u = id;
	return operand_text(operand, &ev, &scope, buffer, out);
}

bool leaf_has_id(const struct plan *p, const struct leaf *l, uint64_t id)
{
	const struct test *t = l->test;
	char buffer[OPERAND_BUFFER];
	struct et_str name;
	bool known = plan_name(p, t->what.id, id, buffer, &name), holds;

	if (t->op == TEST_VALUES)
		holds = id != ET_NONE &&
			(test_has_number(t, id) || (known && test_has_text(t, name))) != t->negated;
	else
		holds = known && (t->op == TEST_KNOWN || test_has_text(t, name) != t->negated);
	return holds != l->negated;
}

/* ---- Sets of numbers ------------------------------------------------------------------- */

static int add_range(struct leaf *l, uint64_t low, uint64_t high)
{
	struct range *more = expr_grow(l->ranges, l->n_ranges, sizeof(*more));

	if (!more)
		return -1;
	l->ranges = more;
	more[l->n_ranges++] = (struct range){ low, high };
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	uint64_t x = ((const struct range *)a)->low, y = ((const struct range *)b)->low;

	return x < y ? -1 : x > y;
}

/* Puts them in order, and those that overlap or touch together. */
static void join_ranges(struct leaf *l)
{
	struct range *r = l->ranges;
	size_t n = 0;

	if (l->n_ranges)
		qsort(r, l->n_ranges, sizeof(*r), compare_ranges);
	for (size_t i = 0; i < l->n_ranges; i++) {
		if (r[i].low > r[i].high)
			continue;
		if (n && (r[n - 1].high == UINT64_MAX || r[i].low <= r[n - 1].high + 1))
			r[n - 1].high = r[i].high > r[n - 1].high ? r[i].high : r[n - 1].high;
		else
			r[n++] = r[i];
	}
	l->n_ranges = n;
}

bool leaf_has_number(const struct leaf *l, uint64_t v)
{
	size_t low = 0, high = l->n_ranges;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->ranges[mid].high < v)
			low = mid + 1;
		else
			high = mid;
	}
	return (low < l->n_ranges && l->ranges[low].low <= v) != l->inverted;
}

/* The ids whose names are what is asked for; false in *few: they are too many. */
static int add_named(const struct plan *p, struct leaf *l, bool *few)
{
	const struct test *t = l->test;
	bool group = operand_get(t->what.id).unit == ET_GID;
	struct et_name name;
	unsigned n = 0;
	size_t at = 0;

	*few = true;
	while (*few && et_context_next(p->names, group, &at, &name)) {
		bool has = t->op == TEST_KNOWN || test_has_text(t, name.name);

		if (t->op == TEST_VALUES ? !has : t->op != TEST_KNOWN && has == t->negated)
			continue;
		*few = n++ < RESOLVED_MAX;
		if (add_range(l, name.id, name.id))
			return -1;
	}
	return 0;
}

/* What LEAF_NUMBER asks for, as a set. */
static int fill_ranges(const struct plan *p, struct leaf *l)
{
	const struct test *t = l->test;
	bool few = true;

	l->n_ranges = 0;
	if (l->named && add_named(p, l, &few))
		return -1;
	l->how = few ? LEAF_NUMBER : LEAF_NAME;
	for (size_t i = 0; i < t->n_ranges; i++)
		if (add_range(l, t->ranges[i].low, t->ranges[i].high))
			return -1;
	if (t->op == TEST_KNOWN && !l->named && add_range(l, 0, VALUE_MAX))
		return -1;
	/* What is not known is not another number either. */
	l->inverted = l->negated;
	if (t->op == TEST_VALUES && t->negated) {
		l->inverted = !l->negated;
		if (add_range(l, ET_NONE, ET_NONE))
			return -1;
	}
	join_ranges(l);
	return 0;
}

int plan_bind(struct plan *p, const struct et_context *names)
{
	p->names = names;
	for (size_t i = 0; i < p->n_leaves; i++)
		if (p->leaves[i].named && fill_ranges(p, &p->leaves[i]))
			return -1;
	return 0;
}

/* There is room: make_leaf has seen to it. */
static void fill_times(struct leaf *l, int64_t start, int32_t offset)
{
	const struct test *t = l->test;
	int64_t low, high;

	l->n_ranges = 0;
	if (t->op == TEST_KNOWN)
		l->ranges[l->n_ranges++] = (struct range){ 0, UINT64_MAX };
	for (size_t i = 0; i < t->n_times; i++)
		if (time_range_resolve(&t->times[i], start, offset, &low, &high))
			l->ranges[l->n_ranges++] = (struct range){ plan_time(low), plan_time(high) };
	l->inverted = t->negated != l->negated;
	join_ranges(l);
}

void plan_bind_times(struct plan *p, int64_t start, int32_t offset)
{
	for (size_t i = 0; i < p->n_leaves; i++)
		if (p->leaves[i].how == LEAF_NUMBER && p->leaves[i].number == OPERAND_TIME)
			fill_times(&p->leaves[i], start, offset);
}

/* ---- Leaves ------------------------------------------------------------------------------- */

/* Whether it is asked for the name of a user or a group. */
static bool asks_name(const struct test *t)
{
	unsigned field = plan_name_field(t->what.id);

	if (t->op == TEST_VALUES || t->op == TEST_FIELDS)
		return t->n_texts;
	return field && operand_get(field).unit != ET_CGROUP_ID;
}

static enum leaf_how how_of(const struct test *t)
{
	struct operand o = operand_get(t->what.id);

	if (t->fields == 1ull << ET_F_KIND)
		return LEAF_KIND;
	if (t->op == TEST_FIELDS)
		return LEAF_FIELDS;
	if (o.type == OPERAND_NUMBER || o.type == OPERAND_MOMENT)
		return LEAF_NUMBER;
	if (o.type == OPERAND_LIST)
		return t->what.indexed ? LEAF_ITEM : LEAF_LIST;
	return plan_name_field(t->what.id) ? LEAF_NAME : LEAF_TEXT;
}

static enum cost cost_of(const struct leaf *l)
{
	switch ((enum leaf_how)l->how) {
	case LEAF_KIND:
		return COST_KIND;
	case LEAF_NUMBER:
		return l->number < ET_FIELD_END || l->number == OPERAND_TIME ? COST_NUMBER
									     : COST_DERIVED;
	case LEAF_NAME:
		return COST_NAME;
	case LEAF_TEXT:
		return COST_TEXT;
	case LEAF_ITEM:
		return COST_ITEM;
	case LEAF_LIST:
		return COST_LIST;
	case LEAF_FIELDS:
		break;
	}
	return operand_get(l->test->what.id).type == OPERAND_NUMBER ? COST_DERIVED : COST_ITEM;
}

static int make_leaf(struct plan *p, const struct test *t, bool negated, bool lost_pass,
		     struct leaf *out)
{
	unsigned field = plan_name_field(t->what.id);
	struct leaf l = { .test = t, .negated = negated, .how = (uint8_t)how_of(t) };

	l.number = (uint8_t)(field ? field : t->what.id);
	l.named = asks_name(t);
	for (unsigned k = 1; k < PLAN_KINDS; k++) {
		unsigned outcome = test_by_kind(t, k);

		outcome = negated ? outcome_negate(outcome) : outcome;
		l.of_kind[k] = outcome == CAN_BOTH   ? LEAF_ASKS
			       : outcome == CAN_HOLD ? LEAF_HOLDS
						     : LEAF_FAILS;
	}
	if (lost_pass || !(t->kinds & ET_KIND_BIT(ET_LOST)))
		l.of_kind[ET_LOST] = LEAF_HOLDS;
	*out = l;
	if (l.how != LEAF_NUMBER)
		return 0;
	if (l.number == OPERAND_TIME)
		out->ranges = calloc(t->n_times + 1, sizeof(*out->ranges));
	/* Those with names are filled when names are known. */
	return l.number == OPERAND_TIME ? -!out->ranges : l.named ? 0 : fill_ranges(p, out);
}

/* ---- Branches ------------------------------------------------------------------------------ */

static int add_branch(struct plan *p, struct branch b, uint32_t *index)
{
	struct branch *more = expr_grow(p->branches, p->n_branches, sizeof(*more));

	if (!more)
		return -1;
	p->branches = more;
	b.next = PLAN_NONE;
	more[p->n_branches] = b;
	*index = (uint32_t)p->n_branches++;
	return 0;
}

static int add_leaf(struct plan *p, const struct test *t, bool negated, bool lost_pass,
		    uint32_t *index)
{
	struct leaf *more = expr_grow(p->leaves, p->n_leaves, sizeof(*more));
	struct branch b = { .op = NODE_TEST, .first = (uint32_t)p->n_leaves };

	if (!more)
		return -1;
	p->leaves = more;
	/* What it has is freed with the plan, also when it is not whole. */
	if (make_leaf(p, t, negated, lost_pass, &more[p->n_leaves++]))
		return -1;
	b.cost = (uint8_t)cost_of(&more[b.first]);
	return add_branch(p, b, index);
}

/* Puts a child behind those that cost no more. */
static void insert(struct plan *p, struct branch *parent, uint32_t child)
{
	uint32_t *at = &parent->first;

	while (*at != PLAN_NONE && p->branches[*at].cost <= p->branches[child].cost)
		at = &p->branches[*at].next;
	p->branches[child].next = *at;
	*at = child;
	if (p->branches[child].cost > parent->cost)
		parent->cost = p->branches[child].cost;
}

/* A node of an expression, or its negation, which goes down to the leaves. */
static int add_node(struct plan *p, const struct expr *e, uint16_t i, bool negated,
		    bool lost_pass, uint32_t *index)
{
	const struct node *node = &e->nodes[i];
	bool turned = negated != node->negated;
	struct branch b = { .first = PLAN_NONE };
	uint32_t child;

	if (node->op == NODE_TEST)
		return add_leaf(p, &e->tests[node->first], turned, lost_pass, index);
	b.op = (node->op == NODE_AND) != turned ? NODE_AND : NODE_OR;
	for (i = node->first; i != EXPR_NONE; i = e->nodes[i].next) {
		if (add_node(p, e, i, turned, lost_pass, &child))
			return -1;
		insert(p, &b, child);
	}
	return add_branch(p, b, index);
}

int plan_make(struct plan *p, const struct expr *const *exprs, size_t n, bool lost_pass)
{
	struct branch all = { .op = NODE_AND, .first = PLAN_NONE };
	uint32_t child;

	*p = (struct plan){ .kinds = ~0u };
	for (size_t i = 0; i < n; i++) {
		if (add_node(p, exprs[i], exprs[i]->root, false, lost_pass, &child))
			return -1;
		insert(p, &all, child);
	}
	return n ? add_branch(p, all, &child) : 0;
}

/* ---- Times ----------------------------------------------------------------------------------- */

static bool times_of(const struct plan *p, uint32_t i, uint64_t *low, uint64_t *high)
{
	const struct branch *b = &p->branches[i];
	const struct leaf *l;
	bool any = b->op == NODE_AND;

	*low = 0;
	*high = UINT64_MAX;
	if (b->op == NODE_TEST) {
		l = &p->leaves[b->first];
		if (l->how != LEAF_NUMBER || l->number != OPERAND_TIME || l->inverted)
			return true;
		if (!l->n_ranges)
			return false;
		*low = l->ranges[0].low;
		*high = l->ranges[l->n_ranges - 1].high;
		return true;
	}
	for (uint32_t c = b->first; c != PLAN_NONE; c = p->branches[c].next) {
		uint64_t from, to;
		bool some = times_of(p, c, &from, &to);

		if (b->op == NODE_AND) {
			any = any && some;
			*low = from > *low ? from : *low;
			*high = to < *high ? to : *high;
		} else if (some) {
			*low = !any || from < *low ? from : *low;
			*high = !any || to > *high ? to : *high;
			any = true;
		}
	}
	return any && *low <= *high;
}

bool plan_times(const struct plan *p, int64_t *low, int64_t *high)
{
	uint64_t from = 0, to = UINT64_MAX;
	bool any = !p->n_branches || times_of(p, (uint32_t)p->n_branches - 1, &from, &to);

	*low = (int64_t)(from ^ 1ull << 63);
	*high = (int64_t)(to ^ 1ull << 63);
	return any;
}
