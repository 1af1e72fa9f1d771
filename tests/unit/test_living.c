/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_living.c - the table of living processes against a slow one: the last event of
 * each, kept whole; and what it makes of much, long and lost.
 */
#include "check.h"
#include "events.h"
#include "living.h"

#define PIDS 300u

/* What the table is to know of a pid. */
struct known {
	bool lives, forked, shares;
	struct et_event own;	/* the last event */
	struct et_event program;	/* the exec or proc whose program it runs */
};

static struct known model[PIDS];
static char text[1u << 20];

static void forget(struct known *k)
{
	if (k->lives) {
		event_free(&k->own);
		if (k->shares)
			event_free(&k->program);
	}
	*k = (struct known){ .lives = false };
}

static bool same_comm(const struct et_event *a, const struct et_event *b)
{
	const struct et_str *x = &a->v[ET_F_COMM].s, *y = &b->v[ET_F_COMM].s;

	return ET_HAS(a, ET_F_COMM) && ET_HAS(b, ET_F_COMM) && x->len == y->len &&
	       !memcmp(x->ptr, y->ptr, x->len);
}

static void model_take(const struct et_event *ev)
{
	struct known next = { .lives = true, .own = event_copy(ev) };
	struct known *k = &model[ev->v[ET_F_PID].u];
	uint64_t ppid = ev->v[ET_F_PPID].u;

	if (ev->v[ET_F_KIND].u == ET_FORK) {
		next.forked = true;
		if (ppid < PIDS && model[ppid].lives && model[ppid].shares &&
		    same_comm(&model[ppid].own, ev)) {
			next.shares = true;
			next.program = event_copy(&model[ppid].program);
		}
	} else {
		next.shares = true;
		next.program = event_copy(ev);
	}
	forget(k);
	*k = next;
}

static bool is_own(unsigned f)
{
	switch (f) {
	case ET_F_PPID:
	case ET_F_UID:
	case ET_F_GID:
	case ET_F_CGROUP:
	case ET_F_COMM:
	case ET_F_START:
		return true;
	default:
		return false;
	}
}

/* The model's proc event, borrowing from the model. */
static struct et_event expected(const struct known *k, struct et_clock at)
{
	struct et_event ev = { .known = 0 };

	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		const struct et_event *from = is_own(f) ? &k->own : &k->program;

		if (!et_fields[f].name || !(et_fields[f].kinds & ET_KIND_BIT(ET_PROC)))
			continue;
		if ((!is_own(f) && !k->shares) || !ET_HAS(from, f))
			continue;
		if (k->forked && (f == ET_F_PID_NS || f == ET_F_MNT_NS || f == ET_F_USER_NS ||
				  f == ET_F_NET_NS || f == ET_F_NS_PID))
			continue;
		ev.known |= 1ull << f;
		ev.v[f] = from->v[f];
	}
	et_set_uint(&ev, ET_F_KIND, ET_PROC);
	et_set_uint(&ev, ET_F_TS, k->own.v[ET_F_TS].u > at.ts ? k->own.v[ET_F_TS].u : at.ts);
	et_set_uint(&ev, ET_F_PID, k->own.v[ET_F_PID].u);
	return ev;
}

struct round {
	unsigned n;
	uint64_t start;
	struct et_clock at;
	bool all;
};

static int compare(void *ctx, const struct et_event *ev)
{
	struct round *r = ctx;
	const struct known *k = &model[ev->v[ET_F_PID].u];
	struct et_event want = expected(k, r->at);
	uint64_t ppid = want.v[ET_F_PPID].u;
	const struct known *parent = ppid < PIDS ? &model[ppid] : NULL;

	CHECK(k->lives);
	if (!ET_HAS(&want, ET_F_START) || !want.v[ET_F_START].u)
		want.known &= ~(1ull << ET_F_START);
	if (parent && parent->lives && ppid) {
		uint64_t theirs = ET_HAS(&parent->own, ET_F_START) ? parent->own.v[ET_F_START].u : 0;
		uint64_t ours = ET_HAS(&want, ET_F_START) ? want.v[ET_F_START].u : 0;

		if (theirs > ours + 10000000)
			want.known &= ~(1ull << ET_F_PPID);
	} else if (ppid && r->all) {
		want.known &= ~(1ull << ET_F_PPID);
	}
	CHECK(!event_differs(&want, ev));
	CHECK(ev->realtime == r->at.offset);
	CHECK(!ET_HAS(ev, ET_F_START) || ev->v[ET_F_START].u >= r->start);
	r->start = ET_HAS(ev, ET_F_START) ? ev->v[ET_F_START].u : 0;
	r->n++;
	return 0;
}

static int count_one(void *ctx, const struct et_event *ev)
{
	(void)ev;
	++*(size_t *)ctx;
	return 0;
}

