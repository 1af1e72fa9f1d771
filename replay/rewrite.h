/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite.h - a capture made from captures: slice, merge and compact are this with
 * different options.
 *
 * All segments of one boot that are to be joined, or each on its own, become one
 * segment, with the events in the order of time. With a filter everything is read
 * twice: first to know what is kept, the ancestors of it with it, then to write. What
 * could not be read becomes lost events, so that the new capture is as honest as the
 * old one.
 */
#ifndef EXECTRACE_REWRITE_H
#define EXECTRACE_REWRITE_H

#include "dest.h"
#include "filter.h"
#include "source.h"

struct rewrite_options {
	char *const *names;		/* of captures */
	size_t n;
	const struct filter *filter;	/* NULL: all events */
	bool utc;			/* of its times */
	bool ancestors;			/* of the events kept are kept too */
	bool join;			/* segments of one boot become one */
	bool drop_unknown;		/* of a later version: leave it out rather than fail */
	int level;			/* of zstd */
	uint32_t chunk_rows;
	const char *program;
	/* Called when all captures are open and none was read; -1 ends it. May be NULL. */
	int (*opened)(void *ctx, struct reason *why);
	/* Called when a segment was read, before it is closed; may be NULL. */
	void (*read)(void *ctx, const struct source *s);
	/* Called now and then: bytes read of all that are to be read; may be NULL. */
	void (*progress)(void *ctx, uint64_t done, uint64_t all);
	void *ctx;
};

#define REWRITE_DROPPED 8
#define REWRITE_GONE 8

struct rewrite_result {
	uint64_t events;		/* there were, those lost not counted */
	uint64_t kept;			/* of them, without ancestors */
	uint64_t ancestors;		/* rows of ancestors kept besides */
	uint64_t bytes_in, bytes_out;
	unsigned segments;		/* written */
	char *dropped[REWRITE_DROPPED];	/* with drop_unknown: what; owned */
	unsigned n_dropped;
	char *gone[REWRITE_GONE];	/* segments that are missing between others; owned */
	unsigned n_gone;
};

/* Writes to dest, which stays the caller's to keep. -1 fills *why. */
int rewrite(const struct rewrite_options *opt, struct dest *dest, struct rewrite_result *res,
	    struct reason *why);
void rewrite_free(struct rewrite_result *res);

#endif
