/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

#include "envnames.h"
#include "unpack.h"

#include <stdlib.h>
#include <string.h>
#include <wire.h>

/* The most that the parts of one event come to: argv and the rest, and the environment. */
#define PARTS_MAX (UNPACK_ARGV_MAX + 65536u)

/* What has come from one CPU. */
struct cpu {
	uint64_t seq;		/* of the last event taken, or known to be lost */
	uint64_t ts;		/* of the last record; 0: none so far */
	uint64_t lost[WIRE_LOST_CAUSES];

	/* An event of which parts are still to come. */
	bool open;
	unsigned flags;		/* of its parts so far */
	uint32_t part;		/* the next one's number */
	struct wire_head head;
	uint8_t *buf;		/* its body so far */
	size_t len, size;
	size_t env_at;		/* where its environment begins; SIZE_MAX: not so far */
	uint64_t skip;		/* seq of an event that was given up: drop its parts */
};

struct decoder {
	struct cpu *cpus;
	unsigned n_cpus;
	unsigned page_size;
	decode_fn *fn;
	void *ctx;
	uint64_t ts;				/* of the last record */
	uint64_t carried[ET_KIND_END];		/* the fields of each kind */
	uint64_t lost[ET_CAUSE_END];
	struct unpack unpack;
};

static const enum et_cause causes[WIRE_LOST_CAUSES] = {
	[WIRE_LOST_RING] = ET_CAUSE_RING_FULL,
	[WIRE_LOST_BUSY] = ET_CAUSE_BUSY,
	[WIRE_LOST_FOLLOW] = ET_CAUSE_FOLLOW_FULL,
	[WIRE_LOST_SHED] = ET_CAUSE_SHED,
};

/* Those that have a number (wire.h). */
static uint64_t numbered(const uint64_t lost[WIRE_LOST_CAUSES])
{
	return lost[WIRE_LOST_RING] + lost[WIRE_LOST_BUSY] + lost[WIRE_LOST_SHED];
}

struct decoder *decoder_new(unsigned cpus, unsigned page_size, decode_fn *fn, void *ctx)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->cpus = calloc(cpus, sizeof(*d->cpus));
	if (!d->cpus) {
		free(d);
		return NULL;
	}
	d->n_cpus = cpus;
	d->page_size = page_size;
	d->fn = fn;
	d->ctx = ctx;
	for (unsigned id = 1; id < ET_FIELD_END; id++)
		for (unsigned kind = 1; kind < ET_KIND_END; kind++)
			if (et_fields[id].kinds & ET_KIND_BIT(kind))
				d->carried[kind] |= 1ull << id;
	return d;
}

void decode_env(struct decoder *d, const char *names)
{
	d->unpack.env_names = envnames_all(names) ? NULL : names;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < d->n_cpus; i++)
		free(d->cpus[i].buf);
	free(d->cpus);
	unpack_free(&d->unpack);
	free(d);
}

static int emit(struct decoder *d, struct et_event *ev)
{
	ev->known &= d->carried[ev->v[ET_F_KIND].u];
	return d->fn(d->ctx, ev);
}

/* Counts and tells a loss between two moments. */
static int lose(struct decoder *d, unsigned cpu, enum et_cause cause, uint64_t count,
		uint64_t since, uint64_t until)
{
	struct et_event ev = { 0 };

	if (!count)
		return 0;
	d->lost[cause] += count;
	et_set_uint(&ev, ET_F_KIND, ET_LOST);
	et_set_uint(&ev, ET_F_TS, since < until ? since : until);
	et_set_uint(&ev, ET_F_UNTIL, until);
	et_set_uint(&ev, ET_F_CPU, cpu);
	et_set_uint(&ev, ET_F_COUNT, count);
	et_set_uint(&ev, ET_F_CAUSE, cause);
	return emit(d, &ev);
}

/*
 * A CPU's counts have risen: tells the difference. seq: the last event that they
 * cover. What seq says is missing beyond them came and was not understood, or is
 * what a broken head stands for: then it may be counted a second time, which is
 * better than not at all.
 */
static int advance(struct decoder *d, unsigned cpu, uint64_t seq,
		   const uint64_t rise[WIRE_LOST_CAUSES], uint64_t since, uint64_t until)
{
	struct cpu *c = &d->cpus[cpu];
	uint64_t gone = numbered(rise);
	uint64_t gap = seq - c->seq;
	int ret = 0;

	if (!since)
		since = c->ts ? c->ts : until;
	c->seq = seq;
	for (unsigned i = 0; i < WIRE_LOST_CAUSES && !ret; i++) {
		c->lost[i] += rise[i];
		ret = lose(d, cpu, causes[i], rise[i], since, until);
	}
	if (!ret && gap > gone)
		ret = lose(d, cpu, ET_CAUSE_UNREADABLE, gap - gone, c->ts ? c->ts : until, until);
	return ret;
}

/* Hands on a whole event; its environment is body from env_at on. */
static int finish(struct decoder *d, const struct wire_head *head, unsigned flags,
		  const uint8_t *body, size_t len, size_t env_at)
{
	struct et_event ev;
	bool whole;

	d->cpus[head->cpu].seq = head->seq;
	if (env_at > len)
		env_at = len;
	whole = unpack(&d->unpack, head, flags, body, env_at, d->page_size, &ev);
	if (whole && env_at < len)
		whole = unpack_env(&d->unpack, flags, body + env_at, len - env_at, &ev);
	if (!whole)
		return lose(d, head->cpu, ET_CAUSE_UNREADABLE, 1, head->ts, head->ts);
	return emit(d, &ev);
}

