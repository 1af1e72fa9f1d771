/* SPDX-License-Identifier: BSD-2-Clause */
#include "civil.h"

static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return a % b < 0 ? q - 1 : q;
}

/* Days of the Gregorian calendar in eras of 400 years from March 1st. */
void civil_from_day(int64_t day, struct civil *c)
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

int64_t civil_to_day(int year, unsigned month, unsigned mday)
{
	int64_t y = year - (month <= 2), era = floor_div(y, 400);
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + mday - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Whole seconds and their ns are kept apart, so that an offset cannot overflow. */
struct civil civil_split(int64_t wall, int32_t offset)
{
	int64_t s = floor_div(wall, CIVIL_SECOND), ns = wall % CIVIL_SECOND;
	struct civil c = { 0 };

	if (ns < 0)
		ns += CIVIL_SECOND;
	s += offset;
	c.day = floor_div(s, 86400);
	c.ns = (uint64_t)((s - c.day * 86400) * CIVIL_SECOND + ns);
	return c;
}
