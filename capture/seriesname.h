/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seriesname.h - the names of the files of a series: of trace.etz
 * trace-20261121T171237.123Z.etz and the like, the time in UTC, so that they sort by
 * time whoever lists them.
 */
#ifndef EXECTRACE_SERIESNAME_H
#define EXECTRACE_SERIESNAME_H

#include <stdbool.h>
#include <stdint.h>

#define SERIES_NAME 256		/* bytes of a name with its NUL: NAME_MAX */
#define SERIES_LAST 253402300799999ull	/* ms: the last moment that four digits of a year have */

/*
 * The name at that time, ms since 1970, up to SERIES_LAST. False: it would be too long.
 */
bool series_name(const char *base, uint64_t ms, char name[SERIES_NAME]);
/* Whether name is one of that series, and of what time. */
bool series_name_is(const char *base, const char *name, uint64_t *ms);

#endif
