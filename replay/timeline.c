/* SPDX-License-Identifier: BSD-2-Clause */
#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "span.h"

/* The first length of a slot, ns; it doubles until all fit. */
#define SLOT_MIN 1024

/* What is known of a process. */
struct runner {
	bool matches; /* a row that matches is about it */
	bool over;
	uint8_t len;
	char comm[TIMELINE_COMM];
	int64_t begin;
};

struct timeline {
	struct timeline_options opt;
	struct processes *processes;
	struct span span;
	struct timeline_shown shown;
	size_t cap;
	bool bounded; /* the window has an end */
	uint64_t order, seed[2];
	struct timeline_lane *others; /* the lane of what is not kept apart */
	int error;                    /* at the end: ET_NOMEM */
};

/* ---- The window ----------------------------------------------------------------------- */

static int64_t place_of(const struct timeline *t, int64_t wall)
{
	return (int64_t)((uint64_t)wall - (uint64_t)t->shown.zero);
}

/* The first row tells what the options mean. */
static void set_window(struct timeline *t, const struct input_row *row)
{
	const struct filter *f = t->opt.filter;
	const struct source *s = row->source;
	int32_t offset = t->opt.utc ? 0 : s->offset;

	t->shown.any = true;
	t->shown.zero = span_zero(&t->span);
	t->shown.offset = offset;
	t->shown.slot = SLOT_MIN;
	if (f->has_since)
		t->shown.from = place_of(t, moment_resolve(&f->since, s->start, offset));
	if (f->has_until)
		t->shown.until = place_of(t, moment_resolve(&f->until, s->start, offset));
	t->bounded = f->has_until;
}

/* What of it lies in the window; false: nothing. */
static bool clip(const struct timeline *t, int64_t *begin, int64_t *end)
{
	if (*begin < t->shown.from)
		*begin = t->shown.from;
	if (t->bounded && *end > t->shown.until)
		*end = t->shown.until;
	return *end >= *begin && *end >= t->shown.from &&
	       !(t->bounded && *begin >= t->shown.until);
}

/* ---- Bars ----------------------------------------------------------------------------- */

static uint64_t length_of(const struct timeline_bar *b)
{
	return (uint64_t)b->end - (uint64_t)b->begin;
}

/* Whether a goes before b: it is longer, or began before. */
static bool longer(const struct timeline_bar *a, const struct timeline_bar *b)
{
	if (length_of(a) != length_of(b))
		return length_of(a) > length_of(b);
	return a->order < b->order;
}

/*
 * In a heap whose first is the shortest: what stands at i changes places with one below it,
 * while that is shorter.
 */
static void sift_down(struct timeline_bar *v, size_t n, size_t i)
{
	for (;;) {
		size_t least = i, child = 2 * i + 1;

		for (size_t c = child; c < child + 2 && c < n; c++)
			if (longer(&v[least], &v[c]))
				least = c;
		if (least == i)
			return;
		struct timeline_bar b = v[i];

		v[i] = v[least];
		v[least] = b;
		i = least;
	}
}

static void sift_up(struct timeline_bar *v, size_t i)
{
	while (i && longer(&v[(i - 1) / 2], &v[i])) {
		struct timeline_bar b = v[i];

		v[i] = v[(i - 1) / 2];
		v[(i - 1) / 2] = b;
		i = (i - 1) / 2;
	}
}

static int add_bar(struct timeline *t, const struct timeline_bar *b)
{
	struct timeline_shown *s = &t->shown;

	if (s->n == t->opt.top) {
		if (!s->n || !longer(b, &s->bars[0]))
			return ET_OK;
		s->bars[0] = *b;
		sift_down(s->bars, s->n, 0);
		return ET_OK;
	}
	if (s->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct timeline_bar *more = reallocarray(s->bars, cap, sizeof(*more));

		if (!more)
			return ET_NOMEM;
		s->bars = more;
		t->cap = cap;
	}
	s->bars[s->n] = *b;
	sift_up(s->bars, s->n++);
	return ET_OK;
}

/* ---- Lanes ---------------------------------------------------------------------------- */

/* Slots of twice the length, for all lanes. */
static void widen(struct timeline *t)
{
	for (size_t i = 0; i < t->cap; i++) {
		struct timeline_lane *l = t->shown.lanes[i];

		if (!l)
			continue;
		for (unsigned k = 0; k < TIMELINE_SLOTS / 2; k++)
			l->slots[k] = l->slots[2 * k] + l->slots[2 * k + 1];
		memset(l->slots + TIMELINE_SLOTS / 2, 0, sizeof(l->slots) / 2);
	}
	t->shown.slot *= 2;
}

