/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.h - events grouped by keys, and of each group the figures: how many of which
 * kind, how long its processes ran, and what they used.
 *
 * Groups are as many as a keyset keeps; the events of all others are in one more. What
 * is merged from several says the same as what took all rows itself, as long as there
 * are no more groups than are kept.
 */
#ifndef EXECTRACE_GROUPS_H
#define EXECTRACE_GROUPS_H

#include "classes.h"
#include "keyset.h"
#include "quantile.h"

enum figure {
	FIGURE_EVENTS,
	FIGURE_EXECS,
	FIGURE_FAILED,
	FIGURE_FORKS,
	FIGURE_EXITS,
	FIGURE_LOST,
	FIGURE_TOTAL, /* of the durations of exits, as those that follow */
	FIGURE_MEAN,
	FIGURE_P50,
	FIGURE_P99,
	FIGURE_LONGEST,
	FIGURE_CPU_TIME,
	FIGURE_PEAK_RSS,
	FIGURE_READ,
	FIGURE_WRITTEN,
	FIGURES
};

enum figure_unit { FIGURE_COUNT, FIGURE_TIME, FIGURE_BYTES };

struct figure_field {
	const char *name; /* in JSON, CSV and --sort; in capitals it is the title */
	const char *help; /* one line, no full stop */
	enum figure_unit unit; /* counts, ns, bytes */
};

extern const struct figure_field figure_fields[FIGURES];
/* FIGURES: there is none of that name. */
enum figure figure_find(const char *name);
/* All names, with a line about each. */
void figures_help(struct out *o);

/* Sums stay at the largest number. */
struct group {
	uint64_t kinds[ET_KIND_END]; /* events; [0]: of later kinds; of lost rows what they say */
	uint64_t known; /* bits of figures that some row of it has */
	uint64_t total, longest, cpu_time, peak_rss, read, written;
	struct quantile durations;
};

/* Start it zeroed but for .pool = QUANTILE_POOL. */
struct groups {
	struct keyset keys;
	struct group *v; /* by number of the key */
	uint32_t cap;
	struct group other;
	bool any_other;
	struct quantile_pool pool;
};

/* Bits of the fields that the figures follow from. */
extern const uint64_t groups_fields;

void groups_free(struct groups *g);
/* Takes rows in; c: their classes, key: scratch. -1: no memory. */
int groups_take(struct groups *g, const struct keys *k, const struct classes *c,
		const struct picked *p, struct out *key);
/* -1: no memory. */
int groups_merge(struct groups *g, const struct groups *from);
/* Adds a group of g to another, which is to be freed with quantile_free. -1: no memory. */
int groups_add(struct groups *g, struct group *to, const struct group *from);

/* ET_NONE: no row has it. */
uint64_t group_figure(struct group *g, enum figure f);

#endif
