/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree.h"

#include <stdlib.h>

#include "escape.h"
#include "hash.h"
#include "print.h"
#include "processes.h"

/* Names of earlier executions that a chain has before it says that there are more. */
#define CHAIN_NAMES 3

struct tree {
	struct tree_options opt;
	struct processes *processes;
	struct intern texts;
	struct tree_node root;
	struct tree_node **buckets; /* of nodes that are over, by parent and shape */
	size_t n_buckets, n_folded;
	size_t n_nodes;
	uint64_t order, command_bytes;
	uint64_t seed[2];
	struct tree_totals totals;
	struct out scratch;
};

const struct tree_totals *tree_totals(const struct tree *t)
{
	return &t->totals;
}

const char *tree_text(const struct tree *t, uint32_t number)
{
	const char *text = intern_text(&t->texts, number);

	return text ? text : t->opt.ascii ? "..." : "\xe2\x80\xa6";
}

/* ---- Lists of children ---------------------------------------------------------------- */

static void append(struct tree_node *parent, struct tree_node *n)
{
	n->parent = parent;
	n->next = NULL;
	n->before = parent->last;
	if (parent->last)
		parent->last->next = n;
	else
		parent->child = n;
	parent->last = n;
}

static void detach(struct tree_node *n)
{
	if (n->before)
		n->before->next = n->next;
	else
		n->parent->child = n->next;
	if (n->next)
		n->next->before = n->before;
	else
		n->parent->last = n->before;
}

/* ---- The table of shapes -------------------------------------------------------------- */

static struct tree_node **bucket_of(const struct tree *t, const struct tree_node *parent,
				    uint64_t shape)
{
	uint64_t hash = hash_pair(t->seed, (uintptr_t)parent, shape);

	return &t->buckets[hash & (t->n_buckets - 1)];
}

/* Without memory for more buckets it only takes longer. */
static void grow(struct tree *t)
{
	struct tree more = *t;

	more.n_buckets = t->n_buckets * 2;
	more.buckets = calloc(more.n_buckets, sizeof(*more.buckets));
	if (!more.buckets)
		return;
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct tree_node *n = t->buckets[i], *next;

		for (; n; n = next) {
			struct tree_node **to = bucket_of(&more, n->parent, n->shape);

			next = n->bucket;
			n->bucket = *to;
			*to = n;
		}
	}
	free(t->buckets);
	t->buckets = more.buckets;
	t->n_buckets = more.n_buckets;
}

static void enter(struct tree *t, struct tree_node *n)
{
	struct tree_node **to;

	if (++t->n_folded > t->n_buckets)
		grow(t);
	to = bucket_of(t, n->parent, n->shape);
	n->bucket = *to;
	*to = n;
}

/* Before its parent changes or it goes; also of one that is not there. */
static void leave(struct tree *t, struct tree_node *n)
{
	struct tree_node **at = bucket_of(t, n->parent, n->shape);

	while (*at && *at != n)
		at = &(*at)->bucket;
	if (!*at)
		return;
	*at = n->bucket;
	t->n_folded--;
}

static struct tree_node *find_like(const struct tree *t, const struct tree_node *n)
{
	struct tree_node *like = *bucket_of(t, n->parent, n->shape);

	while (like && (like->parent != n->parent || like->shape != n->shape))
		like = like->bucket;
	return like;
}

/* ---- Nodes ---------------------------------------------------------------------------- */

static void drop_command(struct tree *t, struct tree_node *n)
{
	if (n->command)
		t->command_bytes -= strlen(n->command) + 1;
	free(n->command);
	n->command = NULL;
}

/* With all that is below, TREE_LEVELS at most. */
static void drop(struct tree *t, struct tree_node *n)
{
	leave(t, n);
	detach(n);
	while (n->child)
		drop(t, n->child);
	drop_command(t, n);
	t->n_nodes--;
	free(n);
}

static void place(struct tree *t, struct tree_node *n, const struct process *p)
{
	struct tree_node *parent = p->parent ? p->parent->user : &t->root;

	append(parent, n);
}