/* The lane of a command. NULL: no memory. */
static struct timeline_lane *lane_of(struct timeline *t, const char *comm, uint8_t len)
{
	struct timeline_shown *s = &t->shown;
	struct timeline_lane *l;
	size_t i;

	if (!t->cap) {
		/* Half of the places stay free, and one is for the others. */
		t->cap = 2 * TIMELINE_LANES;
		s->lanes = calloc(t->cap, sizeof(struct timeline_lane *));
		if (!s->lanes) {
			t->cap = 0;
			return NULL;
		}
	}
	i = hash_bytes(t->seed, comm, len) & (t->cap - 1);
	for (; (l = s->lanes[i]); i = (i + 1) & (t->cap - 1))
		if (l->len == len && !memcmp(l->comm, comm, len))
			return l;
	if (t->others)
		return t->others;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	if (s->n == TIMELINE_LANES - 1) {
		t->others = l;
	} else {
		l->len = len;
		memcpy(l->comm, comm, len);
	}
	s->lanes[i] = l;
	s->n++;
	return l;
}

static int add_to_lane(struct timeline *t, const struct timeline_bar *b)
{
	struct timeline_lane *l = lane_of(t, b->comm, b->len);
	uint64_t from = (uint64_t)t->shown.from, at = (uint64_t)b->begin - from;
	uint64_t end = (uint64_t)b->end - from;

	if (!l)
		return ET_NOMEM;
	l->count++;
	l->time += length_of(b);
	while (end / t->shown.slot >= TIMELINE_SLOTS)
		widen(t);
	while (at < end) {
		uint64_t slot = at / t->shown.slot, next = (slot + 1) * t->shown.slot;

		if (next > end)
			next = end;
		l->slots[slot] += next - at;
		at = next;
	}
	return ET_OK;
}

/* ---- Processes ------------------------------------------------------------------------ */

static void set_comm(struct runner *r, const struct et_event *ev)
{
	struct et_str comm = ET_HAS(ev, ET_F_COMM) ? ev->v[ET_F_COMM].s
						   : (struct et_str){ "?", 1 };

	r->len = comm.len < TIMELINE_COMM ? (uint8_t)comm.len : TIMELINE_COMM;
	memcpy(r->comm, comm.ptr, r->len);
}

static void set_result(struct timeline_bar *b, const struct et_event *ev)
{
	if (ET_HAS(ev, ET_F_EXIT_CODE)) {
		b->result = TIMELINE_CODE;
		b->code = (uint32_t)ev->v[ET_F_EXIT_CODE].u;
	} else if (ET_HAS(ev, ET_F_SIGNAL)) {
		b->result = TIMELINE_SIGNAL;
		b->code = (uint32_t)ev->v[ET_F_SIGNAL].u;
	}
}

/* It is over, or the capture is. row: of its exit, or NULL. */
static int add_process(struct timeline *t, const struct process *p, int64_t end,
		       enum timeline_result result, const struct input_row *row)
{
	const struct runner *r = p->user;
	struct timeline_bar b = { .end = end, .pid = p->pid, .result = (uint8_t)result };

	if (!r->matches)
		return ET_OK;
	b.begin = r->begin;
	if (row)
		set_result(&b, &row->ev);
	b.len = r->len;
	memcpy(b.comm, r->comm, r->len);
	b.order = t->order++;
	if (!clip(t, &b.begin, &b.end))
		return ET_OK;
	t->shown.processes++;
	return t->opt.by_command ? add_to_lane(t, &b) : add_bar(t, &b);
}

static int on_ended(void *ctx, struct process *p, const struct input_row *row)
{
	struct timeline *t = ctx;
	struct runner *r = p->user;

	if (!r)
		return ET_OK;
	r->over = true;
	/* Its exit may be all that there is of it. */
	if (row && !r->len)
		set_comm(r, &row->ev);
	r->matches |= row && row->matches;
	return add_process(t, p, span_at(&t->span, p->boot, p->last), TIMELINE_UNKNOWN, row);
}

