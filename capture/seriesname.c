/* SPDX-License-Identifier: BSD-2-Clause */
#include "seriesname.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SUFFIX ".etz"
#define TIME_LEN 20u	/* of 20261121T171237.123Z */

/* Length of base without its suffix. */
static size_t stem(const char *base, const char **suffix)
{
	size_t len = strlen(base), cut = sizeof(SUFFIX) - 1;

	*suffix = "";
	if (len > cut && strcmp(base + len - cut, SUFFIX) == 0) {
		*suffix = SUFFIX;
		len -= cut;
	}
	return len;
}

bool series_name(const char *base, uint64_t ms, char name[SERIES_NAME])
{
	time_t seconds = (time_t)(ms / 1000);
	const char *suffix;
	size_t len = stem(base, &suffix);
	struct tm tm;
	int n;

	if (ms > SERIES_LAST || len >= SERIES_NAME || !gmtime_r(&seconds, &tm))
		return false;
	n = snprintf(name, SERIES_NAME, "%.*s-%04d%02d%02dT%02d%02d%02d.%03uZ%s", (int)len, base,
		     tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		     tm.tm_sec, (unsigned)(ms % 1000), suffix);
	return n > 0 && n < SERIES_NAME;
}

static bool digits(const char **p, unsigned n, int *out)
{
	*out = 0;
	for (; n; n--, ++*p) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return true;
}

static bool literal(const char **p, char c)
{
	return *(*p)++ == c;
}

bool series_name_is(const char *base, const char *name, uint64_t *ms)
{
	const char *suffix, *p;
	size_t len = stem(base, &suffix);
	char again[SERIES_NAME];
	struct tm tm = { .tm_isdst = 0 };
	int milli;
	time_t t;

	if (strncmp(name, base, len) != 0 || strlen(name) != len + 1 + TIME_LEN + strlen(suffix))
		return false;
	p = name + len;
	if (!literal(&p, '-') || !digits(&p, 4, &tm.tm_year) || !digits(&p, 2, &tm.tm_mon) ||
	    !digits(&p, 2, &tm.tm_mday) || !literal(&p, 'T') || !digits(&p, 2, &tm.tm_hour) ||
	    !digits(&p, 2, &tm.tm_min) || !digits(&p, 2, &tm.tm_sec) || !literal(&p, '.') ||
	    !digits(&p, 3, &milli))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	t = timegm(&tm);
	if (t < 0)
		return false;
	*ms = (uint64_t)t * 1000 + (unsigned)milli;
	/* No February 30, no second 61, nothing else behind the time. */
	return series_name(base, *ms, again) && strcmp(again, name) == 0;
}
