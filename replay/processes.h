/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processes.h - the processes of captures, put together again from their events.
 *
 * Rows are told in the order of time (input_next with input_options.all, so that what a
 * filter leaves out is known too). A process is one life of a pid: boot, pid and start
 * say which. The table knows those that live and, of those that have ended, the ones
 * that others still known descend from; whoever wants more of a process keeps it in
 * .user, and is told when it begins, executes, ends, and goes out of the table.
 *
 * A parent is who created the process, as its fork says, and stays that when it ends and
 * the child is left to another. Of a process whose fork is not in the capture the parent
 * at its first row stands for it, a guess (process_guessed).
 *
 * Whatever rows say, no process descends from itself, and a parent did not begin later
 * than its child. Memory: PROCESSES_MAX processes of some 150 bytes. Beyond that the
 * table forgets: of more ended ones than living ones the one that ended first, else the
 * one of which nothing was heard for longest; the children of one forgotten have no
 * parent any more.
 */
#ifndef EXECTRACE_PROCESSES_H
#define EXECTRACE_PROCESSES_H

#include "input.h"

#define PROCESSES_MAX (1u << 18)

/* What processes_take has to know of a row, as bits of fields. */
#define PROCESSES_FIELDS \
	(1ull << ET_F_KIND | 1ull << ET_F_TS | 1ull << ET_F_PID | 1ull << ET_F_PPID | \
	 1ull << ET_F_START)

/* What is known of how it began; later rows may tell more. */
enum process_origin {
	PROCESS_NAMED,	/* nothing: it is only somebody's parent, without a row of its own */
	PROCESS_SEEN,	/* its first row is not of its beginning: the fork is not in the capture */
	PROCESS_FOUND,	/* it ran already when recording began */
	PROCESS_FORKED,
};

enum process_end {
	PROCESS_RUNS,	/* as far as was read */
	PROCESS_EXITED,
	PROCESS_REPLACED, /* another has its pid: how it ended is not in the capture */
	PROCESS_FORGOTTEN, /* beyond PROCESSES_MAX; if rows of it follow they make another */
};

struct process {
	void *user;		/* the caller's; NULL at first */
	struct process *parent;	/* NULL: none is known. Stays at least as long as this */
	uint64_t boot;		/* the same in all processes of a boot of a machine */
	uint64_t start;		/* ns boot clock; ET_NONE: not known */
	uint64_t began;		/* start or, where that is not known, ts of the first row */
	uint64_t last;		/* ts of the last row: of its end, when it has exited */
	int64_t realtime;	/* wall minus boot clock at its first row, ns */
	uint32_t pid;
	uint32_t ppid;		/* that of the parent, though that may not be known; 0: none */
	uint32_t execs;		/* that took effect */
	uint8_t origin, end;	/* enum process_origin, process_end */
	bool coarse;		/* start is cut down to the kernel's clock tick */

	/* The table's own. */
	bool alive;
	struct process *bucket;		/* next of the same hash */
	struct process *child, *before, *after; /* its first child; its siblings */
	struct process *older, *newer;	/* by when something was heard of it, or it ended */
};

/* Whether the parent is only who the first row of the process says it was then. */
static inline bool process_guessed(const struct process *p)
{
	return p->origin == PROCESS_SEEN;
}

/*
 * Any may be NULL. Those that return an int return ET_OK, or a code that
 * processes_take then returns. Rows and processes are borrowed during the call.
 */
struct processes_calls {
	/* A process is known from now on: by its own row, or one of a child that names it. */
	int (*began)(void *ctx, struct process *p, const struct input_row *row);
	/* Its origin, start or parent is another than at began, by a late row; or the parent
	 * was forgotten. before: the parent until now. */
	int (*told)(void *ctx, struct process *p, struct process *before);
	int (*executed)(void *ctx, struct process *p, const struct input_row *row);
	/* row: of kind exit; NULL: it is replaced or forgotten. */
	int (*ended)(void *ctx, struct process *p, const struct input_row *row);
	/* It goes out of the table, children before their parents: .user goes now, if it came. */
	void (*gone)(void *ctx, struct process *p);
	void *ctx;
};

struct processes;

/* NULL: no memory. */
struct processes *processes_new(const struct processes_calls *calls);
/* After processes_end, where that was not called. NULL is fine. */
void processes_free(struct processes *t);
/*
 * The next row. *about: the process that it is about, until the next call; NULL: of kind
 * lost, of no pid that Linux has, or of a process that is over. ET_OK, ET_NOMEM, or what
 * a call returned, after which only processes_free is due.
 */
int processes_take(struct processes *t, const struct input_row *row, struct process **about);
/* There are no more rows: what is left goes, children first. */
void processes_end(struct processes *t);
/* How many were forgotten. */
uint64_t processes_forgotten(const struct processes *t);

#endif
