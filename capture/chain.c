/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "binaries.h"
#include "clock.h"
#include "living.h"
#include "names.h"
#include "output.h"
#include "queue.h"
#include "series.h"

/* What is still looked at when a file ends is waited for: ms. */
#define PATIENCE_CUT 50u
#define PATIENCE_END 2000u
/* After a failure of one of several files it is tried again so often, ns. */
#define RETRY_EVERY 1000000000ull
/*
 * A new segment begins so long before the last event that was seen, ns: programs on
 * different CPUs take the time of an event before they put it into the ring, so that what
 * comes later may be earlier.
 */
#define OVERLAP 50000000ull

/* Size of the output at hand, with all of its segments. */
static uint64_t size_here(const struct chain *c)
{
	return c->segment.at + c->segment.whole;
}

uint64_t chain_bytes(const struct chain *c)
{
	return c->closed_bytes + size_here(c);
}

/* ---- Who lives ------------------------------------------------------------------ */

struct taker {
	struct chain *c;
	segment_proc_fn *fn;
	void *ctx;
};

static int take_first(void *ctx, const struct et_event *ev)
{
	struct taker *t = ctx;

	if (t->c->living)
		living_take(t->c->living, ev);
	return t->fn(t->ctx, ev);
}

/* When recording begins: as /proc has it. */
static int each_first(void *ctx, segment_proc_fn *fn, void *fn_ctx)
{
	struct chain *c = ctx;
	struct taker t = { c, fn, fn_ctx };

	return snapshot_scan(&c->setup->snapshot, take_first, &t);
}

