/* SPDX-License-Identifier: BSD-2-Clause */
#include "processes.h"

#include <stdlib.h>

#include "hash.h"

/* Starts of proc rows are cut down to the kernel's clock tick, at most so long. */
#define TICK_NS 10000000u

/* Who descends from whom is looked for over so many generations; beyond that it may be. */
#define GENERATIONS 1024

/* Before one that has children is forgotten, so many others are looked at. */
#define FORGET_LOOKS 64

/* Those that have ended last are remembered, for rows that come late: a power of two. */
#define RECENT 4096

struct recent {
	uint64_t boot, start, last;
	uint32_t pid; /* 0: free */
};

/* By when something was heard of them. */
struct line {
	struct process *oldest, *newest;
	size_t n;
};

struct processes {
	struct processes_calls calls;
	struct process **buckets; /* of those that are alive; n_buckets is a power of two */
	size_t n_buckets;
	uint64_t seed[2];
	struct line alive, over; /* over: ended, and others descend from them */
	struct process *lent;    /* over, but borrowed until the next row */
	struct recent recent[RECENT];
	uint64_t forgotten;
};

/* What a row says of its process. */
struct word {
	const struct input_row *row;
	uint64_t boot, kind, ts, start; /* start: ET_NONE where it is not known */
	uint32_t pid, ppid;             /* ppid: 0 where it is not known */
};

struct processes *processes_new(const struct processes_calls *calls)
{
	struct processes *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->calls = *calls;
	hash_seed(t->seed);
	t->n_buckets = 1024;
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	if (t->buckets)
		return t;
	free(t);
	return NULL;
}

void processes_free(struct processes *t)
{
	if (!t)
		return;
	processes_end(t);
	free(t->buckets);
	free(t);
}

uint64_t processes_forgotten(const struct processes *t)
{
	return t->forgotten;
}

/* ---- By pid --------------------------------------------------------------------------- */

static struct process **bucket_of(const struct processes *t, uint64_t boot, uint32_t pid)
{
	return &t->buckets[hash_pair(t->seed, boot, pid) & (t->n_buckets - 1)];
}

static struct process *find(const struct processes *t, uint64_t boot, uint32_t pid)
{
	struct process *p = *bucket_of(t, boot, pid);

	while (p && (p->pid != pid || p->boot != boot))
		p = p->bucket;
	return p;
}

/* Without memory for more buckets it only takes longer. */
static void grow(struct processes *t)
{
	struct processes more = *t;

	more.n_buckets = t->n_buckets * 2;
	more.buckets = calloc(more.n_buckets, sizeof(*more.buckets));
	if (!more.buckets)
		return;
	for (struct process *p = t->alive.oldest; p; p = p->newer) {
		struct process **to = bucket_of(&more, p->boot, p->pid);

		p->bucket = *to;
		*to = p;
	}
	free(t->buckets);
	t->buckets = more.buckets;
	t->n_buckets = more.n_buckets;
}

static void enter(struct processes *t, struct process *p)
{
	struct process **to;

	if (t->alive.n > t->n_buckets)
		grow(t);
	to = bucket_of(t, p->boot, p->pid);
	p->bucket = *to;
	*to = p;
}

static void leave(struct processes *t, struct process *p)
{
	struct process **at = bucket_of(t, p->boot, p->pid);

	while (*at != p)
		at = &(*at)->bucket;
	*at = p->bucket;
}

static struct recent *recent_of(struct processes *t, uint64_t boot, uint32_t pid)
{
	return &t->recent[hash_pair(t->seed, boot, pid) & (RECENT - 1)];
}

/* ---- Lines and families --------------------------------------------------------------- */

static void push(struct line *l, struct process *p)
{
	p->newer = NULL;
	p->older = l->newest;
	if (l->newest)
		l->newest->newer = p;
	else
		l->oldest = p;
	l->newest = p;
	l->n++;
}

