/* SPDX-License-Identifier: BSD-2-Clause */
#include "units.h"

#include <stdio.h>
#include <string.h>

#define TIME_MAX (36500ull * 86400 * 1000000000)

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit times[] = {
	{ "", 1000000000 },
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
	{ "d", 86400000000000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "K", 1ull << 10 },
	{ "k", 1ull << 10 },
	{ "KiB", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "MiB", 1ull << 20 },
	{ "G", 1ull << 30 },
	{ "GiB", 1ull << 30 },
	{ "T", 1ull << 40 },
	{ "TiB", 1ull << 40 },
	{ NULL, 0 },
};

static const struct unit numbers[] = {
	{ "", 1 },
	{ "k", 1000 },
	{ "K", 1000 },
	{ "M", 1000000 },
	{ NULL, 0 },
};

static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The unit whose name is all that stands at p up to a digit or the end. */
static const struct unit *find_unit(const struct unit *units, const char *p)
{
	size_t len = strcspn(p, "0123456789");

	for (const struct unit *u = units; u->name; u++)
		/* The one without a name is for the last number alone. */
		if (strlen(u->name) == len && !memcmp(u->name, p, len) && (len || !*p))
			return u;
	return NULL;
}

/*
 * Digits, with a point among them or not, and a unit: adds what that is to *sum. Own
 * arithmetic: strtod follows the locale and takes "inf" and hexadecimal.
 */
static bool take(const char **at, const struct unit *units, uint64_t max, uint64_t *sum)
{
	unsigned __int128 value = 0;
	uint64_t scale = 1, fraction = 0;
	const struct unit *u;
	const char *p = *at;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++) {
		value = value * 10 + (unsigned)(*p - '0');
		if (value > max)
			return false;
	}
	if (*p == '.') {
		if (!is_digit(*++p))
			return false;
		/* No unit is so large that more digits would count. */
		for (; is_digit(*p); p++) {
			if (scale == 1000000000000000000)
				continue;
			fraction = fraction * 10 + (unsigned)(*p - '0');
			scale *= 10;
		}
	}
	u = find_unit(units, p);
	if (!u)
		return false;
	/* 2^63 times 2^47 at most: neither overflows. */
	value = value * u->factor + (unsigned __int128)fraction * u->factor / scale + *sum;
	if (value > max)
		return false;
	*sum = (uint64_t)value;
	*at = p + strlen(u->name);
	return true;
}

bool units_time(const char *text, uint64_t *ns)
{
	*ns = 0;
	do {
		if (!take(&text, times, TIME_MAX, ns))
			return false;
	} while (*text);
	return true;
}

bool units_size(const char *text, uint64_t *bytes)
{
	*bytes = 0;
	return take(&text, sizes, 1ull << 62, bytes) && !*text;
}

bool units_number(const char *text, uint64_t max, uint64_t *out)
{
	*out = 0;
	return take(&text, numbers, max, out) && !*text;
}

bool units_count(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	*out = 0;
	return !strchr(text, '.') && take(&text, plain, max, out) && *out >= min;
}

char *units_show_size(uint64_t bytes, char buf[UNITS_TEXT])
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	unsigned i = 0;

	if (bytes < 1024) {
		snprintf(buf, UNITS_TEXT, "%u bytes", (unsigned)bytes);
		return buf;
	}
	while (value >= 1024 && i + 1 < sizeof(names) / sizeof(names[0])) {
		value /= 1024;
		i++;
	}
	snprintf(buf, UNITS_TEXT, "%.1f %s", value, names[i]);
	return buf;
}
