/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * when.h - the time of an event as a line shows it, in one of the ways of --time. Two
 * of them count from a line before, so of all that a line holds this is made last.
 */
#ifndef EXECTRACE_WHEN_H
#define EXECTRACE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "out.h"

enum when_way {
	WHEN_ABSOLUTE,	/* time of day */
	WHEN_RELATIVE,	/* since the first line, seconds */
	WHEN_DELTA,	/* since the line before, seconds */
	WHEN_ISO,	/* date, time and zone: ISO 8601 */
	WHEN_UNIX,	/* since 1970, seconds */
};

struct when {
	enum when_way way;
	bool utc;	/* not in the zone of the recorded machine */
	bool date;	/* of WHEN_ABSOLUTE: the date, too */
	bool exact;	/* all digits, for programs */
	bool begun;	/* since holds: */
	int64_t since;	/* the wall time that is counted from */
};

bool when_parse(const char *name, enum when_way *way);
/* Columns that it usually takes. */
unsigned when_width(const struct when *w);
/* Whether it is a number. */
bool when_counts(const struct when *w);
/* offset: the zone of the recorded machine then, seconds ahead of UTC. */
void when_put(const struct when *w, struct out *o, int64_t wall, int32_t offset);
/* The line of that time is done. */
void when_pass(struct when *w, int64_t wall);

#endif
