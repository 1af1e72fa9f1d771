/* SPDX-License-Identifier: BSD-2-Clause */
#include "drain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "decode.h"
#include "exectable.h"
#include "expr.h"
#include "binaries.h"
#include "ids.h"
#include "pace.h"
#include "probe.h"
#include "queue.h"
#include "wire.h"

/* Where a chunk is large enough to compress well and small enough to seek (SPEC.md 5). */
#define PARCEL_ROWS 16384u
#define PARCEL_BYTES (1u << 20)
#define CLOCK_EVERY 60000000000ull
/* While there is less to allow than there can be: as often as the loop empties the ring. */
#define PACE_EVERY 20000000ull
/* Clocks that rows on their way may need; a batch takes twice as many. */
#define CLOCKS (ET_CLOCKS_MAX / 2)

/* take_record: enough for this turn. */
#define TURN_OVER (-1)

/* Events that came from the ring but fitted into no batch. */
struct refused {
	uint64_t count, first, last;
};

struct drain {
	struct probe *probe;
	struct decoder *decoder;
	struct queue *queue;
	struct binaries *binaries;
	struct parcel *open;		/* being filled; NULL: none at hand */
	uint64_t interval;
	uint64_t due;
	unsigned marks;			/* wanted, */
	uint64_t marks_end;		/* when the ring was read up to there */
	uint64_t run_at;		/* when drain_run looked at the ring last */
	struct et_clock clocks[CLOCKS];	/* ascending in ts, the last in force */
	unsigned n_clocks;
	unsigned new_clocks;		/* of the open parcel */
	struct exectable execs;
	struct refused refused[ET_CAUSE_END];	/* not in a parcel yet */
	uint64_t refused_total[ET_CAUSE_END];
	struct pace pace;		/* rate 0: no limit */
	uint64_t skipped_at;		/* when probe_skipped() was last looked at */
	uint64_t skipped_execs;		/* what it said then */
	uint64_t counts[ET_KIND_END];
	const struct expr *trigger;	/* NULL: none */
	uint32_t trigger_kinds;
	bool matched;
	bool finished_cpus;
};

/* Keeps the place of a loss until add_refused() can write it. */
static void place(struct drain *d, uint64_t cause, uint64_t ts, uint64_t count)
{
	struct refused *r = &d->refused[cause < ET_CAUSE_END ? cause : ET_CAUSE_UNREADABLE];

	if (!r->count || ts < r->first)
		r->first = ts;
	if (!r->count || ts > r->last)
		r->last = ts;
	r->count += count;
}

/* The offset of the wall clock at ts. */
static int64_t realtime_at(const struct drain *d, uint64_t ts)
{
	unsigned i = d->n_clocks - 1;

	while (i && d->clocks[i].ts > ts)
		i--;
	return d->clocks[i].offset;
}

/* One LOST row per cause that place() was told of since the last time. */
static void add_refused(struct drain *d)
{
	for (unsigned cause = 1; cause < ET_CAUSE_END; cause++) {
		struct refused *r = &d->refused[cause];
		struct et_event ev = { .realtime = realtime_at(d, r->first) };

		if (!r->count)
			continue;
		et_set_uint(&ev, ET_F_KIND, ET_LOST);
		et_set_uint(&ev, ET_F_TS, r->first);
		et_set_uint(&ev, ET_F_UNTIL, r->last);
		et_set_uint(&ev, ET_F_COUNT, r->count);
		et_set_uint(&ev, ET_F_CAUSE, cause);
		/* Without memory even for this it stays for the next parcel. */
		if (et_batch_add(d->open->losses, &ev, NULL) == ET_OK)
			r->count = 0;
	}
}

/* Events that the kernel showed to no program: between two looks at how many there are. */
static void place_skipped(struct drain *d, uint64_t now)
{
	uint64_t *total = &d->refused_total[ET_CAUSE_SKIPPED];
	uint64_t execs, skipped = probe_skipped(d->probe, &execs);

	if (skipped > *total) {
		place(d, ET_CAUSE_SKIPPED, d->skipped_at, skipped - *total);
		place(d, ET_CAUSE_SKIPPED, now, 0);
		*total = skipped;
	}
	/* As for other losses, see take_event(); but these tell what they are. */
	if (execs > d->skipped_execs)
		exectable_free(&d->execs);
	d->skipped_execs = execs;
	d->skipped_at = now;
}

