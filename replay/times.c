/* SPDX-License-Identifier: BSD-2-Clause */
#include "times.h"

#define DAY (86400 * TIMES_SECOND)

static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return a % b < 0 ? q - 1 : q;
}

struct civil {
	int64_t day; /* since 1970 */
	int year;
	unsigned month, mday;
	uint64_t ns; /* since midnight */
};

/* Days of the Gregorian calendar in eras of 400 years from March 1st. */
static void civil_from_day(int64_t day, struct civil *c)
{
	int64_t z = day + 719468, era = floor_div(z, 146097);
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	c->mday = doy - (153 * mp + 2) / 5 + 1;
	c->month = mp < 10 ? mp + 3 : mp - 9;
	c->year = (int)(era * 400 + yoe + (c->month <= 2));
}

static int64_t day_from_civil(int year, unsigned month, unsigned mday)
{
	int64_t y = year - (month <= 2), era = floor_div(y, 400);
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + mday - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Whole seconds and their ns are kept apart, so that an offset cannot overflow. */
static struct civil split(int64_t wall, int32_t offset)
{
	int64_t s = floor_div(wall, TIMES_SECOND), ns = wall % TIMES_SECOND;
	struct civil c = { 0 };

	if (ns < 0)
		ns += TIMES_SECOND;
	s += offset;
	c.day = floor_div(s, 86400);
	c.ns = (uint64_t)((s - c.day * 86400) * TIMES_SECOND + ns);
	return c;
}

static char *put(char *p, unsigned width, uint64_t v)
{
	for (unsigned i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

static char *put_date(char *p, struct civil *c)
{
	civil_from_day(c->day, c);
	p = put(p, 4, (uint64_t)c->year);
	*p++ = '-';
	p = put(p, 2, c->month);
	*p++ = '-';
	return put(p, 2, c->mday);
}

static char *put_clock(char *p, uint64_t ns, unsigned digits)
{
	uint64_t s = ns / TIMES_SECOND, frac = ns % TIMES_SECOND;

	p = put(p, 2, s / 3600);
	*p++ = ':';
	p = put(p, 2, s / 60 % 60);
	*p++ = ':';
	p = put(p, 2, s % 60);
	*p++ = '.';
	return put(p, digits, digits == 6 ? frac / 1000 : frac);
}

void times_rfc3339(struct out *o, int64_t wall)
{
	struct civil c = split(wall, 0);
	char *p = out_room(o, 32), *end;

	end = put_date(p, &c);
	*end++ = 'T';
	end = put_clock(end, c.ns, 9);
	*end++ = 'Z';
	o->len += (size_t)(end - p);
}

void times_clock(struct out *o, int64_t wall, int32_t offset)
{
	struct civil c = split(wall, offset);
	char *p = out_room(o, 16);

	o->len += (size_t)(put_clock(p, c.ns, 6) - p);
}

void times_date(struct out *o, int64_t wall, int32_t offset)
{
	struct civil c = split(wall, offset);
	char *p = out_room(o, 16);

	o->len += (size_t)(put_date(p, &c) - p);
}

void times_moment(struct out *o, int64_t wall, int32_t offset)
{
	times_date(o, wall, offset);
	out_char(o, ' ');
	times_clock(o, wall, offset);
}

int64_t times_day(int64_t wall, int32_t offset)
{
	return split(wall, offset).day;
}

void times_zone(struct out *o, int32_t offset)
{
	unsigned minutes = (unsigned)(offset < 0 ? -offset : offset) / 60;

	out_text(o, "UTC");
	if (offset)
		out_printf(o, "%c%02u:%02u", offset < 0 ? '-' : '+', minutes / 60,
			   minutes % 60);
}

void times_duration(struct out *o, uint64_t ns)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} small[] = { { 1000, "us" }, { 1000000, "ms" }, { 1000000000, "s" } };
	uint64_t s = ns / 1000000000;

	if (ns < 1000) {
		out_printf(o, "%uns", (unsigned)ns);
	} else if (s < 60) {
		int i = ns < 1000000 ? 0 : ns < 1000000000 ? 1 : 2;
		uint64_t whole = ns / small[i].unit;
		uint64_t milli = ns % small[i].unit * 1000 / small[i].unit;
		int digits = whole < 10 ? 3 : whole < 100 ? 2 : 1;

		for (int d = digits; d < 3; d++)
			milli /= 10;
		out_printf(o, "%u.%0*u%s", (unsigned)whole, digits, (unsigned)milli,
			   small[i].name);
	} else if (s < 3600) {
		out_printf(o, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
	} else if (s < 86400) {
		out_printf(o, "%uh%02um", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
	} else {
		out_printf(o, "%llud%02uh", (unsigned long long)(s / 86400),
			   (unsigned)(s / 3600 % 24));
	}
}

/* ---- Reading ---------------------------------------------------------------- */

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
	int64_t unit = TIMES_SECOND / 10;

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
	*ns += (int64_t)(h * 3600 + m * 60 + s) * TIMES_SECOND;
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
	day = day_from_civil((int)year, month, mday);
	civil_from_day(day, &back);
	*ns = day * DAY;
	return back.mday == mday && back.month == month;
}

/* 5s, 1m30s, 1.5h, 250ms; a number alone is seconds. */
static bool take_duration(const char **at, int64_t *ns)
{
	static const struct {
		const char *name;
		int64_t unit;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", TIMES_SECOND },
		{ "m", 60 * TIMES_SECOND },
		{ "h", 3600 * TIMES_SECOND },
		{ "d", DAY },
	};
	const size_t n_units = sizeof(units) / sizeof(units[0]);

	*ns = 0;
	do {
		int64_t whole = 0, frac, part;
		size_t i, len = 0;

		if (!is_digit(**at))
			return false;
		for (; is_digit(**at); ++*at)
			if (__builtin_mul_overflow(whole, 10, &whole) ||
			    __builtin_add_overflow(whole, **at - '0', &whole))
				return false;
		if (!take_fraction(at, &frac))
			return false;
		while ((*at)[len] >= 'a' && (*at)[len] <= 'z')
			len++;
		for (i = 0; i < n_units; i++)
			if (strlen(units[i].name) == len && !memcmp(units[i].name, *at, len))
				break;
		if (!len && !**at)
			i = 3;
		if (i == n_units || __builtin_mul_overflow(whole, units[i].unit, &part) ||
		    __builtin_add_overflow(
			    part, (int64_t)((double)frac / 1e9 * (double)units[i].unit + 0.5),
			    &part) ||
		    __builtin_add_overflow(*ns, part, ns))
			return false;
		*at += len;
	} while (**at);
	return true;
}

bool times_parse(const char *text, struct times_point *out)
{
	const char *at = text;
	struct times_point p = { .form = TIMES_WALL };
	int64_t clock;

	if (*at == '+') {
		at++;
		p.form = TIMES_RELATIVE;
		if (!take_duration(&at, &p.ns))
			return false;
	} else if (*at == '@') {
		at++;
		p.zoned = true;
		if (strspn(at, "0123456789.") != strlen(at) || !take_duration(&at, &p.ns))
			return false;
	} else if (strlen(at) > 2 && at[2] == ':') {
		p.form = TIMES_OF_DAY;
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

int64_t times_resolve(const struct times_point *p, int64_t start, int32_t offset)
{
	int64_t base = 0, wall;

	if (p->zoned)
		offset = p->offset;
	if (p->form == TIMES_RELATIVE)
		return __builtin_add_overflow(start, p->ns, &wall) ? INT64_MAX : wall;
	if (p->form == TIMES_OF_DAY &&
	    __builtin_mul_overflow(times_day(start, offset), DAY, &base))
		return INT64_MAX;
	if (__builtin_add_overflow(base, p->ns, &wall) ||
	    __builtin_sub_overflow(wall, offset * TIMES_SECOND, &wall))
		return INT64_MAX;
	return wall;
}

bool times_parse_offset(const char *text, int32_t *offset)
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
