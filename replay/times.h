/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * times.h - wall clock times and durations: shown, and read from options.
 *
 * A wall time is ns since 1970 UTC, an offset the seconds that local time is
 * ahead of UTC. Both come from the capture; the reader's own zone plays no part.
 */
#ifndef EXECTRACE_TIMES_H
#define EXECTRACE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out.h"

#define TIMES_SECOND 1000000000ll

/* 2026-11-20T09:00:00.123456789Z */
void times_rfc3339(struct out *o, int64_t wall);
/* 09:00:00.123456, cut and not rounded so that it never shows a later time. */
void times_clock(struct out *o, int64_t wall, int32_t offset);
/* 2026-11-20 */
void times_date(struct out *o, int64_t wall, int32_t offset);
/* 2026-11-20 09:00:00.123456 */
void times_moment(struct out *o, int64_t wall, int32_t offset);
/* Days since 1970 at that place. */
int64_t times_day(int64_t wall, int32_t offset);
/* UTC or UTC+05:30 */
void times_zone(struct out *o, int32_t offset);
/* 417ns 1.234ms 12.5s 3m07s 2h05m 4d03h: three or four digits that matter. */
void times_duration(struct out *o, uint64_t ns);

/* A point in time as an option gives it; some need the capture to mean a time. */
struct times_point {
	enum times_form {
		TIMES_WALL,	/* ns: with a zone, or to be read in the capture's */
		TIMES_OF_DAY,	/* ns since midnight, on the day the capture starts */
		TIMES_RELATIVE, /* ns since the start of the capture */
	} form;
	bool zoned;		/* offset is given, not the capture's */
	int32_t offset;
	int64_t ns;
};

/*
 * Reads 2026-11-20, "2026-11-20 09:00[:00[.5]]" (or with a T), 09:00[:00[.5]],
 * each with Z or +02:00 behind it if wanted, +1m30s, or @SECONDS since 1970.
 */
bool times_parse(const char *text, struct times_point *out);
/* start: wall time of the capture's start; offset: its zone. */
int64_t times_resolve(const struct times_point *p, int64_t start, int32_t offset);
/* A HOST record's utc_offset: seconds, or +02:00. */
bool times_parse_offset(const char *text, int32_t *offset);

#endif