static bool lives(uint32_t pid)
{
	return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

static void sweep(struct chain *c)
{
	/* In another pid namespace the numbers would be others'. */
	if (c->setup->with_snapshot)
		living_sweep(c->living, lives, clock_boot(),
			     c->latest.ts - (c->latest.ts < OVERLAP ? c->latest.ts : OVERLAP));
	memcpy(c->swept, c->lost, sizeof(c->swept));
}

/* Later: as the events before tell. */
static int each_later(void *ctx, segment_proc_fn *fn, void *fn_ctx)
{
	struct chain *c = ctx;

	sweep(c);
	return living_each(c->living, c->started, fn, fn_ctx);
}

static void follow(struct chain *c, const struct parcel *p)
{
	struct et_event ev;

	if (!c->living)
		return;
	et_walk_begin(c->walk, p->rows);
	while (et_walk_next(c->walk, LIVING_KINDS, &ev))
		living_take(c->living, &ev);
	/* Ends may be among what was lost: soon, so that it is known by the next file. */
	if (memcmp(c->swept, c->lost, sizeof(c->swept)) != 0)
		sweep(c);
}

/* ---- Segments ------------------------------------------------------------------- */

static void note_error(struct chain *c)
{
	c->failed = true;
	c->report.error = c->segment.error;
	c->report.error.at += c->segment.at;
}

bool chain_begin(struct chain *c)
{
	const struct segment_procs procs = { each_first, c };

	c->report.segments++;
	c->begun = segment_begin(&c->segment, c->started, 0, c->told,
				 c->setup->with_snapshot ? &procs : NULL);
	c->report.snapshot_error = c->segment.proc_error;
	if (!c->begun) {
		note_error(c);
		c->report.trim_error = segment_cut(&c->segment);
	}
	return c->begun;
}

/* What is lost and no row tells of, up to the latest event. */
static bool tell_losses(struct chain *c)
{
	uint64_t counts[ET_CAUSE_END], any = 0;

	for (unsigned i = 0; i < ET_CAUSE_END; i++) {
		counts[i] = c->lost[i] - c->told[i];
		any |= counts[i];
	}
	if (any && !segment_losses(&c->segment, counts, c->first, c->latest, c->lost))
		return false;
	memcpy(c->told, c->lost, sizeof(c->told));
	c->first = UINT64_MAX;
	return true;
}

/* Behind what is in the output, or in the next file. */
static bool begin_later(struct chain *c, uint64_t at)
{
	const struct segment_procs procs = { each_later, c };

	c->started = c->latest;
	c->started.ts -= c->latest.ts < OVERLAP ? c->latest.ts : OVERLAP;
	if (!segment_begin(&c->segment, c->started, at, c->told, &procs) || !tell_losses(c))
		return false;
	c->report.segments++;
	return true;
}

static void close_segment(struct chain *c)
{
	segment_stats(&c->segment, &c->report.stats);
	segment_close(&c->segment);
}

static void go_to_next(struct chain *c)
{
	c->closed_bytes += size_here(c);
	output_next(c->setup->output, c->latest.ts);
	c->removed = c->stays = false;
}

/* What came of a next file, for those who asked for one: why_not is NULL, or says why there is none. */
static void tell(struct chain *c, const char *why_not)
{
	output_told(c->setup->output, why_not);
	c->outcomes++;
}

/* ---- When it cannot be written -------------------------------------------------------- */

static const char *why(const struct chain *c)
{
	const struct et_error *e = &c->report.error;

	return e->code == ET_IO ? strerror(e->sys) : e->what;
}

static void block(struct chain *c)
{
	c->retry_at = clock_boot() + RETRY_EVERY;
	notes_put(c->notes, "cannot write %s: %s; what is executed from now on is lost, and "
		  "counted, until it can be written again", output_path(c->setup->output), why(c));
}

/* Where the losses are, or, in less room, how many they are; and END. */
static void end_short(struct chain *c, struct et_clock ended, const char *reason)
{
	struct segment *s = &c->segment;

	c->latest = ended;
	if (!tell_losses(c))
		c->report.trim_error = segment_cut(s);
	if (c->report.trim_error)
		return;
	if (segment_end_short(s, ended, c->lost, reason)) {
		memcpy(c->told, c->lost, sizeof(c->told));
		c->first = UINT64_MAX;
	} else {
		c->report.trim_error = segment_cut(s);
	}
}

/*
 * The file stays readable up to its last whole record. What the system had taken of the
 * record that failed is room again, which nearly always suffices to say what is not in the
 * file and why: at once where another one may follow, else when it is known.
 */
static void give_up(struct chain *c)
{
	note_error(c);
	c->report.trim_error = segment_cut(&c->segment);
	if (!c->living)
		return;
	if (!c->report.trim_error && !c->segment.ended)
		end_short(c, c->latest, "error: cannot write");
	close_segment(c);
	block(c);
}

static void undo(struct chain *c)
{
	note_error(c);
	segment_undo(&c->segment);
	/* A file in which there is nothing is of no use. */
	c->removed = !c->segment.at;
	if (c->removed)
		output_abandon(c->setup->output);
}

/* Whether it can be written again: to the next file, or else behind what is there. */
static bool resume(struct chain *c)
{
	uint64_t lost = c->lost[ET_CAUSE_WRITE_FAILED] - c->told[ET_CAUSE_WRITE_FAILED];
	uint64_t now = clock_boot();

	if (now < c->retry_at)
		return false;
	c->retry_at = now + RETRY_EVERY;
	if (output_make_next(c->setup->output) == 0) {
		go_to_next(c);
		c->segment.at = 0;
	} else if (c->removed) {
		return false;
	}
	if (!begin_later(c, c->segment.at)) {
		undo(c);
		return false;
	}
	c->failed = false;
	tell(c, NULL);
	notes_put(c->notes, "goes on in %s; %llu events could not be written",
		  output_path(c->setup->output), (unsigned long long)lost);
	return true;
}

/* ---- Parcels ---------------------------------------------------------------------------- */

/* Ends this segment and begins the next one, in another file or another part of memory. */
static void cut(struct chain *c)
{
	int error = output_make_next(c->setup->output);

	if (error) {
		c->retry_at = clock_boot() + RETRY_EVERY;
		if (!c->stays)
			notes_put(c->notes, "cannot begin the next file: %s; recording goes on in %s",
				  series_why(error), output_path(c->setup->output));
		c->stays = true;
		tell(c, series_why(error));
		return;
	}
	if (!segment_end(&c->segment, c->latest, c->lost, "the next file goes on", PATIENCE_CUT)) {
		give_up(c);
		tell(c, why(c));
		return;
	}
	close_segment(c);
	go_to_next(c);
	if (begin_later(c, 0)) {
		tell(c, NULL);
		return;
	}
	undo(c);
	block(c);
	tell(c, why(c));
}

/* It is large enough, or old enough, or should have ended already. */
static bool is_full(const struct chain *c)
{
	if (c->stays)
		return clock_boot() >= c->retry_at;
	if (!c->segment.has_rows)
		return false;
	return (c->setup->cut_bytes && size_here(c) >= c->setup->cut_bytes) ||
	       (c->setup->cut_age && c->latest.ts - c->started.ts >= c->setup->cut_age);
}

static void note_first(struct chain *c, const struct et_batch *b)
{
	uint64_t first, last;

	if (et_batch_times(b, &first, &last) && first < c->first)
		c->first = first;
}

/* Its events are lost; those that it says were lost before are told with them. */
static void drop_parcel(struct chain *c, const struct parcel *p)
{
	note_first(c, p->rows);
	c->report.unwritten += et_batch_rows(p->rows);
	c->lost[ET_CAUSE_WRITE_FAILED] += et_batch_rows(p->rows);
}

/* What it says of how far everything was seen, and of what was lost up to there. */
static void look_at(struct chain *c, const struct parcel *p)
{
	uint64_t first, last;

	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		c->lost[i] = p->lost[i];
	c->lost[ET_CAUSE_WRITE_FAILED] += c->report.unwritten;
	c->latest.offset = p->seen.offset;
	if (et_batch_times(p->rows, &first, &last) && last > c->latest.ts)
		c->latest.ts = last;
	if (p->seen.ts > c->latest.ts)
		c->latest.ts = p->seen.ts;
}

static void write_parcel(struct chain *c, const struct parcel *p)
{
	bool rows, ok = segment_parcel(&c->segment, p, c->lost, &rows);

	if (ok) {
		memcpy(c->told, c->lost, sizeof(c->told));
		return;
	}
	note_first(c, p->losses);
	if (!rows)
		drop_parcel(c, p);
	give_up(c);
}

/*
 * What is in memory goes to a file: all but the segment at hand. One that cannot be written
 * any more has ended, and goes with the others.
 */
static void dump(struct chain *c)
{
	if (c->failed && output_make_next(c->setup->output) == 0) {
		go_to_next(c);
		c->segment.at = 0;
	}
	output_dump(c->setup->output);
}

void chain_take(struct chain *c, const struct parcel *p)
{
	/* Another segment begins with what was known before the parcel that is in it. */
	bool writes = !c->failed || (c->living && c->begun && resume(c));

	look_at(c, p);
	if (writes) {
		write_parcel(c, p);
	} else {
		note_first(c, p->losses);
		drop_parcel(c, p);
	}
	follow(c, p);
	if (!c->failed && c->living && (p->marks || is_full(c)))
		cut(c);
	else if (c->failed && p->marks & PARCEL_CUT)
		tell(c, why(c));
	if (p->marks & PARCEL_DUMP)
		dump(c);
}

/* ---- The end ---------------------------------------------------------------------------- */

void chain_finish(struct chain *c, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		  const char *reason)
{
	if (!c->begun)
		return;
	memcpy(c->lost, lost, sizeof(c->lost));
	c->lost[ET_CAUSE_WRITE_FAILED] += c->report.unwritten;
	c->retry_at = 0;
	if (c->failed && c->living)
		resume(c);
	if (!c->failed && !segment_end(&c->segment, ended, c->lost, reason, PATIENCE_END)) {
		note_error(c);
		c->report.trim_error = segment_cut(&c->segment);
	} else if (c->failed && !c->living && !c->report.trim_error &&
		   output_is_file(c->setup->output)) {
		end_short(c, ended, reason);
	}
	c->report.ended = c->segment.ended;
	if (!c->failed)
		c->report.error = (struct et_error){ .code = ET_OK };
	/* All of it goes to a file. */
	if (output_dumps(c->setup->output) && output_kept(c->setup->output)) {
		close_segment(c);
		/* Nothing may be held that the next segment could take where memory is short. */
		dumper_finish(output_dumps(c->setup->output));
		if (output_make_next(c->setup->output) == 0)
			output_next(c->setup->output, ended.ts);
		output_dump(c->setup->output);
		dumper_finish(output_dumps(c->setup->output));
	}
	segment_stats(&c->segment, &c->report.stats);
}

bool chain_init(struct chain *c, const struct writer_setup *setup, struct notes *notes)
{
	*c = (struct chain){
		.setup = setup,
		.notes = notes,
		.names = names_new(setup->names, setup->several),
		.first = UINT64_MAX,
		.started = setup->options.started,
		.latest = setup->options.started,
	};
	c->common = (struct segment_setup){
		.output = setup->output,
		.binaries = setup->binaries,
		.names = c->names,
		.options = setup->options,
		.pairs = setup->pairs,
		.n_pairs = setup->n_pairs,
	};
	c->segment.setup = &c->common;
	if (!setup->several)
		return c->names;
	c->living = living_new(setup->everything);
	c->walk = et_walk_new();
	/* All zero would mean that there is no series: once in 2^64 times. */
	return c->names && c->living && c->walk &&
	       getrandom(c->common.options.series, sizeof(c->common.options.series), 0) ==
		       sizeof(c->common.options.series);
}

void chain_free(struct chain *c)
{
	segment_free(&c->segment);
	names_free(c->names);
	living_free(c->living);
	et_walk_free(c->walk);
}
