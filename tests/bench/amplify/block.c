/* SPDX-License-Identifier: BSD-2-Clause */
#include "block.h"
#include "need.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PID 300u       /* after a boot, that which a kernel begins anew with */
#define PAUSE 2000000u       /* ns between two blocks */
#define LATER_MAX (1u << 30) /* ns by which a moment is later at most */

/* ---- Several copies, one order of time -------------------------------------------- */

/* Lanes begin one after the other, not together. */
static uint64_t offset(const struct recorded *r, uint32_t lane)
{
	return lane * ((r->last - r->first) / LANES) + lane * 7919u;
}

static uint64_t moment_of(const struct recorded *r, uint32_t lane, uint64_t t)
{
	return t - r->first + offset(r, lane);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void collect_moments(const struct recorded *r, struct block *b)
{
	uint32_t n = 0, kept = 0;

	b->moments = room((size_t)r->n * LANES * 3, sizeof(*b->moments));
	for (uint32_t lane = 0; lane < LANES; lane++) {
		for (uint32_t i = 0; i < r->n; i++) {
			const struct et_event *ev = &r->rows[i].ev;

			b->moments[n++] = moment_of(r, lane, ev->v[ET_F_TS].u);
			b->moments[n++] = moment_of(r, lane, ev->v[ET_F_START].u);
			if (ET_HAS(ev, ET_F_EXEC_TS))
				b->moments[n++] = moment_of(r, lane, ev->v[ET_F_EXEC_TS].u);
		}
	}
	qsort(b->moments, n, sizeof(*b->moments), compare);
	for (uint32_t i = 0; i < n; i++)
		if (!kept || b->moments[i] != b->moments[kept - 1])
			b->moments[kept++] = b->moments[i];
	b->n_moments = kept;
	b->period = b->moments[kept - 1] + 2 * PAUSE;
}

static uint32_t find_moment(const struct block *b, uint64_t t)
{
	const uint64_t *found = bsearch(&t, b->moments, b->n_moments, sizeof(t), compare);

	return (uint32_t)(found - b->moments);
}

static void fill_row(const struct block *b, uint32_t lane, uint32_t i, struct block_row *out)
{
	const struct recorded *r = b->recorded;
	const struct et_event *ev = &r->rows[i].ev;

	*out = (struct block_row){ .row = i, .lane = lane };
	out->ts = find_moment(b, moment_of(r, lane, ev->v[ET_F_TS].u));
	out->start = find_moment(b, moment_of(r, lane, ev->v[ET_F_START].u));
	if (ET_HAS(ev, ET_F_EXEC_TS))
		out->exec_ts = find_moment(b, moment_of(r, lane, ev->v[ET_F_EXEC_TS].u));
}

/* Each lane keeps its order; of their next rows the one whose time has come is first. */
static void merge(struct block *b)
{
	const struct recorded *r = b->recorded;
	uint32_t at[LANES] = { 0 };
	uint64_t due[LANES];

	for (uint32_t lane = 0; lane < LANES; lane++)
		due[lane] = moment_of(r, lane, r->rows[0].ev.v[ET_F_TS].u);
	b->n = r->n * LANES;
	b->rows = room(b->n, sizeof(*b->rows));
	for (uint32_t n = 0; n < b->n; n++) {
		uint32_t next = NO_ID;
		uint64_t t;

		for (uint32_t lane = 0; lane < LANES; lane++)
			if (at[lane] < r->n && (next == NO_ID || due[lane] < due[next]))
				next = lane;
		fill_row(b, next, at[next]++, &b->rows[n]);
		if (at[next] == r->n)
			continue;
		t = moment_of(r, next, r->rows[at[next]].ev.v[ET_F_TS].u);
		/* A row that steps back in time keeps its place. */
		due[next] = t > due[next] ? t : due[next];
	}
}

/* ---- Pids -------------------------------------------------------------------------- */

static uint32_t number_of(struct block *b, uint32_t *numbers, uint32_t lane, uint32_t id)
{
	uint32_t *number;

	if (id == NO_ID)
		return NO_ID;
	number = &numbers[lane * b->recorded->n_ids + id];
	if (*number == NO_ID)
		*number = b->n_ids++;
	return *number;
}

static void number_ids(struct block *b)
{
	size_t n = (size_t)b->recorded->n_ids * LANES;
	uint32_t *numbers = room(n, sizeof(*numbers));

	memset(numbers, 0xff, n * sizeof(*numbers));
	for (uint32_t i = 0; i < b->n; i++) {
		struct block_row *row = &b->rows[i];
		const struct recorded_row *of = &b->recorded->rows[row->row];

		row->id = number_of(b, numbers, row->lane, of->id);
		row->tid = number_of(b, numbers, row->lane, of->tid);
		row->ppid = number_of(b, numbers, row->lane, of->ppid);
	}
	free(numbers);
}

static void find_pids(struct block *b)
{
	b->pids = room(PID_MAX, sizeof(*b->pids));
	for (uint32_t pid = FIRST_PID; pid < PID_MAX; pid++)
		if (!b->recorded->stays[pid])
			b->pids[b->n_pids++] = pid;
	need(b->n_ids <= b->n_pids, "the build has more processes than there are pids");
}

void block_make(const struct recorded *r, struct block *out)
{
	*out = (struct block){ .recorded = r };
	collect_moments(r, out);
	merge(out);
	number_ids(out);
	find_pids(out);
}

/* ---- Rows -------------------------------------------------------------------------- */

static uint64_t time_at(const struct block *b, uint64_t salt, uint64_t block, uint32_t moment)
{
	uint64_t t = b->moments[moment];
	uint64_t next = moment + 1 < b->n_moments ? b->moments[moment + 1] : t + PAUSE;
	uint32_t later = pick(mix(salt, moment),
			      next - t < LATER_MAX ? (uint32_t)(next - t) : LATER_MAX);

	return b->recorded->first + block * b->period + t + later;
}

uint64_t block_end(const struct block *b, uint64_t blocks)
{
	return b->recorded->first + blocks * b->period;
}

static uint32_t pid_of(const struct block *b, uint64_t block, uint32_t number)
{
	return b->pids[(block * b->n_ids + number) % b->n_pids];
}

/* Up to an eighth less, by chance, in units. */
static void vary(struct et_event *ev, unsigned field, uint64_t chance, uint64_t unit)
{
	uint64_t *value = &ev->v[field].u;

	if (ET_HAS(ev, field))
		*value -= *value / unit * (chance & 127) / 1024 * unit;
}

static void put_numbers(struct et_event *ev, uint64_t chance)
{
	vary(ev, ET_F_UTIME, chance, 1);
	vary(ev, ET_F_STIME, chance >> 8, 1);
	vary(ev, ET_F_MAX_RSS, chance >> 16, 4096);
	vary(ev, ET_F_MINOR_FAULTS, chance >> 24, 1);
	vary(ev, ET_F_EXEC_DURATION, chance >> 32, 1);
}

static void replace(struct et_event *ev, enum et_field_id field, uint64_t old, uint64_t new)
{
	if (ET_HAS(ev, field) && ev->v[field].u == old)
		ev->v[field].u = new;
}

static void put_owner(const struct recorded *r, const struct copy *copy, struct et_event *ev)
{
	replace(ev, ET_F_UID, r->uid, copy->user->id);
	replace(ev, ET_F_EUID, r->uid, copy->user->id);
	replace(ev, ET_F_GID, r->gid, copy->user->id);
	replace(ev, ET_F_EGID, r->gid, copy->user->id);
	et_set_uint(ev, ET_F_CGROUP, copy_cgroup(copy->user, copy->session));
	if (ev->v[ET_F_KIND].u != ET_EXEC)
		return;
	et_set_uint(ev, ET_F_LOGIN_UID, copy->user->id);
	et_set_uint(ev, ET_F_SESSION, copy->session + 1);
	et_set_str(ev, ET_F_TTY, copy->tty, (uint32_t)strlen(copy->tty));
}

static void put_texts(const struct recorded_row *row, const struct copy *copy, struct maker *m,
		      struct et_event *ev)
{
	uint32_t at = 0;

	if (m->size <= row->longest) {
		m->size = row->longest + 1;
		m->bytes = more_room(m->bytes, m->size, 1);
	}
	for (uint32_t i = 0; i < row->n_texts; i++) {
		const struct text *text = &row->texts[i];
		const char *bytes;
		uint32_t len = text_put(text, copy, m->bytes + at, &bytes);

		if (et_fields[text->field].type == ET_LIST)
			ev->v[text->field].l = (struct et_list){ bytes, len, text->items };
		else
			ev->v[text->field].s = (struct et_str){ bytes, len };
		at += len;
	}
}

void block_event(const struct block *b, struct maker *m, uint64_t seed, uint64_t number,
		 struct et_event *out)
{
	uint64_t block = number / b->n, salt = mix(seed, ~block);
	const struct block_row *at = &b->rows[number % b->n];
	const struct recorded_row *row = &b->recorded->rows[at->row];
	const struct copy *copy = &m->copies[at->lane];
	uint64_t was = row->ev.v[ET_F_PID].u, pid = pid_of(b, block, at->id);

	if (!m->begun || m->block != block)
		for (uint32_t lane = 0; lane < LANES; lane++)
			copy_make(seed, block * LANES + lane, &m->copies[lane]);
	m->begun = true;
	m->block = block;
	*out = row->ev;
	out->realtime = b->recorded->started.offset;
	put_texts(row, copy, m, out);
	put_owner(b->recorded, copy, out);
	put_numbers(out, mix(copy->salt, at->row));
	out->v[ET_F_TS].u = time_at(b, salt, block, at->ts);
	out->v[ET_F_START].u = time_at(b, salt, block, at->start);
	if (ET_HAS(out, ET_F_EXEC_TS))
		out->v[ET_F_EXEC_TS].u = time_at(b, salt, block, at->exec_ts);
	out->v[ET_F_PID].u = pid;
	replace(out, ET_F_NS_PID, was, pid);
	if (at->tid != NO_ID)
		out->v[ET_F_TID].u = pid_of(b, block, at->tid);
	if (at->ppid != NO_ID)
		out->v[ET_F_PPID].u = pid_of(b, block, at->ppid);
}
