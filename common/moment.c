/* SPDX-License-Identifier: BSD-2-Clause */
#include "moment.h"

#include <string.h>

#include "civil.h"
#include "units.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly n digits. */
static bool take_digits(const char **at, unsigned n, unsigned *out)
{
	*out = 0;
	for (; n > 0; n--, ++*at) {
		if (!is_digit(**at))
			return false;
		*out = *out * 10 + (unsigned)(**at - '0');
	}
	return true;
}

/* ".5": digits after the ninth are cut. */
static bool take_fraction(const char **at, int64_t *ns)
{
	int64_t unit = CIVIL_SECOND / 10;

	*ns = 0;
	if (**at != '.')
		return true;
	if (!is_digit(*++*at))
		return false;
	for (; is_digit(**at); ++*at, unit /= 10)
		*ns += (**at - '0') * unit;
	return true;
}

static bool take_clock(const char **at, int64_t *ns)
{
	unsigned h, m, s = 0;

	*ns = 0;
	if (!take_digits(at, 2, &h) || *(*at)++ != ':' || !take_digits(at, 2, &m))
		return false;
	if (**at == ':') {
		++*at;
		if (!take_digits(at, 2, &s) || !take_fraction(at, ns))
			return false;
	}
	*ns += (int64_t)(h * 3600 + m * 60 + s) * CIVIL_SECOND;
	return h < 24 && m < 60 && s <= 60;
}

/* Z, +02, +0200, +02:00, or nothing. */
static bool take_zone(const char **at, bool *zoned, int32_t *offset)
{
	bool west = **at == '-';
	unsigned h, m = 0;

	if (**at == 'Z' || **at == 'z') {
		++*at;
		*zoned = true;
		*offset = 0;
		return true;
	}
	if (!west && **at != '+')
		return true;
	++*at;
	if (!take_digits(at, 2, &h))
		return false;
	if (**at == ':')
		++*at;
	if (is_digit(**at) && !take_digits(at, 2, &m))
		return false;
	*zoned = true;
	*offset = (int32_t)(h * 3600 + m * 60) * (west ? -1 : 1);
	return h <= 18 && m < 60;
}

static bool take_date(const char **at, int64_t *ns)
{
	unsigned year, month, mday;
	int64_t day;
	struct civil back;

	if (!take_digits(at, 4, &year) || *(*at)++ != '-' || !take_digits(at, 2, &month) ||
	    *(*at)++ != '-' || !take_digits(at, 2, &mday))
		return false;
	if (year < 1970 || year > 2261 || month < 1 || month > 12 || mday < 1)
		return false;
	/* February 30th comes back as another day. */
	day = civil_to_day((int)year, month, mday);
	civil_from_day(day, &back);
	*ns = day * CIVIL_DAY;
	return back.mday == mday && back.month == month;
}
/* Behind @: seconds, with a fraction or not. */
static bool take_seconds(const char **at, int64_t *ns)
{
	int64_t s = 0, fraction;

	if (!is_digit(**at))
		return false;
	for (; is_digit(**at); ++*at)
		if (__builtin_mul_overflow(s, 10, &s) ||
		    __builtin_add_overflow(s, **at - '0', &s))
			return false;
	return take_fraction(at, &fraction) && !__builtin_mul_overflow(s, CIVIL_SECOND, ns) &&
	       !__builtin_add_overflow(*ns, fraction, ns);
}

/* Behind +, to the end. */
static bool take_span(const char **at, int64_t *ns)
{
	uint64_t span;

	if (!units_time(*at, &span))
		return false;
	*at += strlen(*at);
	*ns = (int64_t)span;
	return true;
}

bool moment_parse(const char *text, struct moment *out)
{
	const char *at = text;
	struct moment p = { .form = MOMENT_WALL };
	int64_t clock;

	if (*at == '+') {
		at++;
		p.form = MOMENT_RELATIVE;
		if (!take_span(&at, &p.ns))
			return false;
	} else if (*at == '@') {
		at++;
		p.zoned = true;
		if (!take_seconds(&at, &p.ns))
			return false;
	} else if (strlen(at) > 2 && at[2] == ':') {
		p.form = MOMENT_OF_DAY;
		if (!take_clock(&at, &p.ns) || !take_zone(&at, &p.zoned, &p.offset))
			return false;
	} else {
		if (!take_date(&at, &p.ns))
			return false;
		if (*at == ' ' || *at == 'T') {
			at++;
			if (!take_clock(&at, &clock))
				return false;
			p.ns += clock;
		}
		if (!take_zone(&at, &p.zoned, &p.offset))
			return false;
	}
	if (*at)
		return false;
	*out = p;
	return true;
}

int64_t moment_resolve(const struct moment *p, int64_t start, int32_t offset)
{
	int64_t base = 0, wall;

	if (p->zoned)
		offset = p->offset;
	if (p->form == MOMENT_RELATIVE)
		return __builtin_add_overflow(start, p->ns, &wall) ? INT64_MAX : wall;
	if (p->form == MOMENT_OF_DAY &&
	    __builtin_mul_overflow(civil_split(start, offset).day, CIVIL_DAY, &base))
		return INT64_MAX;
	if (__builtin_add_overflow(base, p->ns, &wall) ||
	    __builtin_sub_overflow(wall, offset * CIVIL_SECOND, &wall))
		return INT64_MAX;
	return wall;
}

bool moment_parse_offset(const char *text, int32_t *offset)
{
	const char *at = text;
	bool zoned = false, west = *at == '-';
	uint32_t s = 0;

	if (strchr(text, ':'))
		return take_zone(&at, &zoned, offset) && zoned && !*at;
	if (*at == '-' || *at == '+')
		at++;
	if (!is_digit(*at))
		return false;
	for (; is_digit(*at) && s <= 86400; at++)
		s = s * 10 + (uint32_t)(*at - '0');
	if (*at || s > 18 * 3600)
		return false;
	*offset = west ? -(int32_t)s : (int32_t)s;
	return true;
}
