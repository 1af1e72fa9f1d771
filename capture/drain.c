/* SPDX-License-Identifier: BSD-2-Clause */
#include "drain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "decode.h"
#include "ids.h"
#include "probe.h"
#include "queue.h"
#include "wire.h"

/* Where a chunk is large enough to compress well and small enough to seek (SPEC.md 5). */
#define PARCEL_ROWS 16384u
#define PARCEL_BYTES (1u << 20)
#define CLOCK_EVERY 60000000000ull
#define PENDING_CLOCKS PARCEL_CLOCKS

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
	struct parcel *open;		/* being filled; NULL: none at hand */
	uint64_t interval;
	uint64_t due;
	struct et_clock clock;		/* in force */
	struct et_clock pending[PENDING_CLOCKS];	/* to be written */
	unsigned n_pending;
	struct id_set seen[ID_KINDS];
	struct refused refused[ET_CAUSE_END];	/* not in a parcel yet */
	uint64_t refused_total[ET_CAUSE_END];
	uint64_t counts[ET_KIND_END];
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

/* One LOST row per cause that place() was told of since the last time. */
static void add_refused(struct drain *d)
{
	for (unsigned cause = 1; cause < ET_CAUSE_END; cause++) {
		struct refused *r = &d->refused[cause];
		struct et_event ev = { 0 };

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

static void add_clock(struct drain *d, struct et_clock clock)
{
	/* More steps than can wait: the last ones count. */
	if (d->n_pending == PENDING_CLOCKS)
		memmove(d->pending, d->pending + 1, --d->n_pending * sizeof(d->pending[0]));
	d->pending[d->n_pending++] = clock;
	d->clock = clock;
}

/* Hands the open parcel over as it is. */
static void put_parcel(struct drain *d)
{
	struct parcel *p = d->open;

	add_refused(d);
	memcpy(p->clocks, d->pending, d->n_pending * sizeof(d->pending[0]));
	p->n_clocks = d->n_pending;
	d->n_pending = 0;
	p->realtime = d->clock.offset;
	drain_lost(d, p->lost);
	d->open = NULL;
	d->due = UINT64_MAX;
	queue_put(d->queue, p);
}

/* The same, with a new measurement of the clocks when the last one is old. */
static void hand_over(struct drain *d, uint64_t now)
{
	if (now - d->clock.ts >= CLOCK_EVERY)
		add_clock(d, clock_measure(NULL));
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

static int take_event(void *ctx, const struct et_event *ev)
{
	struct drain *d = ctx;
	uint64_t kind = ev->v[ET_F_KIND].u;
	struct et_batch *b = kind == ET_LOST ? d->open->losses : d->open->rows;
	int code = et_batch_add(b, ev, NULL);

	if (d->due == UINT64_MAX)
		d->due = clock_boot() + d->interval;
	if (code != ET_OK) {
		refuse(d, ev, code);
		return 0;
	}
	d->counts[kind]++;
	if (kind != ET_LOST)
		ids_note(ev, d->seen, &d->open->ids);
	return 0;
}

static int take_record(void *ctx, const void *data, size_t size)
{
	struct drain *d = ctx;

	decode_record(d->decoder, data, size);
	if (et_batch_rows(d->open->rows) < PARCEL_ROWS &&
	    et_batch_bytes(d->open->rows) < PARCEL_BYTES)
		return 0;
	hand_over(d, clock_boot());
	return TURN_OVER;
}

struct drain *drain_new(struct probe *p, struct queue *q, uint64_t interval,
			const struct et_clock *clock)
{
	struct drain *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->probe = p;
	d->queue = q;
	d->interval = interval;
	d->due = UINT64_MAX;
	d->clock = *clock;
	d->decoder = decoder_new(probe_cpus(p), (unsigned)sysconf(_SC_PAGESIZE), take_event, d);
	if (!d->decoder) {
		free(d);
		return NULL;
	}
	return d;
}

void drain_free(struct drain *d)
{
	if (!d)
		return;
	/* An open parcel goes the way of the others, so that the queue frees it. */
	if (d->open)
		queue_put(d->queue, d->open);
	decoder_free(d->decoder);
	for (unsigned i = 0; i < ID_KINDS; i++)
		id_set_free(&d->seen[i]);
	free(d);
}

enum drain_result drain_run(struct drain *d)
{
	int n;

	if (!have_parcel(d))
		return DRAIN_STALLED;
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
	if (d->due <= now && have_parcel(d))
		hand_over(d, now);
}

void drain_clock_step(struct drain *d)
{
	struct et_clock clock = clock_measure(NULL);

	/*
	 * What came before the step keeps the offset of its time: no measurement here,
	 * which would be the new offset, and later than the one above.
	 */
	if (d->due != UINT64_MAX && d->open)
		put_parcel(d);
	add_clock(d, clock);
	d->due = clock.ts;
}

bool drain_finish(struct drain *d)
{
	if (!have_parcel(d))
		return false;
	for (unsigned cpu = 0; !d->finished_cpus && cpu < probe_cpus(d->probe); cpu++) {
		struct wire_counters c;

		/* Cannot fail on a map that we hold; the sequence has told most already. */
		if (probe_counters(d->probe, cpu, &c) == 0)
			decode_finish(d->decoder, cpu, &c, clock_boot());
	}
	d->finished_cpus = true;
	hand_over(d, clock_boot());
	return true;
}

const uint64_t *drain_counts(const struct drain *d)
{
	return d->counts;
}

void drain_lost(const struct drain *d, uint64_t lost[ET_CAUSE_END])
{
	const uint64_t *decoded = decode_lost(d->decoder);

	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		lost[i] = decoded[i] + d->refused_total[i];
}
