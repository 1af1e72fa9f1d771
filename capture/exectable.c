/* SPDX-License-Identifier: BSD-2-Clause */
#include "exectable.h"

#include <stdlib.h>

#define PID_BITS 22 /* PID_MAX_LIMIT of the kernel's include/linux/threads.h */
#define PAGE_BITS 10
#define PAGE_ENTRIES (1u << PAGE_BITS)
#define PAGES (1u << (PID_BITS - PAGE_BITS))

struct entry {
	uint64_t start;	/* of the process: another one of the same pid has another */
	uint64_t exec;	/* ts of its last exec; 0: no entry */
};

struct exectable_page {
	struct entry entries[PAGE_ENTRIES];
	unsigned n; /* entries in use; at 0 the page goes */
};

void exectable_free(struct exectable *t)
{
	for (size_t i = 0; t->pages && i < PAGES; i++)
		free(t->pages[i]);
	free(t->pages);
	t->pages = NULL;
}

/* The page for pid; NULL: there is none, or it cannot be made. */
static struct exectable_page *page_of(struct exectable *t, uint64_t pid, bool make)
{
	struct exectable_page **page;

	if (pid >> PID_BITS || (!t->pages && !make))
		return NULL;
	if (!t->pages)
		t->pages = calloc(PAGES, sizeof(struct exectable_page *));
	if (!t->pages)
		return NULL;
	page = &t->pages[pid >> PAGE_BITS];
	if (!*page && make)
		*page = calloc(1, sizeof(**page));
	return *page;
}

static void remember(struct exectable *t, uint64_t pid, uint64_t start, uint64_t ts)
{
	struct exectable_page *page = page_of(t, pid, true);
	struct entry *e;

	if (!page)
		return;
	e = &page->entries[pid % PAGE_ENTRIES];
	page->n += !e->exec;
	*e = (struct entry){ start, ts };
}

/* Takes the process out; when it last executed something, 0 when that is not known. */
static uint64_t forget(struct exectable *t, uint64_t pid, uint64_t start)
{
	struct exectable_page *page = page_of(t, pid, false);
	struct entry *e, was;

	if (!page)
		return 0;
	e = &page->entries[pid % PAGE_ENTRIES];
	was = *e;
	page->n -= was.exec != 0;
	*e = (struct entry){ 0 };
	if (!page->n) {
		free(page);
		t->pages[pid >> PAGE_BITS] = NULL;
	}
	/* Another start: the exit of an earlier process of that pid was lost. */
	return was.start == start ? was.exec : 0;
}

void exectable_take(struct exectable *t, struct et_event *ev)
{
	uint64_t kind = ev->v[ET_F_KIND].u, ts = ev->v[ET_F_TS].u;
	uint64_t pid = ev->v[ET_F_PID].u, start = ev->v[ET_F_START].u, exec;

	if ((kind != ET_EXEC && kind != ET_EXIT) || !ET_HAS(ev, ET_F_START))
		return;
	if (kind == ET_EXEC) {
		remember(t, pid, start, ts);
		et_set_uint(ev, ET_F_EXEC_TS, ts);
		return;
	}
	exec = forget(t, pid, start);
	if (exec && exec <= ts)
		et_set_uint(ev, ET_F_EXEC_TS, exec);
}
