/* SPDX-License-Identifier: BSD-2-Clause */
#include "proctable.h"

#include <stdlib.h>
#include <string.h>

struct proctable_entry {
	uint64_t pid;   /* ET_NONE: free */
	uint64_t start; /* ET_NONE: not known */
	uint64_t exec;  /* ts of its last exec, or ET_NONE */
};

void proctable_free(struct proctable *t)
{
	free(t->entries);
	*t = (struct proctable){ 0 };
}

void proctable_clear(struct proctable *t)
{
	for (size_t i = 0; i < t->cap; i++)
		t->entries[i].pid = ET_NONE;
	t->n = 0;
}

static size_t home(const struct proctable *t, uint64_t pid)
{
	return (size_t)(pid * 0x9e3779b97f4a7c15u >> 20) & (t->cap - 1);
}

/* The entry of pid, or the free one where it goes. */
static size_t find(const struct proctable *t, uint64_t pid)
{
	size_t i = home(t, pid);

	while (t->entries[i].pid != ET_NONE && t->entries[i].pid != pid)
		i = (i + 1) & (t->cap - 1);
	return i;
}

static bool grow(struct proctable *t)
{
	struct proctable bigger = { .cap = t->cap ? t->cap * 2 : 1024 };

	bigger.entries = reallocarray(NULL, bigger.cap, sizeof(*bigger.entries));
	if (!bigger.entries)
		return false;
	proctable_clear(&bigger);
	for (size_t i = 0; i < t->cap; i++)
		if (t->entries[i].pid != ET_NONE)
			bigger.entries[find(&bigger, t->entries[i].pid)] = t->entries[i];
	bigger.n = t->n;
	free(t->entries);
	*t = bigger;
	return true;
}

static struct proctable_entry *enter(struct proctable *t, uint64_t pid)
{
	struct proctable_entry *e;

	if (t->n >= t->cap / 2 && !grow(t))
		return NULL;
	e = &t->entries[find(t, pid)];
	if (e->pid == ET_NONE) {
		*e = (struct proctable_entry){ pid, ET_NONE, ET_NONE };
		t->n++;
	}
	return e;
}

/* Moves later entries of the same run forward, so that no marker stays behind. */
static void drop(struct proctable *t, size_t hole)
{
	size_t i = hole;

	for (;;) {
		size_t want;

		i = (i + 1) & (t->cap - 1);
		if (t->entries[i].pid == ET_NONE)
			break;
		want = home(t, t->entries[i].pid);
		if (((i - want) & (t->cap - 1)) >= ((i - hole) & (t->cap - 1))) {
			t->entries[hole] = t->entries[i];
			hole = i;
		}
	}
	t->entries[hole].pid = ET_NONE;
	t->n--;
}

static uint64_t take_exit(struct proctable *t, uint64_t ts, uint64_t pid, uint64_t start)
{
	uint64_t since = start;

	if (t->cap) {
		size_t i = find(t, pid);
		const struct proctable_entry *e = &t->entries[i];

		if (e->pid == pid) {
			/* Another start: the exit of an earlier process of that pid was lost.
			 */
			if (start == ET_NONE || e->start == ET_NONE || start == e->start)
				since = e->exec != ET_NONE ? e->exec : e->start;
			if (since == ET_NONE)
				since = start;
			drop(t, i);
		}
	}
	return since != ET_NONE && since <= ts ? ts - since : ET_NONE;
}

uint64_t proctable_take(struct proctable *t, uint64_t kind, uint64_t ts, uint64_t pid,
			uint64_t start)
{
	struct proctable_entry *e;

	if (pid == ET_NONE)
		return ET_NONE;
	if (kind == ET_EXIT)
		return take_exit(t, ts, pid, start);
	if (kind != ET_EXEC && kind != ET_FORK && kind != ET_PROC)
		return ET_NONE;
	e = enter(t, pid);
	if (!e)
		return ET_NONE;
	if (kind == ET_FORK || (start != ET_NONE && e->start != ET_NONE && start != e->start))
		e->exec = ET_NONE;
	if (start != ET_NONE || kind == ET_FORK)
		e->start = start;
	if (kind == ET_EXEC)
		e->exec = ts;
	return ET_NONE;
}
