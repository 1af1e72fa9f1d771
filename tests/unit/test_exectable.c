/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When processes last executed something, against a list of all of them: also
 * where pids are used again, exits were lost, or a start is not known.
 */
#include "check.h"
#include "events.h"

#include "exectable.h"

#define MODEL 4096

/* The naive table: what is known of each pid that has executed something. */
static struct model {
	uint64_t pid, start, exec;
} model[MODEL];
static unsigned n_model;

static struct et_event event_of(unsigned kind, uint64_t pid, uint64_t start, uint64_t ts)
{
	struct et_event ev = { 0 };

	et_set_uint(&ev, ET_F_KIND, kind);
	et_set_uint(&ev, ET_F_TS, ts);
	et_set_uint(&ev, ET_F_PID, pid);
	if (start)
		et_set_uint(&ev, ET_F_START, start);
	return ev;
}

static struct model *find(uint64_t pid)
{
	for (unsigned i = 0; i < n_model; i++)
		if (model[i].pid == pid)
			return &model[i];
	return NULL;
}

/* What exec_ts has to be, 0 for not known. */
static uint64_t expect(unsigned kind, uint64_t pid, uint64_t start, uint64_t ts)
{
	struct model *m = find(pid), was;

	if ((kind != ET_EXEC && kind != ET_EXIT) || !start)
		return 0;
	if (kind == ET_EXEC) {
		if (!m)
			m = &model[n_model++];
		*m = (struct model){ pid, start, ts };
		return ts;
	}
	if (!m)
		return 0;
	was = *m;
	*m = model[--n_model];
	return was.start == start && was.exec <= ts ? was.exec : 0;
}

static unsigned pages_in_use(const struct exectable *t)
{
	unsigned n = 0;

	for (unsigned i = 0; t->pages && i < 1u << 12; i++)
		n += t->pages[i] != NULL;
	return n;
}

static uint64_t random_pid(void)
{
	switch (rng() % 4) {
	case 0:
		return 1 + rng() % 5;
	case 1:
		return (rng() % 3 << 10) + rng() % 3 - (rng() % 2);	/* around a page's end */
	case 2:
		return (1u << 22) - 1 - rng() % 3;
	default:
		return 1 + rng() % 3000;
	}
}

static void test_random(void)
{
	struct exectable t = { 0 };
	uint64_t ts = 1000;
	unsigned known = 0, unknown = 0;

	for (unsigned i = 0; i < 200000; i++) {
		static const unsigned kinds[] = { ET_EXEC, ET_EXEC, ET_EXIT, ET_EXIT, ET_FORK, ET_FAIL,
						  ET_PROC };
		uint64_t pid = random_pid() & ((1u << 22) - 1), exec, start, at;
		unsigned kind = kinds[rng() % 7];
		struct model *m = find(pid);
		struct et_event ev, was;

		ts += 1 + rng() % 10;
		start = m && rng() % 8 ? m->start : rng() % 10 ? 1 + ts - rng() % 1000 : 0;
		at = rng() % 50 ? ts : ts - rng() % 200;
		ev = was = event_of(kind, pid, start, at);
		exec = expect(kind, pid, start, at);
		exectable_take(&t, &ev);
		CHECK(ET_HAS(&ev, ET_F_EXEC_TS) == (exec != 0));
		CHECK(!exec || ev.v[ET_F_EXEC_TS].u == exec);
		/* Nothing else of it has changed. */
		ev.known &= ~(1ull << ET_F_EXEC_TS);
		CHECK(!event_differs(&ev, &was) && ev.known == was.known);
		known += kind == ET_EXIT && exec;
		unknown += kind == ET_EXIT && !exec;
		CHECK(n_model < MODEL);
	}
	CHECK(known > 1000 && unknown > 1000);
	/* When all have ended nothing is kept but the list of pages. */
	while (n_model) {
		struct model m = model[0];
		struct et_event ev = event_of(ET_EXIT, m.pid, m.start, ts);

		expect(ET_EXIT, m.pid, m.start, ts);
		exectable_take(&t, &ev);
		CHECK(ev.v[ET_F_EXEC_TS].u == m.exec);
	}
	CHECK(pages_in_use(&t) == 0);
	exectable_free(&t);
	CHECK(!t.pages);
}

/* No process of Linux has such a pid; nothing is kept of it, and nothing written. */
static void test_pids_that_cannot_be(void)
{
	struct exectable t = { 0 };

	for (uint64_t pid = 1u << 22; pid; pid <<= 1) {
		struct et_event exec = event_of(ET_EXEC, pid, 90, 100);
		struct et_event end = event_of(ET_EXIT, pid, 90, 300);

		exectable_take(&t, &exec);
		exectable_take(&t, &end);
		CHECK(exec.v[ET_F_EXEC_TS].u == 100 && ET_HAS(&exec, ET_F_EXEC_TS));
		CHECK(!ET_HAS(&end, ET_F_EXEC_TS));
	}
	CHECK(!pages_in_use(&t));
	exectable_free(&t);
}

/* As many as can live at once, ended in another order. */
static void test_many(void)
{
	struct exectable t = { 0 };
	const uint64_t pids = 1u << 22, step = 37;

	for (uint64_t pid = 1; pid < pids; pid += step) {
		struct et_event ev = event_of(ET_EXEC, pid, pid + 5, pid + 7);

		exectable_take(&t, &ev);
	}
	CHECK(pages_in_use(&t) == 1u << 12);
	for (uint64_t pid = 1 + (pids - 2) / step * step; pid < pids; pid -= step) {
		struct et_event ev = event_of(ET_EXIT, pid, pid + 5, pids + 7);

		exectable_take(&t, &ev);
		CHECK(ev.v[ET_F_EXEC_TS].u == pid + 7 && ET_HAS(&ev, ET_F_EXEC_TS));
	}
	CHECK(!pages_in_use(&t));
	exectable_free(&t);
	exectable_free(&t);
}

int main(void)
{
	test_random();
	test_pids_that_cannot_be();
	test_many();
	return check_result();
}
