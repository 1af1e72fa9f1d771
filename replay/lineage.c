/* SPDX-License-Identifier: BSD-2-Clause */
#include "lineage.h"

#include <stdlib.h>
#include <string.h>


#define OF(field) (1ull << (field))

const struct keys lineage_keys = { { KEY_PARENT, ET_F_COMM }, 2 };
const uint64_t lineage_fields = OF(ET_F_KIND) | OF(ET_F_PID) | OF(ET_F_START) | OF(ET_F_COMM);

/* What a chunk says of a process. */
enum { FORKED = 1, ENDED = 2 };

void lineage_free(struct lineage *l)
{
	tally_free(&l->pairs);
	keyset_free(&l->names);
	pairs_free(&l->processes);
	pairs_free(&l->found);
	free(l->forks.v);
	free(l->execs.v);
	free(l->names_of);
	free(l->states);
	free(l->counts);
	*l = (struct lineage){ 0 };
}

static int begin(struct lineage *l, uint32_t rows)
{
	if (rows > l->cap) {
		free(l->names_of);
		free(l->states);
		free(l->counts);
		l->cap = 0;
		l->names_of = malloc(rows * sizeof(*l->names_of));
		l->states = malloc(rows);
		l->counts = malloc(rows * sizeof(*l->counts));
		if (!l->names_of || !l->states || !l->counts)
			return -1;
		l->cap = rows;
	}
	return pairs_begin(&l->processes, rows) || pairs_begin(&l->found, rows) ? -1 : 0;
}

/* Without room it is as if it had not been there. */
static int keep(struct lineage_list *list, const struct lineage_one *one)
{
	if (list->n == LINEAGE_MOST)
		return 0;
	if (list->n == list->cap) {
		uint32_t cap = list->cap ? list->cap * 2 : 256;
		struct lineage_one *more = reallocarray(list->v, cap, sizeof(*more));

		if (!more)
			return -1;
		list->v = more;
		list->cap = cap;
	}
	list->v[list->n++] = *one;
	return 0;
}

static int add_pair(struct lineage *l, struct et_str parent, struct et_str comm, uint64_t n,
		    struct out *key)
{
	key->len = 0;
	key_put_text(key, parent.ptr, parent.len);
	key_put_text(key, comm.ptr, comm.len);
	return key->error ? -1 : tally_add(&l->pairs, key->buf, key->len, n);
}

struct columns_of {
	const uint64_t *kinds, *pids, *starts;
	const uint32_t *comms;
};

static bool read_columns(const struct picked *p, struct columns_of *c)
{
	return !et_chunk_uints(p->chunk, ET_F_KIND, &c->kinds, NULL) &&
	       !et_chunk_uints(p->chunk, ET_F_PID, &c->pids, NULL) &&
	       !et_chunk_uints(p->chunk, ET_F_START, &c->starts, NULL) &&
	       !et_chunk_ids(p->chunk, ET_F_COMM, &c->comms, NULL);
}

static int keep_row(struct lineage *l, struct lineage_list *list, const struct picked *p,
		    uint64_t segment, const struct columns_of *c, uint32_t row,
		    uint32_t name)
{
	struct lineage_one one = { segment, c->starts[row], (uint32_t)c->pids[row], 0 };
	struct et_str s = et_chunk_str(p->chunk, name);

	if (keyset_add(&l->names, s.ptr, s.len, &one.name))
		return -1;
	return one.name == KEYSET_OTHER ? 0 : keep(list, &one);
}

/* Takes one row; an exec whose fork came before it in the chunk is a pair at once. */
static int take_row(struct lineage *l, const struct picked *p, uint64_t segment,
		    const struct columns_of *c, uint32_t row)
{
	uint32_t comm = c->comms[row], process, pair;
	uint64_t kind = c->kinds[row];
	bool fresh;

	if (c->starts[row] == ET_NONE || c->pids[row] > UINT32_MAX ||
	    (kind != ET_EXIT && !comm)) {
		l->unknown += kind == ET_EXEC;
		return 0;
	}
	process = pairs_number(&l->processes, c->starts[row], (uint32_t)c->pids[row], &fresh);
	if (fresh)
		l->states[process] = 0;
	if (kind == ET_FORK) {
		l->names_of[process] = comm;
		l->states[process] |= FORKED;
	} else if (kind == ET_EXIT) {
		l->states[process] |= ENDED;
	} else if (l->states[process] & FORKED) {
		pair = pairs_number(&l->found, l->names_of[process], comm, &fresh);
		l->counts[pair] = fresh ? 1 : l->counts[pair] + 1;
	} else {
		uint32_t kept = l->execs.n;

		if (keep_row(l, &l->execs, p, segment, c, row, comm))
			return -1;
		l->unknown += l->execs.n == kept;
	}
	return 0;
}

int lineage_take(struct lineage *l, const struct picked *p, uint64_t segment,
		 struct out *key)
{
	struct columns_of c;

	if (!read_columns(p, &c))
		return 0;
	if (begin(l, p->n))
		return -1;
	for (uint32_t i = 0; i < p->n; i++)
		if (take_row(l, p, segment, &c, p->rows[i]))
			return -1;
	for (size_t i = 0; i < l->found.cap; i++) {
		const struct pairs_entry *e = &l->found.entries[i];

		if (e->number && add_pair(l, et_chunk_str(p->chunk, (uint32_t)e->a),
					  et_chunk_str(p->chunk, e->b),
					  l->counts[e->number - 1], key))
			return -1;
	}
	/* Of those that live on a later chunk may have an exec. */
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t row = p->rows[i], process;
		bool fresh;

		if (c.kinds[row] != ET_FORK || !c.comms[row] || c.starts[row] == ET_NONE ||
		    c.pids[row] > UINT32_MAX)
			continue;
		process = pairs_number(&l->processes, c.starts[row], (uint32_t)c.pids[row], &fresh);
		if (l->states[process] == FORKED &&
		    keep_row(l, &l->forks, p, segment, &c, row, l->names_of[process]))
			return -1;
	}
	return 0;
}

static int merge_list(struct lineage *l, struct lineage_list *to, const struct lineage *from,
		      const struct lineage_list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		struct lineage_one one = list->v[i];
		struct et_str s = keyset_get(&from->names, one.name);

		if (keyset_add(&l->names, s.ptr, s.len, &one.name))
			return -1;
		if (one.name != KEYSET_OTHER && keep(to, &one))
			return -1;
	}
	return 0;
}

int lineage_merge(struct lineage *l, const struct lineage *from)
{
	uint32_t before = l->execs.n;

	if (tally_merge(&l->pairs, &from->pairs) ||
	    merge_list(l, &l->forks, from, &from->forks) ||
	    merge_list(l, &l->execs, from, &from->execs))
		return -1;
	l->unknown += from->unknown + (from->execs.n - (l->execs.n - before));
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct lineage_one *x = a, *y = b;

	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

int lineage_join(struct lineage *l, struct out *key)
{
	if (l->forks.n)
		qsort(l->forks.v, l->forks.n, sizeof(*l->forks.v), compare);
	for (uint32_t i = 0; i < l->execs.n; i++) {
		const struct lineage_one *exec = &l->execs.v[i], *fork = NULL;

		if (l->forks.n)
			fork = bsearch(exec, l->forks.v, l->forks.n, sizeof(*fork), compare);
		if (!fork)
			l->unknown++;
		else if (add_pair(l, keyset_get(&l->names, fork->name),
				  keyset_get(&l->names, exec->name), 1, key))
			return -1;
	}
	l->execs.n = l->forks.n = 0;
	return 0;
}
