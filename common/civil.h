/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * civil.h - days of the Gregorian calendar and the time of day, from wall times and
 * back. A wall time is ns since 1970 UTC, an offset the seconds that local time is
 * ahead of UTC; nothing is asked of the machine's own zone.
 */
#ifndef EXECTRACE_CIVIL_H
#define EXECTRACE_CIVIL_H

#include <stdint.h>

#define CIVIL_SECOND 1000000000ll
#define CIVIL_DAY (86400 * CIVIL_SECOND)

struct civil {
	int64_t day; /* since 1970 */
	int year;
	unsigned month, mday;
	uint64_t ns; /* since midnight */
};

/* Day and time of day at that place; the date is left 0. */
struct civil civil_split(int64_t wall, int32_t offset);
/* The date of a day since 1970. */
void civil_from_day(int64_t day, struct civil *c);
int64_t civil_to_day(int year, unsigned month, unsigned mday);

#endif
