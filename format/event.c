/* SPDX-License-Identifier: BSD-2-Clause */
/* event.c - one row of a chunk put together as an event. */
#include "chunk.h"
#include "clocks.h"
#include "error.h"

#include <stdlib.h>

/* Puts the items of a span one behind the other, each with its NUL, into c->list. */
static int join_list(struct et_chunk *c, struct et_span span, const uint32_t *ids,
		     struct et_list *l, struct et_error *err)
{
	size_t start = c->list.len;

	for (uint32_t i = 0; i < span.n; i++) {
		struct et_str s = et_chunk_str(c, ids[span.first + i]);

		buf_add(&c->list, s.ptr, s.len);
		buf_u8(&c->list, 0);
	}
	if (c->list.failed)
		return et_fail_nomem(err);
	l->len = (uint32_t)(c->list.len - start);
	l->n = span.n;
	return ET_OK;
}

/* A column as rows are put together from it; which member counts follows from its type. */
struct row_field {
	uint8_t id, type;
	struct et_stored numbers;
	const struct et_span *spans;
	const uint32_t *ids;
};

struct row_plan {
	unsigned n;
	struct row_field fields[];
};

/* Reads a column. *some is false where no row has it, or only a later version can read it. */
static int read_field(struct et_chunk *c, struct row_field *f, bool *some, struct et_error *err)
{
	int rc;

	*some = true;
	switch (f->type) {
	case ET_STR:
		rc = et_chunk_ids(c, f->id, &f->ids, err);
		break;
	case ET_LIST:
		rc = et_chunk_lists(c, f->id, &f->spans, &f->ids, err);
		break;
	default:
		rc = et_chunk_stored(c, f->id, &f->numbers, err);
		*some = f->numbers.v || f->numbers.value != ET_NONE;
	}
	*some = *some && !rc;
	return rc == ET_UNSUPPORTED ? ET_OK : rc;
}

/* What rows of a kind consist of is the same for all of them. */
static int plan_of(struct et_chunk *c, unsigned kind, const struct row_plan **out,
		   struct et_error *err)
{
	struct row_plan *plan = c->plans[kind];
	bool some;
	int rc = ET_OK;

	*out = plan;
	if (plan)
		return ET_OK;
	plan = malloc(sizeof(*plan) + c->schema.n * sizeof(plan->fields[0]));
	if (!plan)
		return et_fail_nomem(err);
	plan->n = 0;
	for (unsigned i = 0; !rc && i < c->schema.n; i++) {
		const struct et_column *col = &c->schema.columns[i];
		struct row_field *f = &plan->fields[plan->n];

		if (col->id >= ET_FIELD_END || !et_fields[col->id].name || !(col->kinds >> kind & 1))
			continue;
		*f = (struct row_field){ .id = col->id, .type = et_fields[col->id].type };
		rc = read_field(c, f, &some, err);
		plan->n += some;
	}
	if (rc)
		free(plan);
	else
		*out = c->plans[kind] = plan;
	return rc;
}

static int get_field(struct et_chunk *c, const struct row_field *f, uint32_t row, struct et_event *ev,
		     struct et_error *err)
{
	union et_value *v = &ev->v[f->id];
	bool known;
	int rc = ET_OK;

	switch (f->type) {
	case ET_STR:
		known = f->ids[row];
		if (known)
			v->s = et_chunk_str(c, f->ids[row]);
		break;
	case ET_LIST:
		known = f->spans[row].n != UINT32_MAX;
		v->l.ptr = "";
		if (known)
			rc = join_list(c, f->spans[row], f->ids, &v->l, err);
		break;
	default:
		v->u = et_stored_number(&f->numbers, row);
		known = v->u != ET_NONE;
	}
	ev->known |= (uint64_t)known << f->id;
	return rc;
}

int et_chunk_event(struct et_chunk *c, uint32_t row, struct et_event *ev, struct et_error *err)
{
	const struct row_plan *plan;
	size_t at = 0;
	int rc = chunk_kinds(c, err);

	ev->known = 0;
	ev->realtime = 0;
	if (rc)
		return rc;
	if (row >= c->rows)
		return et_fail(err, ET_MISUSE, c->at, "the chunk has no such row");
	rc = plan_of(c, c->kinds[row], &plan, err);
	buf_reset(&c->list);
	for (unsigned i = 0; !rc && i < plan->n; i++)
		rc = get_field(c, &plan->fields[i], row, ev, err);
	if (rc)
		return rc;
	ev->realtime = clock_offset(c->clocks, c->n_clocks, ev->v[ET_F_TS].u);
	/* Only now does the lists' memory stay where it is. */
	for (unsigned i = 0; c->list.len && i < plan->n; i++) {
		struct et_list *l = &ev->v[plan->fields[i].id].l;

		if (plan->fields[i].type != ET_LIST || !ET_HAS(ev, plan->fields[i].id))
			continue;
		if (l->len)
			l->ptr = (const char *)c->list.data + at;
		at += l->len;
	}
	return ET_OK;
}