static void pull(struct line *l, struct process *p)
{
	if (p->older)
		p->older->newer = p->newer;
	else
		l->oldest = p->newer;
	if (p->newer)
		p->newer->older = p->older;
	else
		l->newest = p->older;
	l->n--;
}

static void heard_of(struct processes *t, struct process *p)
{
	if (!p->alive || t->alive.newest == p)
		return;
	pull(&t->alive, p);
	push(&t->alive, p);
}

static void join(struct process *p, struct process *parent)
{
	p->parent = parent;
	p->before = NULL;
	p->after = parent ? parent->child : NULL;
	if (p->after)
		p->after->before = p;
	if (parent)
		parent->child = p;
}

static void part(struct process *p)
{
	if (!p->parent)
		return;
	if (p->before)
		p->before->after = p->after;
	else
		p->parent->child = p->after;
	if (p->after)
		p->after->before = p->before;
	p->parent = p->before = p->after = NULL;
}

/* Also true when that is too far to tell. */
static bool descends(const struct process *p, const struct process *from)
{
	for (unsigned i = 0; i < GENERATIONS; i++, p = p->parent) {
		if (!p)
			return false;
		if (p == from)
			return true;
	}
	return true;
}

/* ---- Ends ----------------------------------------------------------------------------- */

/* One that is over and nobody's parent goes, and then may its parent. */
static void release(struct processes *t, struct process *p)
{
	while (p && !p->alive && !p->child && p != t->lent) {
		struct process *parent = p->parent;

		if (t->calls.gone)
			t->calls.gone(t->calls.ctx, p);
		part(p);
		pull(&t->over, p);
		free(p);
		p = parent;
	}
}

static void bury(struct processes *t, struct process *p)
{
	leave(t, p);
	pull(&t->alive, p);
	p->alive = false;
	push(&t->over, p);
}

/* row: of its exit, or NULL. It stays for release. */
static int finish(struct processes *t, struct process *p, enum process_end end,
		  const struct input_row *row)
{
	p->end = end;
	if (end != PROCESS_FORGOTTEN)
		*recent_of(t, p->boot, p->pid) =
			(struct recent){ p->boot, p->start, p->last, p->pid };
	bury(t, p);
	return t->calls.ended ? t->calls.ended(t->calls.ctx, p, row) : ET_OK;
}

static int told(struct processes *t, struct process *p, struct process *before)
{
	return t->calls.told ? t->calls.told(t->calls.ctx, p, before) : ET_OK;
}

static int forget(struct processes *t, struct process *p)
{
	int r = p->alive ? finish(t, p, PROCESS_FORGOTTEN, NULL) : ET_OK;

	t->forgotten++;
	while (!r && p->child) {
		struct process *child = p->child;

		part(child);
		r = told(t, child, p);
	}
	if (!r)
		release(t, p);
	return r;
}

static int forget_one(struct processes *t)
{
	struct process *p = t->alive.oldest;

	if (t->over.n > t->alive.n)
		return forget(t, t->over.oldest);
	for (unsigned i = 0; i < FORGET_LOOKS && p; i++, p = p->newer)
		if (!p->child)
			return forget(t, p);
	return forget(t, t->alive.oldest);
}

/* A row brings at most two: its process, and the parent that it names. */
static int make_room(struct processes *t)
{
	int r = ET_OK;

	while (!r && t->alive.n + t->over.n > PROCESSES_MAX - 2)
		r = forget_one(t);
	return r;
}

void processes_end(struct processes *t)
{
	struct process *p = t->lent;

	t->lent = NULL;
	release(t, p);
	while ((p = t->alive.oldest)) {
		bury(t, p);
		release(t, p);
	}
}

/* ---- Beginnings ----------------------------------------------------------------------- */

