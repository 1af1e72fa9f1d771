/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * longest.h - the processes that ran longest, of those whose exits are known.
 */
#ifndef EXECTRACE_LONGEST_H
#define EXECTRACE_LONGEST_H

#include "keys.h"

#define LONGEST_MOST 1000u

struct longest_one {
	uint64_t duration; /* ns, as derive_duration has it */
	int64_t ended;	   /* wall time, ns */
	uint64_t pid;
	uint64_t cpu_time, peak_rss; /* ns, bytes; ET_NONE: not known */
	char *key;	   /* of longest_keys; owned */
	uint32_t len;
};

/* Name, result and user. */
extern const struct keys longest_keys;
/* Bits of the fields that are looked at. */
uint64_t longest_fields(void);

/* Start it zeroed but for most. */
struct longest {
	struct longest_one *v; /* the longest first; room for one more than most */
	uint32_t n, most;      /* most: LONGEST_MOST at most */
};

void longest_free(struct longest *l);
/* p: rows of kind exit; key: scratch. -1: no memory. */
int longest_take(struct longest *l, const struct picked *p, struct out *key);
/* -1: no memory. */
int longest_merge(struct longest *l, const struct longest *from);

#endif
