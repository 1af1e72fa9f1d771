/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * times.h - wall clock times and durations as they are shown.
 *
 * A wall time is ns since 1970 UTC, an offset the seconds that local time is
 * ahead of UTC. Both come from the capture; the reader's own zone plays no part.
 */
#ifndef EXECTRACE_TIMES_H
#define EXECTRACE_TIMES_H

#include <stdint.h>

#include "out.h"

/* 2026-11-20T09:00:00.123456789Z */
void times_rfc3339(struct out *o, int64_t wall);
/* 2026-11-20T10:00:00.123456789+01:00: the same moment as the clocks there showed it */
void times_iso(struct out *o, int64_t wall, int32_t offset);
/* 12.345678: seconds and so many digits of a second, 6 or 9; cut. */
void times_seconds(struct out *o, uint64_t ns, unsigned digits);
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

#endif
