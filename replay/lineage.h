/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lineage.h - which names execute which: pairs of what a process was called when it was
 * forked, which is its parent's name, and what it was called once it had executed
 * something, and how often each came.
 *
 * Rows come a chunk at a time and the chunks in any order, so that several threads can
 * look at them. Nearly every process has its fork and its execs in one chunk; of those
 * that outlive theirs the fork is kept until the end, and of execs without a fork in
 * their chunk what they executed: lineage_join brings them together.
 */
#ifndef EXECTRACE_LINEAGE_H
#define EXECTRACE_LINEAGE_H

#include "keys.h"
#include "pairs.h"
#include "tally.h"

/* Of each, forks and execs, so many are kept for the end: 48 MiB in all. */
#define LINEAGE_MOST (1u << 20)

/* A process and a name. */
struct lineage_one {
	uint64_t segment; /* its id */
	uint64_t start;
	uint32_t pid;
	uint32_t name; /* of .names */
};

struct lineage_list {
	struct lineage_one *v;
	uint32_t n, cap;
};

/* Start it zeroed. */
struct lineage {
	struct tally pairs; /* of keys of lineage_keys */
	uint64_t unknown;   /* execs of processes whose fork is not there */
	struct keyset names;
	struct lineage_list forks, execs;

	/* For one chunk. */
	struct pairs processes, found;
	uint32_t *names_of;	/* of a process: the parent's name, a string id */
	uint8_t *states;
	uint64_t *counts;	/* of a pair that was found */
	uint32_t cap;
};

/* Parent and comm. */
extern const struct keys lineage_keys;
extern const uint64_t lineage_fields;

void lineage_free(struct lineage *l);
/*
 * p: forks, execs and exits, in the order of the file; segment: its id; key: scratch.
 * -1: no memory.
 */
int lineage_take(struct lineage *l, const struct picked *p, uint64_t segment, struct out *key);
/* What another has taken; both not joined yet. -1: no memory. */
int lineage_merge(struct lineage *l, const struct lineage *from);
/* Once no more will come. -1: no memory. */
int lineage_join(struct lineage *l, struct out *key);

#endif
