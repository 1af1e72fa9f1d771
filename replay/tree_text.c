/* SPDX-License-Identifier: BSD-2-Clause */
/* tree_text.c - a tree of processes as a table for people. */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>

#include "codes.h"
#include "escape.h"
#include "print.h"
#include "processes.h"
#include "times.h"

#define PID_WIDTH 8
#define USER_WIDTH 8
#define RESULT_WIDTH 9 /* of the longest signal */
#define TIME_WIDTH 8
/* Up to the command. */
#define HEAD_WIDTH 49

struct printer {
	const struct tree *tree;
	const struct tree_style *style;
	struct out *to;
	struct out line, cell;
	struct out bars; /* what stands before all lines of a subtree */
	bool guessed;	 /* there was a question mark */
};

/* ---- Cells ------------------------------------------------------------------------ */

static void put_left(struct printer *p, int width)
{
	out_bytes(&p->line, p->cell.buf, p->cell.len);
	out_pad(&p->line, width - (int)escape_width(p->cell.buf, p->cell.len));
	p->cell.len = 0;
}

static void put_right(struct printer *p, int width)
{
	out_pad(&p->line, width - (int)escape_width(p->cell.buf, p->cell.len));
	out_bytes(&p->line, p->cell.buf, p->cell.len);
	p->cell.len = 0;
}

static void put_pid(struct printer *p, const struct tree_node *n)
{
	out_text(&p->cell, n->matched ? "" : "(");
	if (n->count > 1)
		out_text(&p->cell, p->style->ascii ? "x" : "\xc3\x97");
	out_uint(&p->cell, n->count > 1 ? n->count : n->pid);
	out_char(&p->cell, n->matched ? ' ' : ')');
	put_right(p, PID_WIDTH + 1);
	out_pad(&p->line, 1);
}

/* Where it is another than that of the line above it. */
static void put_user(struct printer *p, const struct tree_node *n)
{
	if (n->user && n->user != n->parent->user)
		out_text(&p->cell, tree_text(p->tree, n->user));
	put_left(p, USER_WIDTH);
	out_pad(&p->line, 2);
}

static void put_result(struct printer *p, const struct tree_node *n)
{
	struct et_event ev = { 0 };

	et_set_uint(&ev, ET_F_KIND, ET_EXIT);
	if (n->result == TREE_CODE)
		et_set_uint(&ev, ET_F_EXIT_CODE, n->code);
	if (n->result == TREE_SIGNAL || n->result == TREE_CORE)
		et_set_uint(&ev, ET_F_SIGNAL, n->code);
	if (n->origin == PROCESS_NAMED || n->result == TREE_UNKNOWN)
		out_char(&p->cell, '?');
	else if (n->result == TREE_RUNS)
		out_text(&p->cell, "running");
	else
		print_result(&p->cell, &ev);
	put_left(p, RESULT_WIDTH);
}

static void put_time(struct printer *p, bool known, uint64_t ns)
{
	if (known)
		times_duration(&p->cell, ns);
	put_right(p, TIME_WIDTH + 1);
}

static void put_failed(struct out *o, const struct tree_node *n)
{
	const char *name = errno_name(n->error);

	if (!n->failed)
		return;
	out_printf(o, "  (+%u ", n->failed);
	if (name)
		out_text(o, name);
	else
		out_printf(o, "errno %u", n->error);
	if (n->failed_otherwise)
		out_printf(o, ", %u other", n->failed_otherwise);
	out_char(o, ')');
}

static void put_below(struct out *o, uint32_t below)
{
	if (below)
		out_printf(o, "  (+%u process%s below)", below, below == 1 ? "" : "es");
}

static void put_command(struct printer *p, const struct tree_node *n)
{
	struct out *o = &p->line;

	if (n->chain) {
		out_text(o, tree_text(p->tree, n->chain));
		out_text(o, p->style->ascii ? " -> " : " \xe2\x86\x92 ");
	}
	if (n->origin == PROCESS_NAMED)
		out_text(o, "(not in the capture)");
	else if (n->command)
		out_text(o, n->command);
	else if (n->executed)
		out_text(o, tree_text(p->tree, n->name));
	else
		out_printf(o, "(%s)", tree_text(p->tree, n->name));
}

/* What stands behind the command, also where that is cut. */
static void put_remarks(struct printer *p, const struct tree_node *n)
{
	if (n->result == TREE_CORE)
		out_text(&p->cell, "  (core)");
	put_failed(&p->cell, n);
	put_below(&p->cell, n->below);
}

/* ---- Lines ------------------------------------------------------------------------ */

/* Cut to the width of the terminal; what the cell holds is not, where there is room for it. */
static void end_line(struct printer *p)
{
	const char *mark = p->style->ascii ? "..." : "\xe2\x80\xa6";
	size_t room = p->style->width, marked = p->style->ascii ? 3 : 1;
	size_t behind = escape_width(p->cell.buf, p->cell.len);

	if (behind && room < HEAD_WIDTH + behind + marked) {
		out_bytes(&p->line, p->cell.buf, p->cell.len);
		p->cell.len = behind = 0;
	}
	if (room > behind + marked && escape_width(p->line.buf, p->line.len) > room - behind) {
		p->line.len = escape_fit(p->line.buf, p->line.len, room - behind - marked);
		out_text(&p->line, mark);
	}
	out_bytes(p->to, p->line.buf, p->line.len);
	out_bytes(p->to, p->cell.buf, p->cell.len);
	out_char(p->to, '\n');
	p->line.len = p->cell.len = 0;
}

