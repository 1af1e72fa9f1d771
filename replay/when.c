/* SPDX-License-Identifier: BSD-2-Clause */
#include "when.h"

#include <string.h>

#include "times.h"

static const struct {
	const char *name;
	unsigned width;
} ways[] = {
	[WHEN_ABSOLUTE] = { "absolute", 15 }, /* 09:00:00.123456 */
	[WHEN_RELATIVE] = { "relative", 12 },
	[WHEN_DELTA] = { "delta", 12 },
	[WHEN_ISO] = { "iso", 35 }, /* 2026-11-20T09:00:00.123456789+01:00 */
	[WHEN_UNIX] = { "unix", 20 },
};

bool when_parse(const char *name, enum when_way *way)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, name))
			continue;
		*way = (enum when_way)i;
		return true;
	}
	return false;
}

unsigned when_width(const struct when *w)
{
	if (w->way == WHEN_ABSOLUTE && w->date)
		return 26;
	return w->way == WHEN_ISO && w->utc ? 30 : ways[w->way].width;
}

bool when_counts(const struct when *w)
{
	return w->way == WHEN_RELATIVE || w->way == WHEN_DELTA || w->way == WHEN_UNIX;
}

/* The difference of any two times, which need not fit into 64 bits with a sign. */
static void put_since(const struct when *w, struct out *o, int64_t wall)
{
	int64_t since = w->begun ? w->since : wall;
	bool before = wall < since;
	uint64_t ns = before ? (uint64_t)since - (uint64_t)wall : (uint64_t)wall - (uint64_t)since;

	if (before)
		out_char(o, '-');
	times_seconds(o, ns, w->exact ? 9 : 6);
}

void when_put(const struct when *w, struct out *o, int64_t wall, int32_t offset)
{
	int32_t zone = w->utc ? 0 : offset;

	switch (w->way) {
	case WHEN_ABSOLUTE:
		if (w->date) {
			times_date(o, wall, zone);
			out_char(o, 'T');
		}
		times_clock(o, wall, zone);
		break;
	case WHEN_RELATIVE:
	case WHEN_DELTA:
		put_since(w, o, wall);
		break;
	case WHEN_ISO:
		if (w->utc)
			times_rfc3339(o, wall);
		else
			times_iso(o, wall, zone);
		break;
	case WHEN_UNIX:
		if (wall < 0)
			out_char(o, '-');
		times_seconds(o, wall < 0 ? -(uint64_t)wall : (uint64_t)wall, 9);
		break;
	}
}

void when_pass(struct when *w, int64_t wall)
{
	if (!w->begun || w->way == WHEN_DELTA)
		w->since = wall;
	w->begun = true;
}
