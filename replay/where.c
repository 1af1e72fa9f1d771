/* SPDX-License-Identifier: BSD-2-Clause */
#include "where.h"

#include <stdlib.h>
#include <string.h>

/* A column that is asked for, by its type. */
struct column {
	uint8_t id;
	const uint64_t *uints;
	const uint32_t *ids; /* of strings, one a row; of lists, those of all */
	const struct et_span *spans;
};

void where_free(struct where_scratch *w)
{
	free(w->p);
	*w = (struct where_scratch){ 0 };
}

static const char *find_user(void *ctx, uint64_t uid)
{
	return et_context_user(((const struct where_scope *)ctx)->names, uid);
}

static const char *find_group(void *ctx, uint64_t gid)
{
	return et_context_group(((const struct where_scope *)ctx)->names, gid);
}

static const char *find_cgroup(void *ctx, uint64_t id)
{
	return et_context_cgroup(((const struct where_scope *)ctx)->names, id);
}

static int read_column(struct et_chunk *chunk, struct column *c, struct et_error *err)
{
	switch (et_fields[c->id].type) {
	case ET_STR:
		return et_chunk_ids(chunk, c->id, &c->ids, err);
	case ET_LIST:
		return et_chunk_lists(chunk, c->id, &c->spans, &c->ids, err);
	default:
		return et_chunk_uints(chunk, c->id, &c->uints, err);
	}
}

/* Those of the mask; *n of them. */
static int read_columns(struct et_chunk *chunk, uint64_t fields, struct column *columns,
			unsigned *n, struct et_error *err)
{
	uint32_t strings;
	int r = et_chunk_strings(chunk, &strings, err);

	*n = 0;
	for (unsigned id = 1; !r && id < ET_FIELD_END; id++) {
		if (!(fields >> id & 1))
			continue;
		columns[*n] = (struct column){ .id = (uint8_t)id };
		r = read_column(chunk, &columns[(*n)++], err);
	}
	return r;
}

static int list_add(struct where_scratch *w, struct et_str item, struct et_error *err)
{
	size_t need = w->len + item.len + 1;

	if (need > w->cap) {
		size_t cap = need < 2048 ? 4096 : need * 2;
		char *more = realloc(w->p, cap);

		if (!more) {
			*err = (struct et_error){ ET_NOMEM, 0, 0, "out of memory" };
			return ET_NOMEM;
		}
		w->p = more;
		w->cap = cap;
	}
	if (item.len)
		memcpy(w->p + w->len, item.ptr, item.len);
	w->p[need - 1] = '\0';
	w->len = need;
	return ET_OK;
}

/* Where a list begins in the memory of the row's lists is known when all are there. */
static int add_list(struct where_scratch *w, struct et_chunk *chunk, const struct column *c,
		    uint32_t row, struct et_event *ev, struct et_error *err)
{
	struct et_span span = c->spans[row];
	size_t start = w->len;
	int r = ET_OK;

	if (span.n == UINT32_MAX)
		return ET_OK;
	for (uint32_t i = 0; !r && i < span.n; i++)
		r = list_add(w, et_chunk_str(chunk, c->ids[span.first + i]), err);
	ev->v[c->id].l = (struct et_list){ NULL, (uint32_t)(w->len - start), span.n };
	ev->known |= 1ull << c->id;
	return r;
}

static void place_lists(const struct where_scratch *w, const struct column *columns, unsigned n,
			struct et_event *ev)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!columns[i].spans || !ET_HAS(ev, columns[i].id))
			continue;
		ev->v[columns[i].id].l.ptr = w->p + at;
		at += ev->v[columns[i].id].l.len;
	}
}

static int make_row(struct where_scratch *w, struct et_chunk *chunk,
		    const struct column *columns, unsigned n, uint32_t row,
		    struct et_event *ev, struct et_error *err)
{
	int r = ET_OK;

	ev->known = 0;
	w->len = 0;
	for (unsigned i = 0; !r && i < n; i++) {
		const struct column *c = &columns[i];

		if (c->spans) {
			r = add_list(w, chunk, c, row, ev, err);
		} else if (c->ids) {
			if (c->ids[row])
				ev->v[c->id].s = et_chunk_str(chunk, c->ids[row]);
			ev->known |= (uint64_t)(c->ids[row] != 0) << c->id;
		} else {
			ev->v[c->id].u = c->uints[row];
			ev->known |= (uint64_t)(c->uints[row] != ET_NONE) << c->id;
		}
	}
	if (w->len)
		place_lists(w, columns, n, ev);
	if (ET_HAS(ev, ET_F_TS))
		ev->realtime = et_chunk_wall(chunk, ev->v[ET_F_TS].u) -
			       (int64_t)ev->v[ET_F_TS].u;
	return r;
}

int where_select(const struct where_scope *s, struct where_scratch *w, const struct expr *e,
		 struct et_chunk *chunk, bool keep_lost, uint8_t *selected,
		 struct et_error *err)
{
	struct where_scope own = *s;
	const struct expr_scope scope = {
		.ctx = &own,
		.user = find_user,
		.group = find_group,
		.cgroup = find_cgroup,
		.start = s->start,
		.offset = s->offset,
	};
	uint32_t rows = et_chunk_rows(chunk);
	struct column columns[ET_FIELD_END];
	struct et_event ev = { 0 };
	unsigned n;
	int r = read_columns(chunk, expr_fields(e), columns, &n, err);

	for (uint32_t i = 0; !r && i < rows; i++) {
		if (!selected[i])
			continue;
		r = make_row(w, chunk, columns, n, i, &ev, err);
		if (r)
			break;
		if (ev.v[ET_F_KIND].u == ET_LOST)
			selected[i] = keep_lost || expr_match_gap(e, &ev, &scope);
		else
			selected[i] = expr_match(e, &ev, &scope);
	}
	return r;
}
