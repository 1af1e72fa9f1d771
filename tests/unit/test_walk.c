/* SPDX-License-Identifier: BSD-2-Clause */
/* test_walk.c - what was added to a batch comes out of it again, whichever kinds are wanted. */
#include "check.h"
#include "events.h"

#define EVENTS 3000u

static char text[1u << 16];
static struct et_event added[EVENTS];

static void fill(struct et_batch *b)
{
	static const int64_t offsets[] = { 1000, -5, 77 };
	uint64_t ts = 1000000;

	for (unsigned i = 0; i < EVENTS; i++) {
		struct et_event ev;

		rng_event(&ev, 1 + (unsigned)(rng() % (ET_KIND_END - 1)), &ts, text);
		/* Later than all before it, so that three clocks do not overlap. */
		ev.v[ET_F_TS].u = ts += 5000;
		ev.realtime = offsets[i * 3 / EVENTS];
		CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
		added[i] = event_copy(&ev);
	}
}

/* A number that a kind carries is known when it is read back, as 0 if nobody set it. */
static void complete(struct et_event *ev)
{
	for (unsigned f = 1; f < ET_FIELD_END; f++)
		if (et_fields[f].name && et_fields[f].type == ET_UINT &&
		    (et_fields[f].kinds >> ev->v[ET_F_KIND].u & 1) && !ET_HAS(ev, f))
			et_set_uint(ev, (enum et_field_id)f, 0);
}

static void walk(struct et_walk *w, const struct et_batch *b, unsigned kinds)
{
	struct et_event ev;
	unsigned i = 0;

	et_walk_begin(w, b);
	while (et_walk_next(w, kinds, &ev)) {
		while (i < EVENTS && !(kinds >> added[i].v[ET_F_KIND].u & 1))
			i++;
		CHECK(i < EVENTS);
		if (i == EVENTS)
			return;
		CHECK(!event_differs(&added[i], &ev));
		CHECK(added[i].realtime == ev.realtime);
		i++;
	}
	while (i < EVENTS && !(kinds >> added[i].v[ET_F_KIND].u & 1))
		i++;
	CHECK(i == EVENTS);
}

int main(void)
{
	struct et_batch *b = et_batch_new(), *empty = et_batch_new();
	struct et_walk *w = et_walk_new();

	fill(b);
	for (unsigned i = 0; i < EVENTS; i++)
		complete(&added[i]);
	for (unsigned kinds = 0; kinds < 1u << ET_KIND_END; kinds += 2)
		walk(w, b, kinds);
	et_walk_begin(w, empty);
	CHECK(!et_walk_next(w, ~0u, &added[0]));
	et_batch_reset(b);
	et_walk_begin(w, b);
	CHECK(!et_walk_next(w, ~0u, &added[0]));
	for (unsigned i = 0; i < EVENTS; i++)
		event_free(&added[i]);
	et_walk_free(w);
	et_batch_free(b);
	et_batch_free(empty);
	return check_result();
}
