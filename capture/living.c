/* SPDX-License-Identifier: BSD-2-Clause */
#include "living.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

/* By pid, in pages that go when nobody of theirs lives. */
#define PAGE_PIDS 1024u
#define PAGES 4096u		/* PID_MAX_LIMIT, 4,194,304 */

/* Bytes of argv that are kept of a process: while all together take less than */
static const struct {
	size_t taken;
	uint32_t argv;
} allowances[] = { { 8u << 20, 65536 }, { 16u << 20, 4096 }, { 24u << 20, 256 } };
/* Beyond that, and beyond so many processes, one is left out. */
#define TAKEN_MAX (40u << 20)
#define PROCESSES_MAX 131072u

/* By so much, ns, a start that /proc told may be too early. */
#define TICK 10000000ull

/* These a process has for itself; the rest is of its program. */
#define OWN (1ull << ET_F_PPID | 1ull << ET_F_UID | 1ull << ET_F_GID | 1ull << ET_F_CGROUP)
#define NOT_PROGRAM \
	(OWN | 1ull << ET_F_KIND | 1ull << ET_F_TS | 1ull << ET_F_PID | 1ull << ET_F_START | \
	 1ull << ET_F_COMM)
/* A child may have been made in namespaces of its own: what is known of its parent's. */
#define NOT_INHERITED \
	(1ull << ET_F_PID_NS | 1ull << ET_F_MNT_NS | 1ull << ET_F_USER_NS | \
	 1ull << ET_F_NET_NS | 1ull << ET_F_NS_PID)

struct process {
	uint32_t pid, ppid, uid, gid;
	uint64_t start;		/* 0: not known */
	uint64_t last;		/* ts of the last event about it */
	uint64_t missed;	/* ns: when it was first seen not to live; 0: it lives */
	uint64_t cgroup;
	uint64_t known;		/* of OWN, and comm */
	uint8_t comm_len;
	char comm[16];
	bool forked;		/* has executed nothing since */
	struct program *program;	/* NULL: nothing is known of it */
};

struct page {
	unsigned n;
	struct process *of[PAGE_PIDS];
};

struct living {
	bool all;
	uint64_t carried;	/* fields of a proc event */
	size_t count, taken;
	struct page *pages[PAGES];
};

struct living *living_new(bool all)
{
	struct living *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->all = all;
	for (unsigned f = 1; f < ET_FIELD_END; f++)
		if (et_fields[f].name && et_fields[f].kinds & ET_KIND_BIT(ET_PROC))
			l->carried |= 1ull << f;
	return l;
}

static struct process *find(const struct living *l, uint64_t pid)
{
	const struct page *page = pid < PAGES * PAGE_PIDS ? l->pages[pid / PAGE_PIDS] : NULL;

	return page ? page->of[pid % PAGE_PIDS] : NULL;
}

static void forget(struct living *l, struct process *p)
{
	struct page *page = l->pages[p->pid / PAGE_PIDS];

	page->of[p->pid % PAGE_PIDS] = NULL;
	if (!--page->n) {
		l->pages[p->pid / PAGE_PIDS] = NULL;
		free(page);
	}
	l->taken -= program_drop(p->program) + sizeof(*p);
	l->count--;
	free(p);
}

/* Calls f for each, which may forget it. */
static void for_each(struct living *l, void (*f)(struct living *, struct process *, void *),
		     void *ctx)
{
	for (unsigned i = 0; i < PAGES; i++) {
		for (unsigned k = 0; l->pages[i] && k < PAGE_PIDS; k++)
			if (l->pages[i]->of[k])
				f(l, l->pages[i]->of[k], ctx);
	}
}

static void forget_one(struct living *l, struct process *p, void *ctx)
{
	(void)ctx;
	forget(l, p);
}

void living_free(struct living *l)
{
	if (!l)
		return;
	for_each(l, forget_one, NULL);
	free(l);
}

/* The process of that pid, or a new one in its place. NULL: there is no room. */
static struct process *make(struct living *l, uint64_t pid)
{
	struct page **page = &l->pages[pid / PAGE_PIDS];
	struct process *p;

	if (l->count >= PROCESSES_MAX || l->taken >= TAKEN_MAX)
		return NULL;
	if (!*page)
		*page = calloc(1, sizeof(**page));
	if (!*page)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p) {
		if (!(*page)->n) {
			free(*page);
			*page = NULL;
		}
		return NULL;
	}
	p->pid = (uint32_t)pid;
	(*page)->of[pid % PAGE_PIDS] = p;
	(*page)->n++;
	l->count++;
	l->taken += sizeof(*p);
	return p;
}

static void set_own(struct process *p, const struct et_event *ev)
{
	p->known = ev->known & OWN;
	p->ppid = (uint32_t)ev->v[ET_F_PPID].u;
	p->uid = (uint32_t)ev->v[ET_F_UID].u;
	p->gid = (uint32_t)ev->v[ET_F_GID].u;
	p->cgroup = ev->v[ET_F_CGROUP].u;
	p->last = ev->v[ET_F_TS].u;
	p->start = ET_HAS(ev, ET_F_START) ? ev->v[ET_F_START].u : 0;
	if (ET_HAS(ev, ET_F_COMM) && ev->v[ET_F_COMM].s.len <= sizeof(p->comm)) {
		p->known |= 1ull << ET_F_COMM;
		p->comm_len = (uint8_t)ev->v[ET_F_COMM].s.len;
		memcpy(p->comm, ev->v[ET_F_COMM].s.ptr, p->comm_len);
	}
}

