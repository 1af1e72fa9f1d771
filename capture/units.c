/* SPDX-License-Identifier: BSD-2-Clause */
#include "units.h"

#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit times[] = {
	{ "", 1000000000 },
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
	{ NULL, 0 },
};

/*
 * Digits with at most nine behind a point, then a unit. Own arithmetic: strtod
 * follows the locale and takes "inf" and hexadecimal.
 */
static bool parse(const char *text, const struct unit *units, uint64_t max, uint64_t *out)
{
	unsigned __int128 value = 0;
	uint64_t scale = 1, fraction = 0;
	bool digits = false;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++, digits = true) {
		value = value * 10 + (unsigned)(*p - '0');
		if (value > max)
			return false;
	}
	if (digits && *p == '.') {
		for (p++, digits = false; *p >= '0' && *p <= '9'; p++, digits = true) {
			if (scale == 1000000000)
				return false;
			fraction = fraction * 10 + (unsigned)(*p - '0');
			scale *= 10;
		}
	}
	if (!digits)
		return false;
	for (const struct unit *u = units; u->name; u++) {
		if (strcmp(p, u->name) != 0)
			continue;
		/* 2^62 and 10^9 at most, times 2^47: neither overflows. */
		value = value * u->factor +
			(unsigned __int128)fraction * u->factor / scale;
		if (value > max)
			return false;
		*out = (uint64_t)value;
		return true;
	}
	return false;
}

bool units_time(const char *text, uint64_t *ns)
{
	return parse(text, times, 36500ull * 86400 * 1000000000, ns);
}

bool units_size(const char *text, uint64_t *bytes)
{
	return parse(text, sizes, 1ull << 62, bytes);
}

bool units_count(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };
	uint64_t value;

	if (strchr(text, '.') || !parse(text, plain, max, &value) || value < min)
		return false;
	*out = value;
	return true;
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
