/* SPDX-License-Identifier: BSD-2-Clause */
#include "folded.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "hash.h"
#include "span.h"

#define COMM_MAX 16
#define ROOT 0u          /* the stack without a frame */
#define UNSET UINT32_MAX /* not looked for yet */

/* A stack: that of another with a frame on top. */
struct stack {
	uint32_t below;
	uint16_t depth;
	uint8_t len;
	char comm[COMM_MAX]; /* not always NUL-terminated */
	uint64_t weight;     /* ns, or execs */
};

/* What is known of a process. */
struct member {
	uint32_t stack;  /* UNSET: to be found by its parent and its name */
	uint32_t base;   /* the stack of whoever forked it, as it was then; likewise */
	uint32_t living; /* children */
	bool counts;     /* by FOLDED_WALL: the time since at, while it has no children */
	bool over;
	uint8_t len;
	char comm[COMM_MAX];
	int64_t at;
};

struct folded {
	enum folded_weight weight;
	struct processes *processes;
	struct span span;
	struct stack *stacks;
	uint32_t n, cap;
	uint32_t *slots; /* open addressing, 0: free; a power of two, at least twice n */
	size_t n_slots;
	uint64_t seed[2];
	uint64_t crowded, running;
	int64_t now;
	struct out name; /* scratch */
};

/* ---- Stacks --------------------------------------------------------------------------- */

static uint64_t hash_of(const struct folded *f, uint32_t below, const char *comm, uint8_t len)
{
	char key[sizeof(below) + COMM_MAX];

	memcpy(key, &below, sizeof(below));
	memcpy(key + sizeof(below), comm, len);
	return hash_bytes(f->seed, key, sizeof(below) + len);
}

static uint32_t *slot_of(const struct folded *f, uint32_t below, const char *comm, uint8_t len)
{
	size_t i = hash_of(f, below, comm, len) & (f->n_slots - 1);

	for (; f->slots[i]; i = (i + 1) & (f->n_slots - 1)) {
		const struct stack *s = &f->stacks[f->slots[i]];

		if (s->below == below && s->len == len && !memcmp(s->comm, comm, len))
			break;
	}
	return &f->slots[i];
}

static int grow(struct folded *f)
{
	uint32_t cap = f->cap ? f->cap * 2 : 256;
	struct stack *stacks = reallocarray(f->stacks, cap, sizeof(*stacks));

	if (!stacks)
		return ET_NOMEM;
	f->stacks = stacks;
	free(f->slots);
	f->n_slots = (size_t)cap * 2;
	f->slots = calloc(f->n_slots, sizeof(*f->slots));
	if (!f->slots)
		return ET_NOMEM;
	f->cap = cap;
	if (!f->n)
		stacks[f->n++] = (struct stack){ .below = ROOT };
	for (uint32_t i = 1; i < f->n; i++)
		*slot_of(f, stacks[i].below, stacks[i].comm, stacks[i].len) = i;
	return ET_OK;
}

/* The stack with this frame on top of another. */
static int push(struct folded *f, uint32_t below, const char *comm, uint8_t len, uint32_t *out)
{
	uint32_t *slot;

	if (f->n == f->cap && f->n < FOLDED_STACKS && grow(f))
		return ET_NOMEM;
	slot = slot_of(f, below, comm, len);
	*out = *slot;
	if (*slot)
		return ET_OK;
	*out = below;
	if (f->n == FOLDED_STACKS || f->stacks[below].depth == FOLDED_DEPTH) {
		f->crowded++;
		return ET_OK;
	}
	*out = *slot = f->n;
	f->stacks[f->n] = (struct stack){ .below = below,
					  .depth = (uint16_t)(f->stacks[below].depth + 1),
					  .len = len };
	memcpy(f->stacks[f->n++].comm, comm, len);
	return ET_OK;
}

/* ---- Processes ------------------------------------------------------------------------ */

static void set_comm(struct member *m, const struct et_event *ev)
{
	struct et_str comm = ET_HAS(ev, ET_F_COMM) ? ev->v[ET_F_COMM].s
						   : (struct et_str){ "?", 1 };

	m->len = comm.len < COMM_MAX ? (uint8_t)comm.len : COMM_MAX;
	memcpy(m->comm, comm.ptr, m->len);
}