static void set_program(struct living *l, struct process *p, struct program *program)
{
	l->taken -= program_drop(p->program);
	p->program = program;
}

static void run(struct living *l, struct process *p, const struct et_event *ev)
{
	struct program *program = NULL;
	unsigned i = 0;

	while (i < sizeof(allowances) / sizeof(allowances[0]) && l->taken >= allowances[i].taken)
		i++;
	if (i < sizeof(allowances) / sizeof(allowances[0]))
		program = program_new(ev, l->carried & ~NOT_PROGRAM, allowances[i].argv);
	if (program)
		l->taken += program_size(program);
	set_program(l, p, program);
	p->forked = false;
}

static bool same_comm(const struct process *a, const struct process *b)
{
	return a->known & b->known & 1ull << ET_F_COMM && a->comm_len == b->comm_len &&
	       !memcmp(a->comm, b->comm, a->comm_len);
}

/*
 * A child runs what its creator runs. That is its parent but after CLONE_PARENT, when the
 * parent is another process: the name tells, as a rule, since the child has its
 * creator's.
 */
static void inherit(struct living *l, struct process *child)
{
	const struct process *parent = find(l, child->ppid);

	set_program(l, child, parent && same_comm(parent, child) ? program_share(parent->program)
								  : NULL);
	child->forked = true;
}

void living_take(struct living *l, const struct et_event *ev)
{
	uint64_t kind = ev->v[ET_F_KIND].u, pid = ev->v[ET_F_PID].u;
	struct process *p = find(l, pid);

	if (pid >= PAGES * PAGE_PIDS)
		return;
	if (kind == ET_EXIT) {
		if (p)
			forget(l, p);
		return;
	}
	if (!p)
		p = make(l, pid);
	if (!p)
		return;
	set_own(p, ev);
	p->missed = 0;
	if (kind == ET_FORK)
		inherit(l, p);
	else
		run(l, p, ev);
}

struct sweep {
	bool (*lives)(uint32_t pid);
	uint64_t now, seen;
};

static void sweep_one(struct living *l, struct process *p, void *ctx)
{
	const struct sweep *s = ctx;

	if (s->lives(p->pid))
		p->missed = 0;
	else if (!p->missed)
		p->missed = s->now;
	else if (p->missed < s->seen)
		forget(l, p);
}

void living_sweep(struct living *l, bool (*lives)(uint32_t pid), uint64_t now, uint64_t seen)
{
	struct sweep s = { lives, now, seen };

	for_each(l, sweep_one, &s);
}

/*
 * Who had a parent that has ended has another one now, and nobody told which; what
 * began later with its pid is not it.
 */
static bool parent_is_known(const struct living *l, const struct process *p)
{
	const struct process *parent = find(l, p->ppid);

	return !p->ppid || (parent ? parent->start <= p->start + TICK : !l->all);
}

static void show(const struct living *l, const struct process *p, struct et_clock at,
		 struct et_event *ev)
{
	ev->known = 0;
	ev->realtime = at.offset;
	if (p->program)
		program_get(p->program, ev);
	if (p->forked)
		ev->known &= ~NOT_INHERITED;
	et_set_uint(ev, ET_F_KIND, ET_PROC);
	et_set_uint(ev, ET_F_TS, p->last > at.ts ? p->last : at.ts);
	et_set_uint(ev, ET_F_PID, p->pid);
	if (p->start)
		et_set_uint(ev, ET_F_START, p->start);
	if (p->known & 1ull << ET_F_PPID && parent_is_known(l, p))
		et_set_uint(ev, ET_F_PPID, p->ppid);
	if (p->known & 1ull << ET_F_UID)
		et_set_uint(ev, ET_F_UID, p->uid);
	if (p->known & 1ull << ET_F_GID)
		et_set_uint(ev, ET_F_GID, p->gid);
	if (p->known & 1ull << ET_F_CGROUP)
		et_set_uint(ev, ET_F_CGROUP, p->cgroup);
	if (p->known & 1ull << ET_F_COMM)
		et_set_str(ev, ET_F_COMM, p->comm, p->comm_len);
}

static int by_start(const void *a, const void *b)
{
	const struct process *p = *(struct process *const *)a, *q = *(struct process *const *)b;

	if (p->start != q->start)
		return p->start < q->start ? -1 : 1;
	return p->pid < q->pid ? -1 : p->pid > q->pid;
}

int living_each(const struct living *l, struct et_clock at, living_fn *fn, void *ctx)
{
	struct process **list = malloc((l->count + 1) * sizeof(struct process *));
	struct et_event ev;
	size_t n = 0;
	int ret = 0;

	if (!list)
		return ENOMEM;
	for (unsigned i = 0; i < PAGES; i++) {
		for (unsigned k = 0; l->pages[i] && k < PAGE_PIDS; k++)
			if (l->pages[i]->of[k])
				list[n++] = l->pages[i]->of[k];
	}
	qsort(list, n, sizeof(struct process *), by_start);
	for (size_t i = 0; i < n && !ret; i++) {
		show(l, list[i], at, &ev);
		ret = fn(ctx, &ev);
	}
	free(list);
	return ret;
}
