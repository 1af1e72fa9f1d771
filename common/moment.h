/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moment.h - points in time as people write them. Some mean a time only together with
 * a capture: when that begins, and in which zone it was made.
 */
#ifndef EXECTRACE_MOMENT_H
#define EXECTRACE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

struct moment {
	enum moment_form {
		MOMENT_WALL,	 /* ns: with a zone, or to be read in the capture's */
		MOMENT_OF_DAY,	 /* ns since midnight, on the day the capture starts */
		MOMENT_RELATIVE, /* ns since the start of the capture */
	} form;
	bool zoned;		/* offset is given, not the capture's */
	int32_t offset;
	int64_t ns;
};

/*
 * Reads 2026-11-20, "2026-11-20 09:00[:00[.5]]" (or with a T), 09:00[:00[.5]],
 * each with Z or +02:00 behind it if wanted, +1m30s, or @SECONDS since 1970.
 */
bool moment_parse(const char *text, struct moment *out);
/*
 * The wall time, ns since 1970 UTC. start: that of the capture's start; offset: its
 * zone, seconds that local time is ahead of UTC.
 */
int64_t moment_resolve(const struct moment *m, int64_t start, int32_t offset);
/* A HOST record's utc_offset: seconds, or +02:00. */
bool moment_parse_offset(const char *text, int32_t *offset);

#endif
