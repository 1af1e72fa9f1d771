/* SPDX-License-Identifier: BSD-2-Clause */
#include "descent.h"

#include <stdlib.h>

/* In .user of a process that is known to descend; else it is looked for. */
#define WITHIN ((void *)1)

/* So many generations are looked over: in a tree of processes of that depth nobody lives. */
#define GENERATIONS 1024

struct descent {
	const struct pids *roots;
	struct processes *processes;
};

static int began(void *ctx, struct process *p, const struct input_row *row)
{
	const struct descent *d = ctx;

	(void)row;
	if ((p->parent && p->parent->user) || pids_have(d->roots, p->pid))
		p->user = WITHIN;
	return ET_OK;
}

struct descent *descent_new(const struct pids *roots)
{
	struct descent *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->roots = roots;
	d->processes = processes_new(&(struct processes_calls){ .began = began, .ctx = d });
	if (d->processes)
		return d;
	free(d);
	return NULL;
}

void descent_free(struct descent *d)
{
	if (!d)
		return;
	processes_free(d->processes);
	free(d);
}

/* An ancestor may turn out to be one when its own row comes, late. */
static bool is_within(struct process *p)
{
	struct process *up = p;

	for (unsigned i = 0; i < GENERATIONS && up && !up->user; i++)
		up = up->parent;
	if (up && up->user)
		p->user = WITHIN;
	return p->user != NULL;
}

int descent_take(struct descent *d, const struct input_row *row, bool *within)
{
	struct process *p;
	int r = processes_take(d->processes, row, &p);

	*within = row->ev.v[ET_F_KIND].u == ET_LOST || (!r && p && is_within(p));
	return r;
}