/* From the root that it is below, as its ancestors are known by now; 0: below none. */
static unsigned level_of(const struct tree *t, const struct tree_node *n)
{
	unsigned level = 0, steps = 0;

	for (const struct tree_node *up = n; up != &t->root && steps < TREE_LEVELS; up = up->parent) {
		steps++;
		if (!t->opt.roots || pids_have(t->opt.roots, up->pid))
			level = steps;
	}
	return level;
}

static int began(void *ctx, struct process *p, const struct input_row *row)
{
	struct tree *t = ctx;
	struct tree_node *n = calloc(1, sizeof(*n));

	(void)row;
	if (!n)
		return ET_NOMEM;
	t->n_nodes++;
	n->order = ++t->order;
	n->pid = p->pid;
	n->origin = p->origin;
	n->count = n->total = 1;
	p->user = n;
	place(t, n, p);
	return ET_OK;
}

static int told(void *ctx, struct process *p, struct process *before)
{
	struct tree_node *n = p->user;

	n->origin = p->origin;
	if (p->parent == before)
		return ET_OK;
	detach(n);
	place(ctx, n, p);
	return ET_OK;
}

/* ---- Folding -------------------------------------------------------------------------- */

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The lowest error is told apart, ENOENT nearly always, in whatever order they come. */
static void count_failed(struct tree_node *n, uint32_t error, uint32_t failed)
{
	if (!failed)
		return;
	if (!n->failed || error < n->error) {
		n->failed_otherwise += n->failed;
		n->error = error;
		n->failed = 0;
	}
	if (error == n->error)
		n->failed += failed;
	else
		n->failed_otherwise += failed;
}

static void fold(struct tree *t, struct tree_node *n);

/* b goes into a, which began earlier and has the same shape. */
static void merge(struct tree *t, struct tree_node *a, struct tree_node *b)
{
	a->count += b->count;
	a->total += b->total;
	a->below += b->below;
	a->matched += b->matched;
	a->time = sum(a->time, b->time);
	a->cpu = sum(a->cpu, b->cpu);
	count_failed(a, b->error, b->failed);
	a->failed_otherwise += b->failed_otherwise;
	if (!a->command || !b->command || strcmp(a->command, b->command))
		drop_command(t, a);
	while (b->child) {
		struct tree_node *child = b->child;

		leave(t, child);
		detach(child);
		append(a, child);
		fold(t, child);
	}
	drop(t, b);
}

static uint64_t shape_of(const struct tree *t, const struct tree_node *n)
{
	uint64_t flags = n->executed | (n->timed ? 2u : 0) | (n->matched ? 4u : 0) |
			 (n->below ? 8u : 0) | (unsigned)n->result << 8 |
			 (unsigned)n->origin << 16;
	uint64_t shape = hash_pair(t->seed, (uint64_t)n->chain << 32 | n->name,
				   (uint64_t)n->user << 32 | n->code);

	shape = hash_pair(t->seed, shape, flags);
	for (const struct tree_node *c = n->child; c; c = c->next)
		shape += hash_pair(t->seed, c->shape, 1);
	return shape;
}

/* Into one that has the same shape; else others may be into this one. */
static void fold(struct tree *t, struct tree_node *n)
{
	struct tree_node *like = find_like(t, n);

	if (!like) {
		enter(t, n);
	} else if (like->order < n->order) {
		merge(t, like, n);
	} else {
		leave(t, like);
		enter(t, n);
		merge(t, n, like);
	}
}

static void count_below(struct tree_node *n)
{
	for (const struct tree_node *c = n->child; c; c = c->next)
		n->below += c->total;
}

/* One that is over, and all below it are, gets where it stays. */
static void settle(struct tree *t, struct tree_node *n, unsigned level)
{
	struct tree_node *parent = n->parent;
	bool deep = t->opt.depth && level > t->opt.depth, full = t->n_nodes > TREE_NODES;

	parent->total += n->total;
	if (deep || full) {
		t->totals.bounds.uncounted += deep ? 0 : n->total;
		parent->below += n->total;
		drop(t, n);
		return;
	}
	if (n->height >= TREE_LEVELS) {
		t->totals.bounds.uncounted += n->total - n->count - n->below;
		count_below(n);
		while (n->child)
			drop(t, n->child);
		n->height = 0;
	}
	if (parent->height <= n->height)
		parent->height = (uint16_t)(n->height + 1);
	if (!t->opt.fold)
		return;
	n->shape = shape_of(t, n);
	fold(t, n);
}

