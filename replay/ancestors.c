/* SPDX-License-Identifier: BSD-2-Clause */
#include "ancestors.h"

#include <stdlib.h>
#include <string.h>

#define PID_BITS 22 /* PID_MAX_LIMIT of the kernel's include/linux/threads.h */
#define PAGE_BITS 8
#define PAGE_ENTRIES (1u << PAGE_BITS)
#define PAGES (1u << (PID_BITS - PAGE_BITS))

/* Starts of proc rows are cut down to the kernel's clock tick, at most so long. */
#define TICK_NS 10000000u

/* More generations than this nobody reads, and a damaged capture may have a circle. */
#define GENERATIONS 4096

/* A live process. Rows and times are one more than the value, 0 where not known. */
struct entry {
	uint64_t start;
	uint64_t birth;  /* its row of kind fork, or proc */
	uint64_t exec;   /* its last row of kind exec */
	uint64_t wanted; /* somebody's ancestor at that time, but not known then */
	uint32_t ppid;   /* 0: not known, or none */
	bool used;
	bool coarse; /* start is cut down to the tick */
};

struct page {
	struct entry entries[PAGE_ENTRIES];
	unsigned n; /* in use; at 0 the page goes */
};

struct ancestors {
	bool seek;
	struct page **pages;
	uint8_t *bits;
	size_t bits_cap; /* bytes */
	uint64_t n;      /* rows so far */
	uint64_t kept, for_others;
};

struct ancestors *ancestors_new(bool seek)
{
	struct ancestors *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->seek = seek;
	a->pages = calloc(PAGES, sizeof(*a->pages));
	if (a->pages)
		return a;
	free(a);
	return NULL;
}

void ancestors_free(struct ancestors *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < PAGES; i++)
		free(a->pages[i]);
	free(a->pages);
	free(a->bits);
	free(a);
}

/* ---- Bits --------------------------------------------------------------------------- */

static int room_for_bit(struct ancestors *a, uint64_t row)
{
	size_t need = (size_t)(row / 8) + 1, cap = a->bits_cap ? a->bits_cap : 4096;
	uint8_t *more;

	if (need <= a->bits_cap)
		return ET_OK;
	while (cap < need)
		cap += cap / 2;
	more = realloc(a->bits, cap);
	if (!more)
		return ET_NOMEM;
	memset(more + a->bits_cap, 0, cap - a->bits_cap);
	a->bits = more;
	a->bits_cap = cap;
	return ET_OK;
}

bool ancestors_kept(const struct ancestors *a, uint64_t row)
{
	return row < a->n && a->bits[row / 8] >> row % 8 & 1;
}

/* True: it was not kept yet. */
static bool set_bit(struct ancestors *a, uint64_t row)
{
	uint8_t bit = (uint8_t)(1u << row % 8), *byte = &a->bits[row / 8];
	bool fresh = !(*byte & bit);

	*byte |= bit;
	a->kept += fresh;
	return fresh;
}

static void keep_for_others(struct ancestors *a, uint64_t row_and_one)
{
	if (row_and_one)
		a->for_others += set_bit(a, row_and_one - 1);
}

uint64_t ancestors_rows(const struct ancestors *a, uint64_t *for_others)
{
	*for_others = a->for_others;
	return a->kept;
}

/* ---- Processes ---------------------------------------------------------------------- */

/* NULL: nothing is known of the pid. */
static struct entry *find(const struct ancestors *a, uint64_t pid)
{
	struct page *page = pid >> PID_BITS ? NULL : a->pages[pid >> PAGE_BITS];
	struct entry *e = page ? &page->entries[pid % PAGE_ENTRIES] : NULL;

	return e && e->used ? e : NULL;
}

/* The entry of a pid that Linux can have, made where there is none. NULL: no memory. */
static struct entry *find_or_make(struct ancestors *a, uint64_t pid)
{
	struct page **page = &a->pages[pid >> PAGE_BITS];
	struct entry *e;

	if (!*page)
		*page = calloc(1, sizeof(**page));
	if (!*page)
		return NULL;
	e = &(*page)->entries[pid % PAGE_ENTRIES];
	if (!e->used)
		(*page)->n++;
	e->used = true;
	return e;
}

