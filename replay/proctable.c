/* SPDX-License-Identifier: BSD-2-Clause */
#include "proctable.h"

#include <stdlib.h>

#define PID_BITS 22 /* PID_MAX_LIMIT of the kernel's include/linux/threads.h */
#define PAGE_BITS 10
#define PAGE_ENTRIES (1u << PAGE_BITS)
#define PAGES (1u << (PID_BITS - PAGE_BITS))

/* Each is one more than the value, 0 where that is not known; both 0: no entry. */
struct entry {
	uint64_t start;
	uint64_t exec; /* ts of its last exec */
};

struct proctable_page {
	struct entry entries[PAGE_ENTRIES];
	unsigned n; /* entries in use; at 0 the page goes */
};

void proctable_free(struct proctable *t)
{
	for (size_t i = 0; t->pages && i < PAGES; i++)
		if (t->pages[i])
			free(t->pages[i]);
	free(t->pages);
	t->pages = NULL;
}

/* What is known of pid; both 0 when nothing is. */
static struct entry get(const struct proctable *t, uint64_t pid)
{
	const struct proctable_page *page = NULL;

	if (t->pages && pid >> PID_BITS == 0)
		page = t->pages[pid >> PAGE_BITS];
	return page ? page->entries[pid % PAGE_ENTRIES] : (struct entry){ 0 };
}

/* The page for pid, made where there is none; NULL: it cannot be kept. */
static struct proctable_page *page_of(struct proctable *t, uint64_t pid)
{
	struct proctable_page **page;

	if (pid >> PID_BITS)
		return NULL;
	if (!t->pages)
		t->pages = calloc(PAGES, sizeof(struct proctable_page *));
	if (!t->pages)
		return NULL;
	page = &t->pages[pid >> PAGE_BITS];
	if (!*page)
		*page = calloc(1, sizeof(**page));
	return *page;
}

static void put(struct proctable *t, uint64_t pid, struct entry e)
{
	bool some = e.start || e.exec;
	struct proctable_page *page;
	struct entry *old;

	/* An entry that says nothing needs no page. */
	if (!some && (!t->pages || pid >> PID_BITS || !t->pages[pid >> PAGE_BITS]))
		return;
	page = page_of(t, pid);
	if (!page)
		return;
	old = &page->entries[pid % PAGE_ENTRIES];
	page->n += some;
	page->n -= old->start || old->exec;
	*old = e;
	if (!page->n) {
		free(page);
		t->pages[pid >> PAGE_BITS] = NULL;
	}
}

static uint64_t take_exit(struct proctable *t, uint64_t ts, uint64_t pid, uint64_t start)
{
	struct entry e = get(t, pid);
	uint64_t since = start + 1;

	/* Another start: the exit of an earlier process of that pid was lost. */
	if (start == ET_NONE || !e.start || e.start == start + 1) {
		if (e.exec)
			since = e.exec;
		else if (e.start)
			since = e.start;
	}
	put(t, pid, (struct entry){ 0 });
	return since && since - 1 <= ts ? ts - (since - 1) : ET_NONE;
}

uint64_t proctable_take(struct proctable *t, uint64_t kind, uint64_t ts, uint64_t pid,
			uint64_t start)
{
	struct entry e;

	if (pid == ET_NONE)
		return ET_NONE;
	if (kind == ET_EXIT)
		return take_exit(t, ts, pid, start);
	if (kind != ET_EXEC && kind != ET_FORK && kind != ET_PROC)
		return ET_NONE;
	e = get(t, pid);
	if (kind == ET_FORK || (start != ET_NONE && e.start && e.start != start + 1))
		e.exec = 0;
	if (start != ET_NONE || kind == ET_FORK)
		e.start = start + 1;
	if (kind == ET_EXEC)
		e.exec = ts + 1;
	put(t, pid, e);
	return ET_NONE;
}
