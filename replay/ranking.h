/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranking.h - groups in order, the first of them to be shown and the others as one: as a
 * table for people, as JSON and as CSV.
 */
#ifndef EXECTRACE_RANKING_H
#define EXECTRACE_RANKING_H

#include "groups.h"

/* By a figure, or by one of the keys. */
struct ranking_order {
	enum figure figure; /* FIGURES: by keys[key] */
	unsigned key;
	bool descending; /* figures always are */
};

struct ranking {
	struct groups *groups;	 /* borrowed */
	const struct keys *keys; /* borrowed */
	struct ranking_order order;
	uint32_t *numbers;	 /* of the groups */
	uint64_t *figures;	 /* by number: that of the order */
	uint32_t shown;
	struct group rest;	 /* all that is not shown */
	uint32_t n_rest;	 /* groups in it, without those that are not kept apart */
	bool any_rest;
};

/* A name of a figure or of one of the keys, with - in front for descending. -1 fills *why. */
int ranking_parse(struct ranking_order *o, const char *name, const struct keys *keys,
		  struct reason *why);
/* ranking_close is due in any case. -1: no memory. */
int ranking_open(struct ranking *r, struct groups *g, const struct keys *keys,
		 struct ranking_order order, uint32_t top);
void ranking_close(struct ranking *r);

/* width: columns of the terminal; 0: no line is cut. */
void ranking_text(struct ranking *r, struct out *o, size_t width);
/* ,"groups":[...],"other":{...}: what is 0 of counts, too, and nothing of what is not known. */
void ranking_json(struct ranking *r, struct out *o);
/* Titles and the groups that are shown. */
void ranking_csv(struct ranking *r, struct out *o);

#endif