/* Of one above the roots asked for only what is below it counts. */
static void promote(struct tree *t, struct tree_node *n)
{
	while (n->child) {
		struct tree_node *child = n->child;

		leave(t, child);
		detach(child);
		append(&t->root, child);
		settle(t, child, 1);
	}
	t->root.below += n->below;
	drop(t, n);
}

static void gone(void *ctx, struct process *p)
{
	struct tree *t = ctx;
	struct tree_node *n = p->user;
	unsigned level;

	if (!n)
		return;
	t->totals.processes += n->matched != 0;
	t->totals.running += n->matched && n->result == TREE_RUNS;
	if (!n->matched && !n->child && !n->below) {
		drop(t, n);
		return;
	}
	level = t->opt.roots || t->opt.depth ? level_of(t, n) : 1;
	if (level)
		settle(t, n, level);
	else
		promote(t, n);
}

/* ---- What rows tell ------------------------------------------------------------------- */

static uint64_t number(const struct et_event *ev, enum et_field_id id)
{
	return ET_HAS(ev, id) ? ev->v[id].u : 0;
}

static uint32_t number32(const struct et_event *ev, enum et_field_id id)
{
	uint64_t u = number(ev, id);

	return u > UINT32_MAX ? UINT32_MAX : (uint32_t)u;
}

static int ended(void *ctx, struct process *p, const struct input_row *row)
{
	struct tree_node *n = p->user;

	(void)ctx;
	n->result = TREE_UNKNOWN;
	if (!row)
		return ET_OK;
	n->result = TREE_ENDED;
	if (ET_HAS(&row->ev, ET_F_SIGNAL)) {
		n->result = number(&row->ev, ET_F_CORE) ? TREE_CORE : TREE_SIGNAL;
		n->code = number32(&row->ev, ET_F_SIGNAL);
	} else if (ET_HAS(&row->ev, ET_F_EXIT_CODE)) {
		n->result = TREE_CODE;
		n->code = number32(&row->ev, ET_F_EXIT_CODE);
	}
	n->cpu = sum(number(&row->ev, ET_F_UTIME), number(&row->ev, ET_F_STIME));
	n->timed = p->start != ET_NONE && p->start <= p->last;
	n->time = n->timed ? p->last - p->start : 0;
	return ET_OK;
}

static int intern_scratch(struct tree *t, uint32_t *number)
{
	size_t len = t->scratch.len;

	t->scratch.len = 0;
	if (t->scratch.error || intern_add(&t->texts, t->scratch.buf, len, number))
		return ET_NOMEM;
	return ET_OK;
}

static int set_name(struct tree *t, struct tree_node *n, const struct et_event *ev)
{
	struct et_str comm = ev->v[ET_F_COMM].s;

	if (ET_HAS(ev, ET_F_COMM))
		escape_name(&t->scratch, comm.ptr, comm.len);
	else
		out_char(&t->scratch, '?');
	return intern_scratch(t, &n->name);
}

static int set_user(struct tree *t, struct tree_node *n, const struct input_row *row)
{
	uint32_t uid = number32(&row->ev, ET_F_UID);
	const char *name;

	if (!ET_HAS(&row->ev, ET_F_UID) || (n->has_uid && n->uid == uid))
		return ET_OK;
	n->has_uid = true;
	n->uid = uid;
	name = et_context_user(row->source->names, uid);
	if (name)
		escape_name(&t->scratch, name, strlen(name));
	else
		out_uint(&t->scratch, uid);
	return intern_scratch(t, &n->user);
}