static int make(struct processes *t, const struct word *w, uint32_t pid,
		enum process_origin origin, struct process **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return ET_NOMEM;
	**out = (struct process){
		.boot = w->boot,
		.start = ET_NONE,
		.began = w->ts,
		.last = w->ts,
		.realtime = (int64_t)((uint64_t)w->row->wall - w->ts),
		.pid = pid,
		.origin = (uint8_t)origin,
		.alive = true,
	};
	enter(t, *out);
	push(&t->alive, *out);
	return ET_OK;
}

static int began(struct processes *t, struct process *p, const struct word *w)
{
	return t->calls.began ? t->calls.began(t->calls.ctx, p, w->row) : ET_OK;
}

/* Whether a began later than b, as far as that is known. */
static bool later(const struct process *a, const struct process *b)
{
	uint64_t slack = a->coarse || b->coarse ? TICK_NS : 0;

	return a->start != ET_NONE && b->start != ET_NONE && a->start > b->start &&
	       a->start - b->start > slack;
}

/* Whom the row names as the parent. NULL: nobody, or one that cannot be it. */
static int parent_of(struct processes *t, const struct word *w, const struct process *child,
		     struct process **out)
{
	struct process *p;
	int r;

	*out = NULL;
	if (!w->ppid || w->ppid == w->pid)
		return ET_OK;
	p = find(t, w->boot, w->ppid);
	if (!p) {
		r = make(t, w, w->ppid, PROCESS_NAMED, &p);
		if (!r)
			r = began(t, p, w);
		if (r)
			return r;
	}
	if (!later(p, child))
		*out = p;
	return ET_OK;
}

static enum process_origin origin_of(const struct word *w)
{
	return w->kind == ET_FORK ? PROCESS_FORKED
	       : w->kind == ET_PROC ? PROCESS_FOUND
				    : PROCESS_SEEN;
}

static void set_start(struct process *p, const struct word *w)
{
	p->start = p->began = w->start;
	p->coarse = w->kind == ET_PROC;
}

static int begin(struct processes *t, const struct word *w, struct process **out)
{
	struct process *parent;
	int r = make(t, w, w->pid, origin_of(w), out);

	if (r)
		return r;
	if (w->start != ET_NONE)
		set_start(*out, w);
	(*out)->ppid = w->ppid;
	r = parent_of(t, w, *out, &parent);
	if (r)
		return r;
	if (parent)
		heard_of(t, parent);
	join(*out, parent);
	return began(t, *out, w);
}

/* A row tells of another parent than was known. */
static int move(struct processes *t, struct process *p, const struct word *w)
{
	struct process *parent;
	int r = parent_of(t, w, p, &parent);

	if (r)
		return r;
	if (parent && descends(parent, p))
		parent = NULL;
	part(p);
	p->ppid = w->ppid;
	join(p, parent);
	return ET_OK;
}

/* What a row tells that those before it did not. */
static int learn(struct processes *t, struct process *p, const struct word *w)
{
	struct process *before = p->parent;
	enum process_origin origin = origin_of(w), old = p->origin;
	bool news = origin > old;
	int r = ET_OK;

	if (w->start != ET_NONE &&
	    (p->start == ET_NONE || (p->coarse && w->kind != ET_PROC && w->start != p->start))) {
		set_start(p, w);
		news = true;
	}
	if (p->parent && later(p->parent, p)) {
		part(p);
		news = true;
	}
	if (origin > old)
		p->origin = (uint8_t)origin;
	if (w->ppid && w->ppid != p->ppid && (!p->ppid || (w->kind == ET_FORK && origin > old))) {
		r = move(t, p, w);
		news = true;
	}
	if (!r && news)
		r = told(t, p, before);
	if (!r && before && before != p->parent)
		release(t, before);
	return r;
}

/* ---- Rows ----------------------------------------------------------------------------- */

static bool same_start(uint64_t a, bool a_coarse, uint64_t b, bool b_coarse)
{
	uint64_t lo = a < b ? a : b, hi = a < b ? b : a;

	return lo == hi || ((a_coarse || b_coarse) && hi - lo <= TICK_NS);
}

