/* SPDX-License-Identifier: BSD-2-Clause */
#include "parentage.h"

#include <stdlib.h>

#include "keyset.h"
#include "processes.h"

const uint64_t parentage_fields = PROCESSES_FIELDS | 1ull << ET_F_COMM;

struct parentage {
	struct processes *processes;
	struct keyset names;
};

/* A process as struct process.user: numbers of names and one, 0: not known. */
struct called {
	uint32_t now, parent;
};

static void gone(void *ctx, struct process *p)
{
	(void)ctx;
	free(p->user);
}

struct parentage *parentage_new(void)
{
	const struct processes_calls calls = { .gone = gone };
	struct parentage *p = calloc(1, sizeof(*p));

	if (p)
		p->processes = processes_new(&calls);
	if (p && !p->processes) {
		free(p);
		p = NULL;
	}
	return p;
}

void parentage_free(struct parentage *p)
{
	if (!p)
		return;
	processes_free(p->processes);
	keyset_free(&p->names);
	free(p);
}

/* Learns what the row says the process is called. */
static int learn(struct parentage *p, struct process *process, const struct et_event *ev)
{
	uint64_t kind = ev->v[ET_F_KIND].u;
	struct called *c = process->user;
	uint32_t number;

	if ((kind != ET_FORK && kind != ET_EXEC && kind != ET_PROC) || !ET_HAS(ev, ET_F_COMM))
		return 0;
	if (!c) {
		c = process->user = calloc(1, sizeof(*c));
		if (!c)
			return -1;
	}
	if (keyset_add(&p->names, ev->v[ET_F_COMM].s.ptr, ev->v[ET_F_COMM].s.len, &number))
		return -1;
	c->now = number == KEYSET_OTHER ? 0 : number + 1;
	if (kind == ET_FORK)
		c->parent = c->now;
	return 0;
}

int parentage_take(struct parentage *p, const struct input_row *row, struct et_str *name)
{
	const struct called *c, *parent;
	struct process *process;
	uint32_t number = 0;

	*name = (struct et_str){ NULL, 0 };
	if (processes_take(p->processes, row, &process))
		return -1;
	if (!process)
		return 0;
	if (learn(p, process, &row->ev))
		return -1;
	c = process->user;
	parent = process->parent ? process->parent->user : NULL;
	if (c && c->parent)
		number = c->parent;
	else if (parent)
		number = parent->now;
	if (number)
		*name = keyset_get(&p->names, number - 1);
	return 0;
}