/* What it executed until now goes into the chain. */
static int lengthen(struct tree *t, struct tree_node *n)
{
	if (n->links > CHAIN_NAMES)
		return ET_OK;
	if (n->chain) {
		out_text(&t->scratch, tree_text(t, n->chain));
		out_text(&t->scratch, t->opt.ascii ? " -> " : " \xe2\x86\x92 ");
	}
	out_text(&t->scratch, tree_text(t, n->links < CHAIN_NAMES ? n->name : 0));
	n->links++;
	return intern_scratch(t, &n->chain);
}

static int keep_command(struct tree *t, struct tree_node *n, const struct input_row *row)
{
	struct out *o = &t->scratch;
	struct et_error err;
	struct et_event ev;
	size_t len;

	drop_command(t, n);
	if (et_chunk_event(row->chunk, row->row, &ev, &err))
		return ET_NOMEM;
	print_command(o, &ev);
	len = t->opt.width ? escape_fit(o->buf, o->len, t->opt.width) : o->len;
	o->len = 0;
	if (o->error)
		return ET_NOMEM;
	if (len >= TREE_COMMANDS - t->command_bytes) {
		t->totals.bounds.bare++;
		return ET_OK;
	}
	n->command = malloc(len + 1);
	if (!n->command)
		return ET_NOMEM;
	memcpy(n->command, o->buf, len);
	n->command[len] = '\0';
	t->command_bytes += len + 1;
	return ET_OK;
}

static int execute(struct tree *t, struct tree_node *n, const struct input_row *row)
{
	int r = n->executed ? lengthen(t, n) : ET_OK;

	n->executed = true;
	if (!r)
		r = set_name(t, n, &row->ev);
	return r ? r : keep_command(t, n, row);
}

static int learn(struct tree *t, const struct process *p, const struct input_row *row)
{
	struct tree_node *n = p->user;
	uint64_t kind = row->ev.v[ET_F_KIND].u;
	int r = set_user(t, n, row);

	n->matched |= row->matches;
	if (r)
		return r;
	if (kind == ET_FAIL)
		count_failed(n, number32(&row->ev, ET_F_ERRNO), 1);
	if (kind == ET_EXEC || (kind == ET_PROC && p->origin == PROCESS_FOUND && !n->executed))
		return execute(t, n, row);
	return n->name ? ET_OK : set_name(t, n, &row->ev);
}

static void count(struct tree_totals *s, const struct input_row *row)
{
	const struct et_event *ev = &row->ev;
	uint64_t kind = ev->v[ET_F_KIND].u;

	if (!row->matches || kind == ET_LOST)
		return;
	if (!s->any)
		s->offset = row->source->offset;
	s->execs += kind == ET_EXEC;
	s->failed += kind == ET_FAIL;
	if (kind == ET_EXIT)
		s->cpu = sum(s->cpu, sum(number(ev, ET_F_UTIME), number(ev, ET_F_STIME)));
	if (kind == ET_PROC)
		return;
	s->first = !s->any || row->wall < s->first ? row->wall : s->first;
	s->last = !s->any || row->wall > s->last ? row->wall : s->last;
	s->any = true;
}

int tree_take(struct tree *t, const struct input_row *row)
{
	struct process *p;
	int r = processes_take(t->processes, row, &p);

	if (!r && p)
		r = learn(t, p, row);
	count(&t->totals, row);
	return r;
}

/* ---- The whole ------------------------------------------------------------------------ */

struct tree *tree_new(const struct tree_options *opt)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->opt = *opt;
	out_open(&t->scratch, -1);
	hash_seed(t->seed);
	t->n_buckets = 1024;
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	t->processes = processes_new(&(struct processes_calls){
		.began = began, .told = told, .ended = ended, .gone = gone, .ctx = t });
	if (t->buckets && t->processes && !t->scratch.error)
		return t;
	tree_free(t);
	return NULL;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	processes_free(t->processes);
	while (t->root.child)
		drop(t, t->root.child);
	free(t->buckets);
	intern_free(&t->texts);
	out_close(&t->scratch);
	free(t);
}

struct tree_node *tree_end(struct tree *t)
{
	processes_end(t->processes);
	t->totals.bounds.forgotten = processes_forgotten(t->processes);
	return &t->root;
}
