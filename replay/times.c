/* SPDX-License-Identifier: BSD-2-Clause */
#include "times.h"

#include "civil.h"

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
	uint64_t s = ns / CIVIL_SECOND, frac = ns % CIVIL_SECOND;

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
	struct civil c = civil_split(wall, 0);
	char *p = out_room(o, 32), *end;

	end = put_date(p, &c);
	*end++ = 'T';
	end = put_clock(end, c.ns, 9);
	*end++ = 'Z';
	o->len += (size_t)(end - p);
}

static char *put_offset(char *p, int32_t offset)
{
	unsigned minutes = (unsigned)(offset < 0 ? -offset : offset) / 60;

	*p++ = offset < 0 ? '-' : '+';
	p = put(p, 2, minutes / 60 % 100);
	*p++ = ':';
	return put(p, 2, minutes % 60);
}

void times_iso(struct out *o, int64_t wall, int32_t offset)
{
	/* No more of an offset than can be written: the moment has to be the same. */
	struct civil c = civil_split(wall, offset - offset % 60);
	char *p = out_room(o, 40), *end;

	end = put_date(p, &c);
	*end++ = 'T';
	end = put_clock(end, c.ns, 9);
	end = put_offset(end, offset);
	o->len += (size_t)(end - p);
}

void times_seconds(struct out *o, uint64_t ns, unsigned digits)
{
	uint64_t part = ns % CIVIL_SECOND;
	char *p;

	out_uint(o, ns / CIVIL_SECOND);
	p = out_room(o, 10);
	*p = '.';
	put(p + 1, digits, digits == 6 ? part / 1000 : part);
	o->len += 1 + digits;
}

void times_clock(struct out *o, int64_t wall, int32_t offset)
{
	struct civil c = civil_split(wall, offset);
	char *p = out_room(o, 16);

	o->len += (size_t)(put_clock(p, c.ns, 6) - p);
}

void times_date(struct out *o, int64_t wall, int32_t offset)
{
	struct civil c = civil_split(wall, offset);
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
	return civil_split(wall, offset).day;
}

void times_zone(struct out *o, int32_t offset)
{
	char *p;

	out_bytes(o, "UTC", 3);
	if (!offset)
		return;
	p = out_room(o, 6);
	o->len += (size_t)(put_offset(p, offset) - p);
}

/* Number, then a unit with what is left of the one before in two digits. */
static void put_two(struct out *o, uint64_t whole, char unit, uint64_t rest, char small)
{
	char *p;

	out_uint(o, whole);
	p = out_room(o, 4);
	p[0] = unit;
	put(p + 1, 2, rest);
	p[3] = small;
	o->len += 4;
}

void times_duration(struct out *o, uint64_t ns)
{
	static const struct {
		uint64_t unit;
		char name[3];
	} small[] = { { 1000, "us" }, { 1000000, "ms" }, { 1000000000, "s" } };
	uint64_t s = ns / 1000000000;

	if (ns < 1000) {
		out_uint(o, ns);
		out_bytes(o, "ns", 2);
	} else if (s < 60) {
		int i = ns < 1000000 ? 0 : ns < 1000000000 ? 1 : 2;
		uint64_t whole = ns / small[i].unit;
		uint64_t milli = ns % small[i].unit * 1000 / small[i].unit;
		unsigned digits = whole < 10 ? 3 : whole < 100 ? 2 : 1;
		char *p;

		for (unsigned d = digits; d < 3; d++)
			milli /= 10;
		out_uint(o, whole);
		p = out_room(o, 4);
		*p = '.';
		put(p + 1, digits, milli);
		o->len += 1 + digits;
		out_text(o, small[i].name);
	} else if (s < 3600) {
		put_two(o, s / 60, 'm', s % 60, 's');
	} else if (s < 86400) {
		put_two(o, s / 3600, 'h', s / 60 % 60, 'm');
	} else {
		put_two(o, s / 86400, 'd', s / 3600 % 24, 'h');
	}
}
