/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - processes under their parents, made while rows come.
 *
 * A node is a process, or several siblings that look the same: as soon as a process and
 * all below it have ended it is folded into one that ended before and has the same
 * shape, that is the same names, user and result, and below it the same shapes, however
 * many of each. What no row that matches is about, nor any below it, is left out.
 *
 * So the memory of a tree is that of the processes that live (processes.h), and of the
 * shapes that there are. The latter are bounded too: below TREE_LEVELS and beyond
 * TREE_NODES processes are only counted, in .below of the node above them.
 */
#ifndef EXECTRACE_TREE_H
#define EXECTRACE_TREE_H

#include "input.h"
#include "intern.h"
#include "out.h"
#include "pids.h"

#define TREE_NODES (1u << 19)
#define TREE_LEVELS 1024
/* Command lines that are kept, bytes; of more processes only the name is. */
#define TREE_COMMANDS (32u << 20)

enum tree_result {
	TREE_RUNS,	/* to the end of what was read */
	TREE_UNKNOWN,	/* another has its pid, but how it ended is not in the capture */
	TREE_ENDED,	/* neither a code nor a signal is known */
	TREE_CODE,
	TREE_SIGNAL,
	TREE_CORE,	/* a signal, and it dumped core */
};

struct tree_node {
	struct tree_node *parent, *child, *last; /* last: of its children */
	struct tree_node *before, *next;
	struct tree_node *bucket;	/* of nodes that others are folded into */
	char *command;			/* what it executed last, escaped; NULL: only name */
	uint64_t shape;			/* of those that are over */
	uint64_t order;			/* of beginning, of the first of those folded */
	uint64_t time, cpu;		/* ns, of all that are folded */
	uint32_t count;			/* of those folded */
	uint32_t below;			/* processes below that are not shown */
	uint32_t total;			/* processes here and below, once it is over */
	uint32_t matched;		/* of those folded: rows that match are about them */
	uint32_t failed, failed_otherwise; /* execs: with .error, with others */
	uint32_t error;			/* the lowest errno */
	uint32_t pid;			/* of the first */
	uint32_t chain, name;		/* interned: of all executions but the last; of that */
	uint32_t uid, user;		/* user: interned, 0: not known */
	uint32_t code;			/* of the result: exit code or signal */
	uint16_t height;		/* of what is below */
	uint8_t result;			/* enum tree_result */
	uint8_t links;			/* names in the chain */
	uint8_t origin;			/* enum process_origin */
	bool executed;			/* something, as far as is known: else name is inherited */
	bool timed;			/* how long it lived is known */
	bool has_uid;
};

struct tree_options {
	const struct pids *roots;	/* begin there; NULL: at those without a parent */
	unsigned depth;			/* levels that are shown; 0: all */
	bool fold;
	bool ascii;			/* for terminals without UTF-8 */
	size_t width;			/* no more of a command line is kept; 0: all */
};

/* What the bounds on memory took away. */
struct tree_bounds {
	uint64_t forgotten;	/* processes taken for ended: processes_forgotten */
	uint64_t uncounted;	/* processes shown as counts alone */
	uint64_t bare;		/* whose command lines were not kept */
};

struct tree_totals {
	uint64_t processes, execs, failed, cpu; /* that match; ns */
	uint64_t running;
	struct tree_bounds bounds;
	bool any;
	int64_t first, last;	/* wall times of rows that match, but of kind proc */
	int32_t offset;		/* their zone */
};

struct tree;

/* NULL: no memory. What opt points to is borrowed. */
struct tree *tree_new(const struct tree_options *opt);
void tree_free(struct tree *t);
/* The next row, of all there are. ET_OK or ET_NOMEM. */
int tree_take(struct tree *t, const struct input_row *row);
/* After the last row: the tree, whose root is no process. Borrowed. */
struct tree_node *tree_end(struct tree *t);
const struct tree_totals *tree_totals(const struct tree *t);
/* The text of an interned string, escaped. */
const char *tree_text(const struct tree *t, uint32_t number);

/* How a tree is printed. */
struct tree_style {
	bool ascii, utc, header;
	bool rooted;  /* at processes that were asked for: that they have no parents is no guess */
	size_t width; /* of the terminal; 0: lines are not cut */
};

void tree_print(struct out *o, const struct tree *t, struct tree_node *root,
		const struct tree_style *style);

/*
 * The same processes as JSON, a line each: nothing is folded, and one is printed, and
 * forgotten, as soon as all below it have ended.
 */
struct tree_json;

/* NULL: no memory. */
struct tree_json *tree_json_new(struct out *o, const struct tree_options *opt);
void tree_json_free(struct tree_json *j);
int tree_json_take(struct tree_json *j, const struct input_row *row);
/* After the last row. */
void tree_json_end(struct tree_json *j, struct tree_bounds *bounds);

#endif