static bool later_than_child(const struct process *p, const struct word *w)
{
	uint64_t slack = w->kind == ET_PROC ? 0 : TICK_NS;

	for (const struct process *c = p->child; c; c = c->after)
		if (c->start != ET_NONE && w->start > c->start &&
		    w->start - c->start > (c->coarse ? slack : 0))
			return true;
	return false;
}

enum likeness { SAME, EARLIER, ANOTHER };

/* Whether the row is about that process, about one that had the pid before, or after it. */
static enum likeness compare(const struct process *p, const struct word *w)
{
	if (p->start != ET_NONE && w->start != ET_NONE)
		return same_start(p->start, p->coarse, w->start, w->kind == ET_PROC) ? SAME
		       : w->start < p->start					     ? EARLIER
											     : ANOTHER;
	/* Who begins now, or later than a child of his, is nobody that was known. */
	if (w->start != ET_NONE)
		return w->start > p->began || later_than_child(p, w) ? ANOTHER : SAME;
	return w->kind == ET_FORK ? ANOTHER : SAME;
}

/* Whether the row is about a process that has ended. */
static bool is_over(struct processes *t, const struct word *w)
{
	const struct recent *r = recent_of(t, w->boot, w->pid);

	if (r->pid != w->pid || r->boot != w->boot)
		return false;
	if (r->start != ET_NONE && w->start != ET_NONE)
		return same_start(r->start, false, w->start, w->kind == ET_PROC) ||
		       w->start < r->start;
	return w->ts <= r->last;
}

static uint64_t number(const struct et_event *ev, enum et_field_id id, uint64_t otherwise)
{
	return ET_HAS(ev, id) ? ev->v[id].u : otherwise;
}

/* False: it is about no process. */
static bool read_row(const struct input_row *row, struct word *w)
{
	const struct et_event *ev = &row->ev;
	uint64_t pid = number(ev, ET_F_PID, 0), ppid = number(ev, ET_F_PPID, 0);

	*w = (struct word){
		.row = row,
		.boot = row->source->boot,
		.kind = ev->v[ET_F_KIND].u,
		.ts = ev->v[ET_F_TS].u,
		.start = number(ev, ET_F_START, ET_NONE),
		.pid = (uint32_t)pid,
		.ppid = ppid > UINT32_MAX ? 0 : (uint32_t)ppid,
	};
	return w->kind != ET_LOST && pid && pid <= UINT32_MAX;
}

static int find_process(struct processes *t, const struct word *w, struct process **out)
{
	struct process *p = find(t, w->boot, w->pid);
	enum likeness like = p ? compare(p, w) : ANOTHER;
	int r;

	*out = NULL;
	if (like == EARLIER || (!p && is_over(t, w)))
		return ET_OK;
	if (like == SAME) {
		*out = p;
		heard_of(t, p);
		if (w->ts > p->last)
			p->last = w->ts;
		return learn(t, p, w);
	}
	if (p) {
		r = finish(t, p, PROCESS_REPLACED, NULL);
		if (r)
			return r;
		release(t, p);
	}
	return begin(t, w, out);
}

int processes_take(struct processes *t, const struct input_row *row, struct process **about)
{
	struct process *over = t->lent, *p = NULL;
	struct word w;
	int r;

	*about = NULL;
	t->lent = NULL;
	release(t, over);
	if (!read_row(row, &w))
		return ET_OK;
	r = make_room(t);
	if (!r)
		r = find_process(t, &w, &p);
	*about = r ? NULL : p;
	if (r || !p)
		return r;
	if (w.kind == ET_EXEC) {
		p->execs++;
		if (t->calls.executed)
			r = t->calls.executed(t->calls.ctx, p, row);
	} else if (w.kind == ET_EXIT) {
		t->lent = p;
		r = finish(t, p, PROCESS_EXITED, row);
	}
	return r;
}