/* What still runs when the capture ends. */
static void on_gone(void *ctx, struct process *p)
{
	struct timeline *t = ctx;
	const struct runner *r = p->user;

	if (r && !r->over && !t->error)
		t->error = add_process(t, p, span_end(&t->span, p->boot), TIMELINE_RUNS, NULL);
	free(p->user);
	p->user = NULL;
}

static int on_began(void *ctx, struct process *p, const struct input_row *row)
{
	struct timeline *t = ctx;
	struct runner *r = calloc(1, sizeof(*r));

	(void)row;
	if (!r)
		return ET_NOMEM;
	p->user = r;
	r->begin = span_at(&t->span, p->boot, p->began);
	return ET_OK;
}

int timeline_row(struct timeline *t, const struct input_row *row)
{
	uint64_t kind = row->ev.v[ET_F_KIND].u;
	struct process *p;
	struct runner *n;
	int64_t at;
	int r = span_take(&t->span, row, &at);

	if (!r && !t->shown.any)
		set_window(t, row);
	if (!r)
		r = processes_take(t->processes, row, &p);
	if (!t->bounded && at > t->shown.until)
		t->shown.until = at;
	if (r || !p)
		return r;
	n = p->user;
	n->begin = span_at(&t->span, p->boot, p->began);
	n->matches |= row->matches;
	if (kind == ET_EXEC || !n->len)
		set_comm(n, &row->ev);
	return ET_OK;
}

/* ---- The end -------------------------------------------------------------------------- */

static int by_length(const void *a, const void *b)
{
	return longer(a, b) ? -1 : 1;
}

static int by_beginning(const void *a, const void *b)
{
	const struct timeline_bar *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1) : (x->order < y->order ? -1 : 1);
}

/* By time, and by name where that is the same, so that output never changes. */
static int by_time(const void *a, const void *b)
{
	const struct timeline_lane *x = *(struct timeline_lane *const *)a;
	const struct timeline_lane *y = *(struct timeline_lane *const *)b;

	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return memcmp(x->comm, y->comm, sizeof(x->comm));
}

static unsigned first_slot(const struct timeline_lane *l)
{
	unsigned i = 0;

	while (i < TIMELINE_SLOTS - 1 && !l->slots[i])
		i++;
	return i;
}

static int by_first_slot(const void *a, const void *b)
{
	unsigned x = first_slot(*(struct timeline_lane *const *)a);
	unsigned y = first_slot(*(struct timeline_lane *const *)b);

	return x != y ? (x < y ? -1 : 1) : by_time(a, b);
}

static void end_lanes(struct timeline *t, bool longest)
{
	struct timeline_shown *s = &t->shown;
	size_t n = 0;

	for (size_t i = 0; i < t->cap; i++)
		if (s->lanes[i])
			s->lanes[n++] = s->lanes[i];
	t->cap = n;
	s->commands = n;
	if (!n)
		return;
	qsort(s->lanes, n, sizeof(struct timeline_lane *), by_time);
	s->n = n < t->opt.top ? n : t->opt.top;
	if (!longest && s->n)
		qsort(s->lanes, s->n, sizeof(struct timeline_lane *), by_first_slot);
}

int timeline_end(struct timeline *t, bool longest)
{
	struct timeline_shown *s = &t->shown;

	processes_end(t->processes);
	if (s->until <= s->from)
		s->until = s->from + 1;
	if (t->opt.by_command)
		end_lanes(t, longest);
	else if (s->n)
		qsort(s->bars, s->n, sizeof(*s->bars), longest ? by_length : by_beginning);
	return t->error;
}

const struct timeline_shown *timeline_shown(const struct timeline *t)
{
	return &t->shown;
}

struct timeline *timeline_new(const struct timeline_options *opt)
{
	struct timeline *t = calloc(1, sizeof(*t));
	struct processes_calls calls = { .began = on_began,
					 .ended = on_ended,
					 .gone = on_gone };

	if (!t)
		return NULL;
	calls.ctx = t;
	t->opt = *opt;
	if (t->opt.top > TIMELINE_BARS)
		t->opt.top = TIMELINE_BARS;
	hash_seed(t->seed);
	t->processes = processes_new(&calls);
	if (t->processes)
		return t;
	free(t);
	return NULL;
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	processes_free(t->processes);
	span_free(&t->span);
	for (size_t i = 0; t->opt.by_command && i < t->cap; i++)
		free(t->shown.lanes[i]);
	free(t->shown.lanes);
	free(t->shown.bars);
	free(t);
}
