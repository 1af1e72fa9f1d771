/* SPDX-License-Identifier: BSD-2-Clause */
/* event.c - one row of a chunk put together as an event. */
#include "chunk.h"
#include "clocks.h"
#include "error.h"

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

static int get_field(struct et_chunk *c, unsigned f, uint32_t row, struct et_event *ev,
		     struct et_error *err)
{
	const struct et_span *spans;
	const uint32_t *ids;
	struct et_stored numbers;
	union et_value *v = &ev->v[f];
	bool known = false;
	int rc;

	switch (et_fields[f].type) {
	case ET_STR:
		rc = et_chunk_ids(c, f, &ids, err);
		if (!rc && (known = ids[row]))
			v->s = et_chunk_str(c, ids[row]);
		break;
	case ET_LIST:
		rc = et_chunk_lists(c, f, &spans, &ids, err);
		if (!rc && (known = spans[row].n != UINT32_MAX))
			rc = join_list(c, spans[row], ids, &v->l, err);
		break;
	default:
		rc = et_chunk_stored(c, f, &numbers, err);
		if (!rc)
			v->u = et_stored_number(&numbers, row);
		known = !rc && v->u != ET_NONE;
	}
	if (rc == ET_UNSUPPORTED)
		return ET_OK;
	if (!rc && known)
		ev->known |= 1ull << f;
	return rc;
}

int et_chunk_event(struct et_chunk *c, uint32_t row, struct et_event *ev, struct et_error *err)
{
	size_t at = 0;
	int rc = chunk_kinds(c, err);

	ev->known = 0;
	ev->realtime = 0;
	if (rc)
		return rc;
	if (row >= c->rows)
		return et_fail(err, ET_MISUSE, c->at, "the chunk has no such row");
	buf_reset(&c->list);
	for (unsigned i = 0; i < c->schema.n; i++) {
		const struct et_column *col = &c->schema.columns[i];

		if (col->id >= ET_FIELD_END || !et_fields[col->id].name ||
		    !(col->kinds >> c->kinds[row] & 1))
			continue;
		rc = get_field(c, col->id, row, ev, err);
		if (rc)
			return rc;
	}
	ev->realtime = clock_offset(c->clocks, c->n_clocks, ev->v[ET_F_TS].u);
	/* Only now does the lists' memory stay where it is. */
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		if (ET_HAS(ev, f) && et_fields[f].type == ET_LIST) {
			ev->v[f].l.ptr = ev->v[f].l.len ? (const char *)c->list.data + at : "";
			at += ev->v[f].l.len;
		}
	}
	return ET_OK;
}
