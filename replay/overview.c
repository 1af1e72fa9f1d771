/* SPDX-License-Identifier: BSD-2-Clause */
#include "overview.h"

#include <stdlib.h>
#include <string.h>

/* A key that several threads have seen is kept by each until it is merged. */
#define LARGE_KEYS 8192u
#define LARGE_BYTES (512u << 10)

const struct overview_keys overview_keys[OVERVIEW_RANKINGS] = {
	[OVERVIEW_COMMANDS] = { ET_EXEC, { { KEY_PROGRAM }, 1 } },
	[OVERVIEW_USERS] = { ET_EXEC, { { KEY_USER }, 1 } },
	[OVERVIEW_EXITS] = { ET_EXIT, { { KEY_RESULT }, 1 } },
	[OVERVIEW_ERRORS] = { ET_FAIL, { { KEY_RESULT }, 1 } },
	[OVERVIEW_PATHS] = { ET_FAIL, { { ET_F_FILENAME }, 1 } },
	[OVERVIEW_FAILING] = { ET_FAIL, { { KEY_PROGRAM, KEY_RESULT }, 2 } },
};

uint64_t overview_fields(void)
{
	uint64_t fields = 1ull << ET_F_KIND | 1ull << ET_F_TS | longest_fields() | lineage_fields;

	for (unsigned i = 0; i < OVERVIEW_RANKINGS; i++)
		fields |= keys_fields(&overview_keys[i].keys);
	return fields;
}

struct overview *overview_new(uint32_t longest)
{
	struct overview *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->longest.most = longest < LONGEST_MOST ? longest : LONGEST_MOST;
	out_open(&v->key, -1);
	return v;
}

void overview_clear(struct overview *v)
{
	memset(v->kinds, 0, sizeof(v->kinds));
	v->other_kinds = 0;
	v->any = false;
	for (unsigned i = 0; i < OVERVIEW_RANKINGS; i++)
		tally_free(&v->tallies[i]);
	v->chart = (struct chart){ .any = false };
	longest_free(&v->longest);
	lineage_free(&v->lineage);
}

void overview_free(struct overview *v)
{
	if (!v)
		return;
	overview_clear(v);
	classes_free(&v->classes);
	out_close(&v->key);
	free(v->rows);
	free(v);
}

bool overview_large(const struct overview *v)
{
	uint32_t keys = v->lineage.pairs.keys.n + v->lineage.forks.n + v->lineage.execs.n;
	size_t bytes = v->lineage.pairs.keys.len + v->lineage.names.len;

	for (unsigned i = 0; i < OVERVIEW_RANKINGS; i++) {
		keys += v->tallies[i].keys.n;
		bytes += v->tallies[i].keys.len;
	}
	return keys > LARGE_KEYS || bytes > LARGE_BYTES;
}

int overview_merge(struct overview *v, const struct overview *from)
{
	for (unsigned k = 0; k < ET_KIND_END; k++)
		v->kinds[k] += from->kinds[k];
	v->other_kinds += from->other_kinds;
	if (from->any && (!v->any || from->first < v->first))
		v->first = from->first;
	if (from->any && (!v->any || from->last > v->last))
		v->last = from->last;
	v->any |= from->any;
	for (unsigned i = 0; i < OVERVIEW_RANKINGS; i++)
		if (tally_merge(&v->tallies[i], &from->tallies[i]))
			return -1;
	chart_merge(&v->chart, &from->chart);
	return longest_merge(&v->longest, &from->longest) ||
	       lineage_merge(&v->lineage, &from->lineage) ? -1 : 0;
}

int overview_end(struct overview *v)
{
	return lineage_join(&v->lineage, &v->key);
}

uint64_t overview_events(const struct overview *v)
{
	uint64_t n = v->other_kinds;

	for (unsigned k = 1; k < ET_KIND_END; k++)
		n += k == ET_LOST ? 0 : v->kinds[k];
	return n;
}

double overview_rate(const struct overview *v)
{
	uint64_t span = (uint64_t)v->last - (uint64_t)v->first;

	return span ? (double)(overview_events(v) - v->kinds[ET_PROC]) * 1e9 / (double)span : 0;
}

/* ---- Rows -------------------------------------------------------------------------- */

/* Rows that are wanted, by kind. */
struct lists {
	uint32_t *rows[ET_KIND_END], n[ET_KIND_END];
	uint32_t *kin, n_kin; /* those that lineage wants, in the order of the file */
};