static void add_clock(struct drain *d, struct et_clock clock)
{
	if (d->n_clocks == CLOCKS)
		memmove(d->clocks, d->clocks + 1, --d->n_clocks * sizeof(d->clocks[0]));
	d->clocks[d->n_clocks++] = clock;
	d->new_clocks++;
}

/* Hands the open parcel over as it is. */
static void put_parcel(struct drain *d)
{
	struct parcel *p = d->open;

	add_refused(d);
	d->new_clocks = 0;
	drain_lost(d, p->lost);
	p->seen.offset = d->clocks[d->n_clocks - 1].offset;
	d->open = NULL;
	d->due = UINT64_MAX;
	queue_put(d->queue, p);
}

/* The same, with a new measurement of the clocks when the last one is old. */
static void hand_over(struct drain *d, uint64_t now)
{
	if (now - d->clocks[d->n_clocks - 1].ts >= CLOCK_EVERY)
		add_clock(d, clock_measure(NULL));
	place_skipped(d, now);
	put_parcel(d);
}

static bool have_parcel(struct drain *d)
{
	if (!d->open)
		d->open = queue_take(d->queue);
	return d->open != NULL;
}

/*
 * An event that no batch takes. They are closed far below their limits, so it is one
 * that could not be read back, or there is no memory.
 */
static void refuse(struct drain *d, const struct et_event *ev, int code)
{
	enum et_cause cause = code == ET_MISUSE ? ET_CAUSE_UNREADABLE : ET_CAUSE_WRITE_FAILED;

	if (ev->v[ET_F_KIND].u == ET_LOST) {
		/* Already counted by the decoder. */
		place(d, ev->v[ET_F_CAUSE].u, ev->v[ET_F_TS].u, ev->v[ET_F_COUNT].u);
		return;
	}
	place(d, cause, ev->v[ET_F_TS].u, 1);
	d->refused_total[cause]++;
}

/* To the batch of its kind; ET_NOMEM: there is none. */
static int add_event(struct drain *d, const struct et_event *ev)
{
	if (!have_parcel(d))
		return ET_NOMEM;
	return et_batch_add(ev->v[ET_F_KIND].u == ET_LOST ? d->open->losses : d->open->rows, ev,
			    NULL);
}

static int take_event(void *ctx, struct et_event *ev)
{
	struct drain *d = ctx;
	uint64_t kind = ev->v[ET_F_KIND].u;
	int code;

	/* By the million, between any two others: told together, of all CPUs. No exec is lost. */
	if (kind == ET_LOST && ev->v[ET_F_CAUSE].u == ET_CAUSE_SHED) {
		place(d, ET_CAUSE_SHED, ev->v[ET_F_TS].u, ev->v[ET_F_COUNT].u);
		place(d, ET_CAUSE_SHED, ev->v[ET_F_UNTIL].u, 0);
		return 0;
	}
	ev->realtime = realtime_at(d, ev->v[ET_F_TS].u);
	/* The execs of any process may be among what was lost: better not known than wrong. */
	if (kind == ET_LOST) {
		exectable_free(&d->execs);
		ev->v[ET_F_CPU].u %= probe_cpus(d->probe);
	}
	else
		exectable_take(&d->execs, ev);
	if (d->trigger_kinds >> kind & 1 && expr_match(d->trigger, ev, NULL))
		d->matched = true;
	code = add_event(d, ev);
	/* It has another wall clock for that time: somebody set it there and back. */
	if (code == ET_LIMIT) {
		put_parcel(d);
		code = add_event(d, ev);
	}
	if (d->due == UINT64_MAX)
		d->due = clock_boot() + d->interval;
	if (code != ET_OK) {
		refuse(d, ev, code);
		return 0;
	}
	d->counts[kind]++;
	if (kind != ET_LOST)
		ids_note(&d->open->ids, ev);
	if (kind == ET_EXEC)
		binaries_note(d->binaries, &d->open->ids, ev, decode_stamp(d->decoder));
	return 0;
}

static int take_record(void *ctx, const void *data, size_t size)
{
	struct drain *d = ctx;

	decode_record(d->decoder, data, size);
	if (!d->open)
		return TURN_OVER;
	if (et_batch_rows(d->open->rows) < PARCEL_ROWS &&
	    et_batch_bytes(d->open->rows) < PARCEL_BYTES)
		return 0;
	hand_over(d, clock_boot());
	return TURN_OVER;
}