/*
 * The stack of a process. Of those that ran already it is found when it is needed: the rows
 * that tell of them come in any order. Generations: those that were asked on the way here.
 */
static int stack_of(struct folded *f, const struct process *p, unsigned generations,
		    uint32_t *out)
{
	struct member *m = p->user;
	int r = ET_OK;

	if (m->stack == UNSET) {
		m->base = ROOT;
		if (p->parent && generations < FOLDED_DEPTH)
			r = stack_of(f, p->parent, generations + 1, &m->base);
		if (r)
			return r;
		m->stack = m->base;
		if (m->len)
			r = push(f, m->base, m->comm, m->len, &m->stack);
	}
	*out = m->stack;
	return r;
}

/* What it did since it began, executed, or its last child ended. */
static void weigh_time(struct folded *f, struct member *m, int64_t now)
{
	if (f->weight == FOLDED_WALL && m->counts && !m->living && !m->over && now > m->at)
		f->stacks[m->stack].weight += (uint64_t)(now - m->at);
	m->at = now;
}

static void gain_child(struct folded *f, const struct process *parent, int64_t now)
{
	struct member *m = parent ? parent->user : NULL;

	if (!m)
		return;
	weigh_time(f, m, now);
	m->living++;
}

static void lose_child(struct folded *f, const struct process *parent, int64_t now)
{
	struct member *m = parent ? parent->user : NULL;

	if (!m || !m->living)
		return;
	weigh_time(f, m, now);
	m->living--;
}

/* A process that was forked: the same program as its parent. */
static int begin_forked(struct folded *f, struct process *p, const struct input_row *row)
{
	struct member *m = p->user, *parent = p->parent ? p->parent->user : NULL;
	int r = ET_OK;

	if (parent && !parent->len)
		set_comm(parent, &row->ev);
	if (parent)
		r = stack_of(f, p->parent, 0, &m->base);
	m->stack = m->base;
	/* Whose parent is not known has nothing but its own name. */
	if (!r && !parent)
		r = push(f, ROOT, m->comm, m->len, &m->stack);
	m->counts = row->matches;
	return r;
}

static int on_began(void *ctx, struct process *p, const struct input_row *row)
{
	struct folded *f = ctx;
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return ET_NOMEM;
	p->user = m;
	m->stack = UNSET;
	m->at = f->now;
	gain_child(f, p->parent, f->now);
	/* It may be known as somebody's parent alone. */
	if (p->origin == PROCESS_NAMED)
		return ET_OK;
	set_comm(m, &row->ev);
	return p->origin == PROCESS_FORKED ? begin_forked(f, p, row) : ET_OK;
}

/* Another parent than was known: what it did so far stays with the stack that it had. */
static int on_told(void *ctx, struct process *p, struct process *before)
{
	struct folded *f = ctx;
	struct member *m = p->user;

	if (p->parent == before)
		return ET_OK;
	weigh_time(f, m, f->now);
	if (!m->over) {
		lose_child(f, before, f->now);
		gain_child(f, p->parent, f->now);
	}
	return ET_OK;
}

static int on_ended(void *ctx, struct process *p, const struct input_row *row)
{
	struct folded *f = ctx;
	struct member *m = p->user;
	int64_t at = row ? f->now : span_at(&f->span, p->boot, p->last);
	const struct et_event *ev = row ? &row->ev : NULL;
	uint32_t stack;
	int r = ET_OK;

	weigh_time(f, m, at);
	m->over = true;
	lose_child(f, p->parent, at);
	if (f->weight != FOLDED_CPU || !row || !row->matches)
		return ET_OK;
	r = stack_of(f, p, 0, &stack);
	if (r)
		return r;
	if (ET_HAS(ev, ET_F_UTIME))
		f->stacks[stack].weight += ev->v[ET_F_UTIME].u;
	if (ET_HAS(ev, ET_F_STIME))
		f->stacks[stack].weight += ev->v[ET_F_STIME].u;
	return ET_OK;
}

