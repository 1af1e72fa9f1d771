/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nameset.h - the names that belong into a segment: those of ids that occur in its
 * rows, and what is told of the host. Each is given out once, and again when what
 * the sources say of it has changed.
 */
#ifndef EXECTRACE_NAMESET_H
#define EXECTRACE_NAMESET_H

#include <exectrace.h>

#include "source.h"

/* Where names come from. */
struct nameset_source {
	const struct source *source;
	unsigned rank;		/* where two differ, the lower is right */
};

enum nameset_kind { NAMESET_USER, NAMESET_GROUP, NAMESET_CGROUP, NAMESET_KINDS };

/* An id that occurred. */
struct nameset_entry {
	uint64_t id;
	uint64_t hash;		/* of the name given out last; 0: none was */
	unsigned rank;		/* of the source that said it */
	bool used;
	unsigned news;		/* of the nameset, when its name was looked for */
};

struct nameset_ids {
	struct nameset_entry *v;
	size_t n, size;		/* size: a power of two, or 0 */
};

struct nameset_pair {
	char *key, *value;	/* owned */
	uint32_t len;
	unsigned rank;
};

struct nameset {
	struct nameset_source *sources;	/* owned array */
	size_t n_sources;
	bool cut;
	unsigned news;			/* how often the sources may have said more */
	bool no_memory;			/* for the sources: told at the next call */
	struct nameset_ids ids[NAMESET_KINDS];
	struct et_name *waiting[2];	/* [1]: cgroups; names are the nameset's */
	size_t n_waiting[2], cap_waiting[2];
	size_t given[2];		/* of waiting: these go at the next call */
	struct nameset_pair *pairs;
	struct et_pair *lent;
	size_t n_pairs;
	bool host_changed;
	uint64_t host_seen;		/* what the sources said of the host then */
};

void nameset_init(struct nameset *s);
void nameset_free(struct nameset *s);
/* Names come from these from now on. cut: not what HOST says of options and command. */
void nameset_sources(struct nameset *s, const struct nameset_source *v, size_t n, bool cut);
/* The sources may have said more. */
void nameset_news(struct nameset *s);
/* An id occurs. -1: no memory. */
int nameset_note(struct nameset *s, enum nameset_kind kind, uint64_t id);
/* Looks once more for the names of all ids that occurred. -1: no memory. */
int nameset_settle(struct nameset *s);
/*
 * Some names to be written, n at most what a record holds; 0: no more. They are
 * borrowed until the next call.
 */
size_t nameset_take(struct nameset *s, bool cgroups, const struct et_name **out);
/* All that is known of the host, where that is news; else n is 0. -1: no memory. */
int nameset_host(struct nameset *s, const struct et_pair **out, size_t *n);

#endif
