/* SPDX-License-Identifier: BSD-2-Clause */
#include "rotation.h"

#include "drain.h"
#include "options.h"
#include "output.h"
#include "queue.h"

#define NEVER UINT64_MAX

void rotation_begin(struct rotation *r, uint64_t now)
{
	r->phase = ROTATION_RUNS;
	r->cut_at = now;
	if (r->wanted & PARCEL_CUT)
		rotation_cut(r);
	if (r->wanted & PARCEL_DUMP)
		rotation_dump(r);
}

void rotation_end(struct rotation *r)
{
	r->phase = ROTATION_OVER;
}

bool rotation_cut(struct rotation *r)
{
	if (!output_is_series(r->output))
		return false;
	if (r->phase == ROTATION_RUNS)
		drain_mark(r->drain, PARCEL_CUT);
	else
		r->wanted |= PARCEL_CUT;
	return true;
}

bool rotation_dump(struct rotation *r)
{
	if (!output_dumps(r->output))
		return false;
	if (r->phase != ROTATION_RUNS) {
		r->wanted |= PARCEL_DUMP;
		return true;
	}
	/* What comes while one file is written goes to one more. */
	r->again = r->dumping;
	if (!r->dumping)
		drain_mark(r->drain, PARCEL_DUMP);
	r->dumping = true;
	return true;
}

void rotation_dumped(struct rotation *r)
{
	r->dumping = false;
	if (r->again)
		rotation_dump(r);
}

/* The last of the times at which a file is due that is not later than now. */
static void catch_up(struct rotation *r, uint64_t now)
{
	uint64_t every = r->options->rotate_time;

	r->cut_at += (now - r->cut_at) / every * every;
}

/* A file goes on as long as nothing has happened in it. */
static uint64_t cut_due(struct rotation *r, uint64_t now)
{
	if (!r->options->rotate_time)
		return NEVER;
	if (drain_events(r->drain) != r->cut_events)
		return r->cut_at + r->options->rotate_time;
	catch_up(r, now);
	return NEVER;
}

uint64_t rotation_due(struct rotation *r, uint64_t now)
{
	uint64_t due;

	if (r->phase != ROTATION_RUNS)
		return NEVER;
	due = cut_due(r, now);
	return r->matched && r->match_from < due ? r->match_from : due;
}

void rotation_run(struct rotation *r, uint64_t now)
{
	if (r->phase != ROTATION_RUNS)
		return;
	r->matched |= drain_matched(r->drain);
	if (r->matched && now >= r->match_from) {
		r->matched = false;
		r->match_from = now + r->options->trigger_interval;
		rotation_dump(r);
	}
	if (cut_due(r, now) > now)
		return;
	catch_up(r, now);
	r->cut_events = drain_events(r->drain);
	rotation_cut(r);
}
