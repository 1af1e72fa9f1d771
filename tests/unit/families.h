/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * families.h - holds a process table to what it promises, whatever rows it is told: each
 * process begins once and goes once, behind its children; nobody descends from himself, or
 * from one that began later; no more are known than may be.
 */
#ifndef TESTS_FAMILIES_H
#define TESTS_FAMILIES_H

#include "processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILIES_OFFSET 1790000000000000000ll

struct families {
	struct processes *table;
	struct source boots[3];
	uint64_t began, ended, gone, broken; /* broken: promises */
	/* Words about what happens, for those who compare them; or NULL. */
	char *log;
	size_t log_size;
};

/* Says which promise is the first that was broken. */
#define families_demand(f, yes) families_note(f, yes, #yes)

static inline void families_note(struct families *f, bool yes, const char *what)
{
	if (!yes && !f->broken++)
		fprintf(stderr, "broken: %s\n", what);
}

static inline void families_say(struct families *f, const char *what, const struct process *p)
{
	size_t n = f->log ? strlen(f->log) : 0;

	if (!f->log)
		return;
	snprintf(f->log + n, f->log_size - n, "%s%s %u", n ? ", " : "", what, p->pid);
	n = strlen(f->log);
	if (p->parent)
		snprintf(f->log + n, f->log_size - n, " of %u", p->parent->pid);
}

static inline void families_check(struct families *f, const struct process *p)
{
	const struct process *up = p->parent;

	/* A circle is one as soon as it is closed, and then of few. */
	for (unsigned i = 0; up && i < 300; i++, up = up->parent)
		families_demand(f, up != p && up->user && up->boot == p->boot);
	/* Two starts of which each may be cut down to the clock tick. */
	if (p->parent && p->parent->start != ET_NONE && p->start != ET_NONE)
		families_demand(f, p->parent->start <= p->start + 20000000);
}

static inline int families_began(void *ctx, struct process *p, const struct input_row *row)
{
	static const char *const how[] = { "named", "seen", "found", "forked" };
	struct families *f = ctx;

	families_demand(f, row && !p->user && p->alive && !p->child);
	p->user = f;
	f->began++;
	families_demand(f, f->began - f->gone <= PROCESSES_MAX);
	families_check(f, p);
	families_say(f, how[p->origin], p);
	return ET_OK;
}

static inline int families_told(void *ctx, struct process *p, struct process *before)
{
	(void)before;
	families_demand((struct families *)ctx, p->user == ctx);
	families_check(ctx, p);
	families_say(ctx, "told", p);
	return ET_OK;
}

static inline int families_executed(void *ctx, struct process *p, const struct input_row *row)
{
	families_demand((struct families *)ctx, p->user == ctx && p->alive && row->ev.v[ET_F_KIND].u == ET_EXEC);
	families_say(ctx, "executed", p);
	return ET_OK;
}

static inline int families_ended(void *ctx, struct process *p, const struct input_row *row)
{
	static const char *const how[] = { "runs", "exited", "replaced", "forgotten" };
	struct families *f = ctx;

	families_demand(f, p->user == f && (p->end == PROCESS_EXITED) == (row != NULL));
	f->ended++;
	families_say(f, how[p->end], p);
	return ET_OK;
}

static inline void families_gone(void *ctx, struct process *p)
{
	struct families *f = ctx;

	families_demand(f, p->user == f && !p->child && !p->alive);
	families_say(f, "gone", p);
	p->user = NULL;
	f->gone++;
}

static inline void families_open(struct families *f, char *log, size_t log_size)
{
	*f = (struct families){ .log = log, .log_size = log_size };
	if (log)
		*log = '\0';
	for (unsigned i = 1; i < 3; i++)
		f->boots[i].boot = i;
	f->table = processes_new(&(struct processes_calls){ .began = families_began,
							    .told = families_told,
							    .executed = families_executed,
							    .ended = families_ended,
							    .gone = families_gone,
							    .ctx = f });
	if (!f->table)
		abort();
}

struct families_row {
	unsigned kind, boot;
	uint64_t ts, pid, ppid, start; /* ET_NONE: not known */
};

/* What the table says the row is about. */
static inline struct process *families_take(struct families *f, const struct families_row *r)
{
	struct input_row row = { .source = &f->boots[r->boot],
				 .wall = (int64_t)(r->ts + FAMILIES_OFFSET) };
	struct process *about;

	et_set_uint(&row.ev, ET_F_KIND, r->kind);
	et_set_uint(&row.ev, ET_F_TS, r->ts);
	et_set_uint(&row.ev, ET_F_PID, r->pid);
	if (r->ppid != ET_NONE)
		et_set_uint(&row.ev, ET_F_PPID, r->ppid);
	if (r->start != ET_NONE)
		et_set_uint(&row.ev, ET_F_START, r->start);
	if (processes_take(f->table, &row, &about))
		abort();
	families_demand(f, !about || (about->pid == r->pid && about->user == f));
	return about;
}

static inline void families_end(struct families *f)
{
	processes_end(f->table);
	families_demand(f, f->began == f->gone);
	processes_free(f->table);
}

#endif