static void forget(struct ancestors *a, uint64_t pid)
{
	struct entry *e = find(a, pid);
	struct page **page = &a->pages[pid >> PAGE_BITS];

	if (!e)
		return;
	*e = (struct entry){ 0 };
	if (!--(*page)->n) {
		free(*page);
		*page = NULL;
	}
}

/* Whether two starts, each one more than the value, can be those of one process. */
static bool same_start(uint64_t a, bool a_coarse, uint64_t b, bool b_coarse)
{
	uint64_t lo = a < b ? a : b, hi = a < b ? b : a;

	return !a || !b || lo == hi || ((a_coarse || b_coarse) && hi - lo <= TICK_NS);
}

/*
 * The rows of a process and its ancestors. start: of a child, one more than the
 * value or 0; who began after it took over the pid of its parent and is none.
 */
static int keep_line(struct ancestors *a, uint64_t pid, uint64_t start, bool coarse,
		     uint64_t ts)
{
	for (unsigned i = 0; i < GENERATIONS && pid && !(pid >> PID_BITS); i++) {
		struct entry *e = find(a, pid);

		if (e && e->start && start && e->start > start + (coarse ? TICK_NS : 0))
			return ET_OK;
		if (!e) {
			e = find_or_make(a, pid);
			if (!e)
				return ET_NOMEM;
		}
		keep_for_others(a, e->birth);
		keep_for_others(a, e->exec);
		if (!e->birth && !e->wanted)
			e->wanted = ts + 1;
		pid = e->ppid;
		start = e->start;
		coarse = e->coarse;
	}
	return ET_OK;
}

/* What the row tells of its process. NULL: no memory. */
static struct entry *learn(struct ancestors *a, const struct et_event *ev, uint64_t row)
{
	uint64_t kind = ev->v[ET_F_KIND].u,
		 ppid = ET_HAS(ev, ET_F_PPID) ? ev->v[ET_F_PPID].u : 0;
	uint64_t start = ET_HAS(ev, ET_F_START) ? ev->v[ET_F_START].u + 1 : 0;
	bool coarse = kind == ET_PROC;
	struct entry *e = find_or_make(a, ev->v[ET_F_PID].u);

	if (!e)
		return NULL;
	if (kind == ET_FORK || !same_start(e->start, e->coarse, start, coarse))
		*e = (struct entry){ .used = true };
	if (start && (!e->start || e->coarse)) {
		e->start = start;
		e->coarse = coarse;
	}
	if (ppid && !(ppid >> PID_BITS))
		e->ppid = (uint32_t)ppid;
	if ((kind == ET_FORK || kind == ET_PROC) && !e->birth)
		e->birth = row + 1;
	if (kind == ET_EXEC)
		e->exec = row + 1;
	return e;
}

/* A snapshot tells late of processes that were ancestors before: now they are known. */
static int keep_wanted(struct ancestors *a, struct entry *e, uint64_t row)
{
	uint64_t wanted = e->wanted;

	e->wanted = 0;
	if (e->start > wanted)
		return ET_OK;
	keep_for_others(a, row + 1);
	return keep_line(a, e->ppid, e->start, e->coarse, wanted - 1);
}

int ancestors_take(struct ancestors *a, const struct et_event *ev, bool keep)
{
	uint64_t row = a->n, kind = ev->v[ET_F_KIND].u, pid = ev->v[ET_F_PID].u;
	uint64_t ts = ev->v[ET_F_TS].u;
	struct entry *e;
	int r = ET_OK;

	if (room_for_bit(a, row))
		return ET_NOMEM;
	a->n++;
	if (keep)
		set_bit(a, row);
	if (!a->seek || kind == ET_LOST || !ET_HAS(ev, ET_F_PID) || !pid || pid >> PID_BITS)
		return ET_OK;
	e = learn(a, ev, row);
	if (!e)
		return ET_NOMEM;
	if (kind == ET_PROC && e->wanted)
		r = keep_wanted(a, e, row);
	if (!r && keep)
		r = keep_line(a, e->ppid, e->start, e->coarse, ts);
	if (kind == ET_EXIT)
		forget(a, pid);
	return r;
}