static size_t count(const struct living *l)
{
	size_t n = 0;

	CHECK(living_each(l, (struct et_clock){ 1, 0 }, count_one, &n) == 0);
	return n;
}

static void check(const struct living *l, bool all)
{
	struct round r = { .at = { 400000000, -12 }, .all = all };
	unsigned lives = 0;

	CHECK(living_each(l, r.at, compare, &r) == 0);
	for (unsigned i = 0; i < PIDS; i++)
		lives += model[i].lives;
	CHECK(r.n == lives);
}

static bool is_even(uint32_t pid)
{
	return pid % 2 == 0;
}

static void random_events(bool all)
{
	static const unsigned kinds[] = { ET_PROC, ET_EXEC, ET_FORK, ET_EXIT, ET_EXIT };
	struct living *l = living_new(all);
	uint64_t ts = 1;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned kind = kinds[rng() % 5];
		struct et_event ev;

		rng_event(&ev, kind, &ts, text);
		et_set_uint(&ev, ET_F_PID, rng() % PIDS);
		/* Nobody is their own parent. */
		et_set_uint(&ev, ET_F_PPID, (ev.v[ET_F_PID].u + 1 + rng() % (PIDS - 1)) % PIDS);
		if (ET_HAS(&ev, ET_F_UID))
			ev.v[ET_F_UID].u &= 0xffff;
		if (ET_HAS(&ev, ET_F_GID))
			ev.v[ET_F_GID].u &= 0xffff;
		if (kind != ET_EXIT || rng() % 2)
			et_set_str(&ev, ET_F_COMM, rng() % 3 ? "sh" : "a", rng() % 3 ? 1 : 0);
		if (kind == ET_EXIT)
			forget(&model[ev.v[ET_F_PID].u]);
		else
			model_take(&ev);
		living_take(l, &ev);
		if (i % 500 == 0)
			check(l, all);
	}
	/* Not before everything was seen up to when they were missed. */
	living_sweep(l, is_even, 1000, 5000);
	check(l, all);
	living_sweep(l, is_even, 2000, 1000);
	check(l, all);
	living_sweep(l, is_even, 3000, 1001);
	for (unsigned i = 1; i < PIDS; i += 2)
		forget(&model[i]);
	check(l, all);
	for (unsigned i = 0; i < PIDS; i++)
		forget(&model[i]);
	living_free(l);
}

struct sums {
	size_t argv, whole, cut;
};

static int sum(void *ctx, const struct et_event *ev)
{
	struct sums *s = ctx;

	if (!ET_HAS(ev, ET_F_ARGV))
		return 0;
	s->argv += ev->v[ET_F_ARGV].l.len;
	if (!ET_HAS(ev, ET_F_ARGV_TRUNCATED) || !ev->v[ET_F_ARGV_TRUNCATED].u) {
		s->whole++;
		return 0;
	}
	s->cut++;
	CHECK(ev->v[ET_F_ARGC].u == 1000 && ev->v[ET_F_ARGV_BYTES].u == 32000);
	return 0;
}

/* 32 KB of arguments each: the first ones keep them, and all together stay bounded. */
static void long_arguments(void)
{
	struct living *l = living_new(true);
	struct et_event ev = { .known = 0 };
	struct sums s = { 0, 0, 0 };

	memset(text, 'a', 32000);
	for (unsigned i = 31; i < 32000; i += 32)
		text[i] = 0;
	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	ev.known |= 1ull << ET_F_ARGV;
	ev.v[ET_F_ARGV].l = (struct et_list){ text, 32000, 1000 };
	for (unsigned pid = 1; pid <= 30000; pid++) {
		et_set_uint(&ev, ET_F_PID, pid);
		living_take(l, &ev);
	}
	CHECK(count(l) == 30000);
	CHECK(living_each(l, (struct et_clock){ 1, 0 }, sum, &s) == 0);
	CHECK(s.whole > 100 && s.cut > 1000 && s.argv < 40u << 20);
	living_free(l);
}

/* More than it keeps, and pids that no kernel has. */
static void many(void)
{
	struct living *l = living_new(true);
	struct et_event ev = { .known = 0 };

	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	for (unsigned pid = 1; pid < 4200000; pid += 7) {
		et_set_uint(&ev, ET_F_PID, pid);
		living_take(l, &ev);
	}
	et_set_uint(&ev, ET_F_PID, UINT64_MAX - 1);
	living_take(l, &ev);
	CHECK(count(l) == 131072);
	et_set_uint(&ev, ET_F_KIND, ET_EXIT);
	for (unsigned pid = 1; pid < 4200000; pid += 7) {
		et_set_uint(&ev, ET_F_PID, pid);
		living_take(l, &ev);
	}
	CHECK(count(l) == 0);
	living_free(l);
}

int main(void)
{
	random_events(true);
	random_events(false);
	long_arguments();
	many();
	living_free(NULL);
	return check_result();
}