/* Four lists of so many rows at most. */
static int begin_lists(struct overview *v, struct lists *l, size_t most)
{
	if (most * 4 > v->rows_cap) {
		free(v->rows);
		v->rows_cap = 0;
		v->rows = reallocarray(NULL, most, 4 * sizeof(*v->rows));
		if (!v->rows)
			return -1;
		v->rows_cap = most * 4;
	}
	*l = (struct lists){ .kin = v->rows + most * 3 };
	l->rows[ET_EXEC] = v->rows;
	l->rows[ET_FAIL] = v->rows + most;
	l->rows[ET_EXIT] = v->rows + most * 2;
	return 0;
}

/* Of a chunk a filter may leave out forks, but who forked what was executed they still say. */
static void list_kin(struct lists *l, uint64_t kind, uint32_t row, bool selected)
{
	if (kind == ET_FORK || kind == ET_EXIT || (kind == ET_EXEC && selected))
		l->kin[l->n_kin++] = row;
}

static void count_row(struct overview *v, struct lists *l, uint64_t kind, uint32_t row,
		      int64_t wall)
{
	if (kind < ET_KIND_END)
		v->kinds[kind]++;
	else
		v->other_kinds++;
	if (kind < ET_KIND_END && l->rows[kind])
		l->rows[kind][l->n[kind]++] = row;
	if (kind == ET_LOST || kind == ET_PROC)
		return;
	if (!v->any || wall < v->first)
		v->first = wall;
	if (!v->any || wall > v->last)
		v->last = wall;
	v->any = true;
	chart_add(&v->chart, wall);
}

static int rank(struct overview *v, enum overview_ranking which, const struct picked *p)
{
	const struct keys *keys = &overview_keys[which].keys;
	struct classes *c = &v->classes;

	if (classes_make(c, keys, p))
		return -1;
	for (uint32_t i = 0; i < c->n; i++)
		c->mark[i] = 0;
	for (uint32_t i = 0; i < p->n; i++)
		c->mark[c->of[i]]++;
	for (uint32_t i = 0; i < c->n; i++) {
		v->key.len = 0;
		keys_put(keys, p, p->rows[c->first[i]], &v->key);
		if (v->key.error || tally_add(&v->tallies[which], v->key.buf, v->key.len, c->mark[i]))
			return -1;
	}
	return 0;
}

/* What takes more of the rows than to count them. */
static int take_lists(struct overview *v, const struct lists *l, const struct source *source,
		      struct et_chunk *chunk, uint64_t segment)
{
	struct picked p = { .source = source, .chunk = chunk };

	for (unsigned i = 0; i < OVERVIEW_RANKINGS; i++) {
		p.rows = l->rows[overview_keys[i].kind];
		p.n = l->n[overview_keys[i].kind];
		if (p.n && rank(v, (enum overview_ranking)i, &p))
			return -1;
	}
	p.rows = l->rows[ET_EXIT];
	p.n = l->n[ET_EXIT];
	if (p.n && longest_take(&v->longest, &p, &v->key))
		return -1;
	p.rows = l->kin;
	p.n = l->n_kin;
	return p.n ? lineage_take(&v->lineage, &p, segment, &v->key) : 0;
}

int overview_take(struct overview *v, const struct scan_chunk *c)
{
	uint32_t rows = et_chunk_rows(c->chunk);
	const uint64_t *kinds, *ts;
	uint64_t segment;
	struct lists l;

	if (et_chunk_uints(c->chunk, ET_F_KIND, &kinds, NULL) ||
	    et_chunk_uints(c->chunk, ET_F_TS, &ts, NULL))
		return 0;
	if (begin_lists(v, &l, rows))
		return -1;
	for (uint32_t row = 0; row < rows; row++) {
		list_kin(&l, kinds[row], row, c->selected[row]);
		if (c->selected[row])
			count_row(v, &l, kinds[row], row, et_chunk_wall(c->chunk, ts[row]));
	}
	memcpy(&segment, c->rec->file_id, sizeof(segment));
	return take_lists(v, &l, c->source, c->chunk, segment);
}

int overview_row(struct overview *v, const struct input_row *row)
{
	uint64_t kind = row->ev.v[ET_F_KIND].u;
	struct lists l;

	if (begin_lists(v, &l, 1))
		return -1;
	list_kin(&l, kind, row->row, true);
	count_row(v, &l, kind, row->row, row->wall);
	/* Rows do not say of which segment they are. That of another boot with a process of
	 * that number which began in the same ns is none that one meets. */
	return take_lists(v, &l, row->source, row->chunk, (uintptr_t)row->source);
}
