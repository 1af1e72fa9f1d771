/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compilations.h - the entries of a JSON compilation database, one for each source file
 * and output: what comes later takes the place of what was there.
 *
 * Their text lies in a file without a name until all are known, so that memory is some
 * 50 bytes an entry, whatever they say.
 */
#ifndef EXECTRACE_COMPILATIONS_H
#define EXECTRACE_COMPILATIONS_H

#include "driver.h"
#include "out.h"
#include "say.h"

/* Entries of a database; the largest projects have a hundredth of that. */
#define COMPILATIONS_MAX (1u << 21)

struct compilations;

struct compilation {
	struct et_str directory;
	struct et_str file;   /* absolute */
	struct et_str output; /* absolute; ptr is NULL: not told */
	const struct driver *driver;
	uint32_t source; /* which of its arguments; other sources are left out */
};

enum compilations_added {
	COMPILATIONS_NEW,
	COMPILATIONS_AGAIN, /* there was one of that file and output */
	COMPILATIONS_BYTES, /* not UTF-8, which JSON cannot hold: left out */
};

/* To be called before sandbox_enter. -1: *why says why. */
int compilations_open(struct compilations **out, struct reason *why);
void compilations_close(struct compilations *c);
/* -1: *why says why. */
int compilations_add(struct compilations *c, const struct compilation *entry,
		     enum compilations_added *what, struct reason *why);
/* The database, in the order in which the entries came to be what they are. Likewise. */
int compilations_write(struct compilations *c, struct out *o, struct reason *why);
size_t compilations_count(const struct compilations *c);

#endif