static void on_gone(void *ctx, struct process *p)
{
	struct folded *f = ctx;
	struct member *m = p->user;

	if (m && !m->over) {
		f->running += p->execs || p->origin == PROCESS_FORKED;
		weigh_time(f, m, span_end(&f->span, p->boot));
		lose_child(f, p->parent, span_end(&f->span, p->boot));
	}
	free(m);
	p->user = NULL;
}

/* ---- Rows ----------------------------------------------------------------------------- */

static int take_exec(struct folded *f, struct process *p, const struct input_row *row)
{
	struct member *m = p->user;
	uint32_t before;
	int r;

	weigh_time(f, m, f->now);
	r = stack_of(f, p, 0, &before);
	if (r)
		return r;
	set_comm(m, &row->ev);
	r = push(f, m->base, m->comm, m->len, &m->stack);
	if (r)
		return r;
	m->counts = row->matches;
	if (f->weight == FOLDED_COUNT && row->matches)
		f->stacks[m->stack].weight++;
	return ET_OK;
}

int folded_row(struct folded *f, const struct input_row *row)
{
	uint64_t kind = row->ev.v[ET_F_KIND].u;
	struct process *p;
	struct member *m;
	int r = f->cap ? ET_OK : grow(f);

	if (!r)
		r = span_take(&f->span, row, &f->now);
	if (!r)
		r = processes_take(f->processes, row, &p);
	if (r || !p)
		return r;
	m = p->user;
	if (kind == ET_EXEC)
		return take_exec(f, p, row);
	/* One that was only somebody's parent until now. */
	if (!m->len)
		set_comm(m, &row->ev);
	return ET_OK;
}

/* ---- Lines ---------------------------------------------------------------------------- */

/* A name without what the readers of these lines take for an end. */
static void put_frame(struct folded *f, struct out *o, const struct stack *s)
{
	f->name.len = 0;
	escape_name(&f->name, s->comm, s->len);
	for (size_t i = 0; i < f->name.len; i++) {
		char c = f->name.buf[i];

		if (c == ';')
			out_text(o, "\\073");
		else if (c == ' ')
			out_text(o, "\\040");
		else
			out_char(o, c);
	}
}

static void put_line(struct folded *f, struct out *o, uint32_t stack, uint64_t weight)
{
	uint32_t frames[FOLDED_DEPTH];
	unsigned n = 0;

	for (; stack != ROOT; stack = f->stacks[stack].below)
		frames[n++] = stack;
	while (n) {
		put_frame(f, o, &f->stacks[frames[--n]]);
		out_char(o, n ? ';' : ' ');
	}
	out_uint(o, weight);
	out_char(o, '\n');
}

void folded_end(struct folded *f, struct out *o)
{
	processes_end(f->processes);
	for (uint32_t i = 1; i < f->n; i++) {
		uint64_t w = f->stacks[i].weight;

		w = f->weight == FOLDED_COUNT ? w : w / 1000;
		if (w)
			put_line(f, o, i, w);
	}
	if (f->name.error && !o->error)
		o->error = f->name.error;
}

uint64_t folded_crowded(const struct folded *f)
{
	return f->crowded;
}

uint64_t folded_running(const struct folded *f)
{
	return f->running;
}

struct folded *folded_new(enum folded_weight weight)
{
	struct folded *f = calloc(1, sizeof(*f));
	struct processes_calls calls = {
		.began = on_began,
		.told = on_told,
		.ended = on_ended,
		.gone = on_gone,
	};

	if (!f)
		return NULL;
	calls.ctx = f;
	f->weight = weight;
	hash_seed(f->seed);
	out_open(&f->name, -1);
	f->processes = processes_new(&calls);
	if (f->processes)
		return f;
	folded_free(f);
	return NULL;
}

void folded_free(struct folded *f)
{
	if (!f)
		return;
	processes_free(f->processes);
	span_free(&f->span);
	out_close(&f->name);
	free(f->stacks);
	free(f->slots);
	free(f);
}