/* Keeps a part until the last one has come. False: no memory, or too much. */
static bool keep(struct cpu *c, const uint8_t *body, size_t len)
{
	size_t size = c->size ? c->size : 65536;
	size_t most = c->env_at == SIZE_MAX ? PARTS_MAX : c->env_at + PARTS_MAX;
	uint8_t *bigger;

	if (len > most - c->len)
		return false;
	while (size < c->len + len)
		size *= 2;
	if (size > c->size) {
		bigger = realloc(c->buf, size);
		if (!bigger)
			return false;
		c->buf = bigger;
		c->size = size;
	}
	memcpy(c->buf + c->len, body, len);
	c->len += len;
	return true;
}

/* Drops an event of which parts came that cannot be put together. */
static int give_up(struct decoder *d, struct cpu *c)
{
	c->open = false;
	c->seq = c->skip = c->head.seq;
	return lose(d, c->head.cpu, ET_CAUSE_UNREADABLE, 1, c->head.ts, c->head.ts);
}

static int take_more(struct decoder *d, const struct wire_head *head, const uint8_t *body,
		     size_t len)
{
	struct cpu *c = &d->cpus[head->cpu];

	if (!c->open && head->seq == c->skip)
		return 0;
	if (!c->open)
		return lose(d, head->cpu, ET_CAUSE_UNREADABLE, 1, d->ts, d->ts);
	if (head->flags & WIRE_ENV && c->env_at == SIZE_MAX)
		c->env_at = c->len;
	if (head->seq != c->head.seq || head->part != c->part || !keep(c, body, len) ||
	    !(head->flags & WIRE_ENV) != (c->env_at == SIZE_MAX))
		return give_up(d, c);
	c->flags |= head->flags;
	c->part++;
	if (head->flags & WIRE_CONTINUED)
		return 0;
	c->open = false;
	return finish(d, &c->head, c->flags, c->buf, c->len, c->env_at);
}

static int take_first(struct decoder *d, const struct wire_head *head, const uint8_t *body,
		      size_t len)
{
	struct cpu *c = &d->cpus[head->cpu];
	uint64_t rise[WIRE_LOST_CAUSES], gap = head->seq - c->seq - 1;
	int ret;

	/* The kernel carries the low half of its counters. */
	for (unsigned i = 0; i < WIRE_LOST_CAUSES; i++)
		rise[i] = (uint32_t)(head->lost[i] - (uint32_t)c->lost[i]);
	if (head->seq <= c->seq || numbered(rise) > gap)
		return lose(d, head->cpu, ET_CAUSE_UNREADABLE, 1, d->ts, d->ts);

	/* The rest of an open event found no room: it is among what was lost. */
	c->open = false;
	ret = advance(d, head->cpu, head->seq - 1, rise, head->lost_since, head->ts);
	c->ts = d->ts = head->ts;
	if (ret)
		return ret;
	if (!(head->flags & WIRE_CONTINUED))
		return finish(d, head, head->flags, body, len, len);
	c->open = true;
	c->head = *head;
	c->flags = head->flags;
	c->part = 1;
	c->len = 0;
	c->env_at = SIZE_MAX;
	return keep(c, body, len) ? 0 : give_up(d, c);
}

int decode_record(struct decoder *d, const void *data, size_t size)
{
	struct wire_head head;

	if (size < sizeof(head))
		return lose(d, 0, ET_CAUSE_UNREADABLE, 1, d->ts, d->ts);
	memcpy(&head, data, sizeof(head));
	if (head.kind < WIRE_EXEC || head.kind > WIRE_MORE ||
	    head.cpu >= d->n_cpus || (head.kind == WIRE_MORE) != (head.part > 0) ||
	    (head.kind != WIRE_MORE && head.flags & WIRE_ENV) ||
	    head.ts > INT64_MAX)
		return lose(d, 0, ET_CAUSE_UNREADABLE, 1, d->ts, d->ts);
	if (head.kind == WIRE_MORE)
		return take_more(d, &head, (const uint8_t *)data + sizeof(head),
				 size - sizeof(head));
	return take_first(d, &head, (const uint8_t *)data + sizeof(head), size - sizeof(head));
}

int decode_finish(struct decoder *d, unsigned cpu, const struct wire_counters *counters,
		  uint64_t now)
{
	uint64_t rise[WIRE_LOST_CAUSES], seq;
	struct cpu *c;

	if (cpu >= d->n_cpus)
		return 0;
	c = &d->cpus[cpu];
	c->open = false;
	for (unsigned i = 0; i < WIRE_LOST_CAUSES; i++)
		rise[i] = counters->lost[i] > c->lost[i] ? counters->lost[i] - c->lost[i] : 0;
	seq = counters->sent + numbered(counters->lost);
	if (seq < c->seq)
		seq = c->seq;
	return advance(d, cpu, seq, rise, counters->lost_since, now);
}

const struct unpack_stamp *decode_stamp(const struct decoder *d)
{
	return &d->unpack.stamp;
}

const uint64_t *decode_lost(const struct decoder *d)
{
	return d->lost;
}