struct drain *drain_new(struct probe *p, struct queue *q, struct binaries *binaries,
			uint64_t interval, const char *env, const struct expr *trigger,
			const struct et_clock *clock)
{
	struct drain *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->probe = p;
	d->queue = q;
	d->binaries = binaries;
	d->interval = interval;
	d->trigger = trigger;
	d->trigger_kinds = trigger ? expr_kinds(trigger) : 0;
	d->due = UINT64_MAX;
	d->clocks[d->n_clocks++] = *clock;
	d->skipped_at = clock->ts;
	d->decoder = decoder_new(probe_streams(p), (unsigned)sysconf(_SC_PAGESIZE), take_event, d);
	if (!d->decoder) {
		free(d);
		return NULL;
	}
	if (env)
		decode_env(d->decoder, env);
	return d;
}

void drain_limit(struct drain *d, uint64_t max_rate)
{
	d->pace = pace_begin(max_rate, clock_boot());
}

void drain_free(struct drain *d)
{
	if (!d)
		return;
	/* An open parcel goes the way of the others, so that the queue frees it. */
	if (d->open)
		queue_put(d->queue, d->open);
	decoder_free(d->decoder);
	exectable_free(&d->execs);
	free(d);
}

enum drain_result drain_run(struct drain *d)
{
	int n;

	if (!have_parcel(d))
		return DRAIN_STALLED;
	d->run_at = clock_boot();
	n = probe_drain(d->probe, take_record, d);
	if (n == TURN_OVER)
		return DRAIN_MORE;
	return n ? DRAIN_SOME : DRAIN_EMPTY;
}

uint64_t drain_due(const struct drain *d)
{
	return d->due;
}

void drain_flush(struct drain *d, uint64_t now)
{
	bool marks = d->marks && probe_has_drained(d->probe, d->marks_end);

	if ((d->due > now && !marks) || !have_parcel(d))
		return;
	/* As of before the ring was looked at: who knows for how long we were not on a CPU since. */
	if (probe_is_idle(d->probe))
		d->open->seen.ts = d->run_at;
	if (marks) {
		d->open->marks = d->marks;
		d->marks = 0;
	}
	hand_over(d, now);
}

void drain_mark(struct drain *d, unsigned marks)
{
	d->marks |= marks;
	d->marks_end = probe_end(d->probe);
}

bool drain_is_marked(const struct drain *d)
{
	return d->marks;
}

uint64_t drain_pace(struct drain *d, uint64_t now)
{
	if (!d->pace.rate)
		return UINT64_MAX;
	pace_step(&d->pace, now, probe_sent(d->probe));
	probe_allow(d->probe, pace_fails(&d->pace), pace_forks(&d->pace));
	return pace_due(&d->pace, PACE_EVERY);
}

void drain_clock_step(struct drain *d)
{
	add_clock(d, clock_measure(NULL));
	/* So that a batch meets no more clocks than it can hold. */
	if (d->new_clocks == CLOCKS && d->open)
		put_parcel(d);
}

bool drain_finish(struct drain *d)
{
	if (!have_parcel(d))
		return false;
	for (unsigned i = 0; !d->finished_cpus && i < probe_streams(d->probe); i++) {
		struct wire_counters c;

		/* Cannot fail on a map that we hold; the sequence has told most already. */
		if (probe_counters(d->probe, i, &c) == 0)
			decode_finish(d->decoder, i, &c, clock_boot());
	}
	d->finished_cpus = true;
	hand_over(d, clock_boot());
	return true;
}

bool drain_matched(struct drain *d)
{
	bool matched = d->matched;

	d->matched = false;
	return matched;
}

struct et_clock drain_clock(const struct drain *d, uint64_t ts)
{
	return (struct et_clock){ ts, realtime_at(d, ts) };
}

const uint64_t *drain_counts(const struct drain *d)
{
	return d->counts;
}

uint64_t drain_events(const struct drain *d)
{
	return d->counts[ET_EXEC] + d->counts[ET_FAIL] + d->counts[ET_FORK] + d->counts[ET_EXIT];
}

void drain_lost(const struct drain *d, uint64_t lost[ET_CAUSE_END])
{
	const uint64_t *decoded = decode_lost(d->decoder);

	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		lost[i] = decoded[i] + d->refused_total[i];
}