/* The line of a process, and how it hangs below the one above it. */
static void put_node(struct printer *p, const struct tree_node *n, bool root)
{
	static const char *const arms[2][2][2] = {
		{ { "\xe2\x94\x9c\xe2\x94\x80 ", "\xe2\x94\x94\xe2\x94\x80 " },
		  { "\xe2\x94\x9c? ", "\xe2\x94\x94? " } },
		{ { "|- ", "`- " }, { "|? ", "`? " } },
	};
	bool guess = n->origin == PROCESS_SEEN && !(root && p->style->rooted);

	put_pid(p, n);
	put_user(p, n);
	put_result(p, n);
	put_time(p, n->timed, n->time);
	put_time(p, n->result > TREE_UNKNOWN, n->cpu);
	out_pad(&p->line, 2);
	out_bytes(&p->line, p->bars.buf, p->bars.len);
	p->guessed |= guess;
	if (root)
		out_text(&p->line, guess ? "? " : "");
	else
		out_text(&p->line, arms[p->style->ascii][guess][!n->next]);
	put_command(p, n);
	put_remarks(p, n);
	end_line(p);
}

static int by_order(const void *a, const void *b)
{
	const struct tree_node *x = *(struct tree_node *const *)a;
	const struct tree_node *y = *(struct tree_node *const *)b;

	return (x->order > y->order) - (x->order < y->order);
}

/* In the order of their beginning; without memory in that of the list, which is near it. */
static void sort(struct tree_node *parent)
{
	struct tree_node **v, *before = NULL;
	size_t n = 0, i = 0;
	bool sorted = true;

	for (struct tree_node *c = parent->child; c; c = c->next, n++)
		sorted &= !c->before || c->before->order < c->order;
	v = sorted ? NULL : reallocarray(NULL, n, sizeof(*v));
	if (!v)
		return;
	for (struct tree_node *c = parent->child; c; c = c->next)
		v[i++] = c;
	qsort(v, n, sizeof(*v), by_order);
	parent->child = v[0];
	parent->last = v[n - 1];
	for (i = 0; i < n; i++) {
		v[i]->before = before;
		v[i]->next = i + 1 < n ? v[i + 1] : NULL;
		before = v[i];
	}
	free(v);
}

/* TREE_LEVELS deep at most. */
static void put_children(struct printer *p, struct tree_node *parent, bool roots)
{
	size_t len = p->bars.len;

	sort(parent);
	for (struct tree_node *n = parent->child; n && !p->to->error; n = n->next) {
		put_node(p, n, roots);
		if (!roots)
			out_text(&p->bars, !n->next	    ? "   "
					   : p->style->ascii ? "|  "
							     : "\xe2\x94\x82  ");
		put_children(p, n, false);
		p->bars.len = len;
	}
}

static void put_totals(struct printer *p, const struct tree_totals *s)
{
	struct out *o = p->to;
	int32_t offset = p->style->utc ? 0 : s->offset;

	out_printf(o, "\n%llu process%s", (unsigned long long)s->processes,
		   s->processes == 1 ? "" : "es");
	if (s->running)
		out_printf(o, " (%llu running at the end)", (unsigned long long)s->running);
	out_printf(o, ", %llu exec%s, %llu failed, ", (unsigned long long)s->execs,
		   s->execs == 1 ? "" : "s", (unsigned long long)s->failed);
	times_duration(o, s->cpu);
	out_text(o, " CPU");
	if (s->any) {
		out_text(o, "; ");
		times_duration(o, (uint64_t)s->last - (uint64_t)s->first);
		out_text(o, " from ");
		times_moment(o, s->first, offset);
		out_char(o, ' ');
		times_zone(o, offset);
	}
	out_char(o, '\n');
	if (p->guessed)
		out_text(o, "? before a command: the parent is a guess, or not known, for the fork is "
			    "not in the capture\n");
}

void tree_print(struct out *o, const struct tree *t, struct tree_node *root,
		const struct tree_style *style)
{
	struct printer p = { .tree = t, .style = style, .to = o };

	out_open(&p.line, -1);
	out_open(&p.cell, -1);
	out_open(&p.bars, -1);
	if (style->header)
		out_printf(o, "%*s  %-*s  %-*s %*s %*s  COMMAND\n", PID_WIDTH, "PID", USER_WIDTH,
			   "USER", RESULT_WIDTH, "RESULT", TIME_WIDTH, "TIME", TIME_WIDTH,
			   "CPU");
	put_children(&p, root, true);
	if (root->below) {
		put_below(&p.cell, root->below);
		end_line(&p);
	}
	if (style->header)
		put_totals(&p, tree_totals(t));
	if (p.line.error || p.cell.error || p.bars.error)
		o->error = o->error ? o->error : ENOMEM;
	out_close(&p.line);
	out_close(&p.cell);
	out_close(&p.bars);
}
