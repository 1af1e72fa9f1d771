/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.c - the rows of a batch as events again. Columns hold values of the rows that
 * carry them alone, so the place of a row's value in a column is the number of such
 * rows before it; where the items of a list begin takes the lengths of those before.
 */
#include "batch.h"
#include "clocks.h"

#include <stdlib.h>

/* How far a list column was gone through. */
struct list_place {
	uint32_t lists;		/* before it */
	uint32_t items;		/* of these */
	struct buf text;	/* the list handed out last */
};

struct et_walk {
	const struct et_batch *batch;
	uint32_t row;
	uint32_t seen[ET_KIND_END];	/* rows before it, by kind */
	struct list_place lists[ET_FIELD_END];
};

struct et_walk *et_walk_new(void)
{
	return calloc(1, sizeof(struct et_walk));
}

void et_walk_free(struct et_walk *w)
{
	if (!w)
		return;
	for (unsigned f = 0; f < ET_FIELD_END; f++)
		buf_free(&w->lists[f].text);
	free(w);
}

void et_walk_begin(struct et_walk *w, const struct et_batch *b)
{
	w->batch = b;
	w->row = 0;
	for (unsigned k = 0; k < ET_KIND_END; k++)
		w->seen[k] = 0;
	for (unsigned f = 0; f < ET_FIELD_END; f++) {
		w->lists[f].lists = 0;
		w->lists[f].items = 0;
	}
}

static uint32_t place(const struct et_walk *w, unsigned f)
{
	uint32_t n = 0;

	for (unsigned k = 1; k < ET_KIND_END; k++)
		if (et_fields[f].kinds >> k & 1)
			n += w->seen[k];
	return n;
}

static struct et_str string_of(const struct et_batch *b, uint64_t id)
{
	const struct strings *t = &b->strings;
	uint32_t len = (uint32_t)t->lengths[id - 1];

	return (struct et_str){ (const char *)t->bytes.data + t->ends[id - 1] - len, len };
}

static void set_list(struct et_walk *w, unsigned f, uint32_t at, struct et_event *ev)
{
	const struct values *counts = &w->batch->columns[f].part[0];
	const struct values *ids = &w->batch->columns[f].part[1];
	struct list_place *l = &w->lists[f];
	uint32_t n;

	for (; l->lists < at; l->lists++)
		if (counts->v[l->lists])
			l->items += (uint32_t)counts->v[l->lists] - 1;
	if (!counts->v[at])
		return;
	n = (uint32_t)counts->v[at] - 1;
	buf_reset(&l->text);
	for (uint32_t i = 0; i < n; i++) {
		struct et_str s = string_of(w->batch, ids->v[l->items + i]);

		buf_add(&l->text, s.ptr, s.len);
		buf_u8(&l->text, 0);
	}
	if (l->text.failed)
		return;
	ev->known |= 1ull << f;
	ev->v[f].l = (struct et_list){ (const char *)l->text.data, (uint32_t)l->text.len, n };
}

static void set_field(struct et_walk *w, unsigned f, struct et_event *ev)
{
	uint32_t at = place(w, f);
	uint64_t v = w->batch->columns[f].part[0].v[at];

	switch (et_fields[f].type) {
	case ET_UINT:
		et_set_uint(ev, (enum et_field_id)f, v);
		break;
	case ET_OPT:
		if (v)
			et_set_uint(ev, (enum et_field_id)f, v - 1);
		break;
	case ET_STR:
		if (v) {
			ev->known |= 1ull << f;
			ev->v[f].s = string_of(w->batch, v);
		}
		break;
	default:
		set_list(w, f, at, ev);
	}
}

static int64_t offset_of(const struct et_batch *b, uint64_t ts)
{
	unsigned i = b->spans.n - 1;

	while (i && b->spans.v[i].first > ts)
		i--;
	return b->spans.v[i].offset;
}

bool et_walk_next(struct et_walk *w, unsigned kinds, struct et_event *ev)
{
	const struct et_batch *b = w->batch;
	uint64_t kind;

	for (;; w->row++, w->seen[kind]++) {
		if (w->row == b->rows)
			return false;
		kind = b->columns[ET_F_KIND].part[0].v[w->row];
		if (kinds >> kind & 1)
			break;
	}
	ev->known = 0;
	for (unsigned f = 1; f < ET_FIELD_END; f++)
		if (et_fields[f].kinds >> kind & 1)
			set_field(w, f, ev);
	ev->realtime = offset_of(b, ev->v[ET_F_TS].u);
	w->row++;
	w->seen[kind]++;
	return true;
}
