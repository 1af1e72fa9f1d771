/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compose.h - a segment put together from events of others.
 *
 * Nothing goes into it but what is told here event by event: names of users, groups
 * and cgroups are looked up for the ids that occur, executables for those that rows
 * name, and statistics and strings are
 * the library's work on the rows kept, so that of events left out nothing remains
 * (SPEC.md 7).
 */
#ifndef EXECTRACE_COMPOSE_H
#define EXECTRACE_COMPOSE_H

#include <exectrace.h>

#include "nameset.h"

struct compose;

struct compose_options {
	struct et_writer_options writer;
	uint32_t chunk_rows;	/* 1 to 262,144 */
	bool cut;		/* events are left out: so are `options` and `command` */
};

/* As et_writer_open, but io stays the caller's. */
int compose_open(const struct et_io *io, const struct compose_options *opt,
		 struct compose **out, struct et_error *err);
/* From now on names come from these, borrowed until the next call. */
void compose_sources(struct compose *c, const struct nameset_source *v, size_t n);
/* They may have said more since. */
void compose_news(struct compose *c);
/*
 * Once these sources are read to their end: names that they told late, or changed,
 * and those of sources that had no event. Then they may be closed.
 */
int compose_settle(struct compose *c, struct et_error *err);
/* Adds an event; they come in the order of time. */
int compose_add(struct compose *c, const struct et_event *ev, struct et_error *err);
int compose_end(struct compose *c, struct et_clock ended, const char *reason,
		struct et_error *err);
/* Bytes written so far. */
uint64_t compose_bytes(const struct compose *c);
void compose_close(struct compose *c);

#endif
