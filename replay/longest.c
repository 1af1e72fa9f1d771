/* SPDX-License-Identifier: BSD-2-Clause */
#include "longest.h"

#include <stdlib.h>
#include <string.h>

#include "derive.h"
#include "event.h"

#define OF(field) (1ull << (field))

const struct keys longest_keys = { { ET_F_COMM, KEY_RESULT, KEY_USER }, 3 };

/* Of the fields that its keys do not bring. */
static const uint64_t own_fields = OF(ET_F_KIND) | OF(ET_F_TS) | OF(ET_F_PID) | OF(ET_F_START) |
				   OF(ET_F_EXEC_TS) | OF(ET_F_UTIME) | OF(ET_F_STIME) |
				   OF(ET_F_MAX_RSS);

uint64_t longest_fields(void)
{
	return own_fields | keys_fields(&longest_keys);
}

void longest_free(struct longest *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		free(l->v[i].key);
	free(l->v);
	*l = (struct longest){ .most = l->most };
}

/* Where several ran as long the order is still the same whoever saw them first. */
static int compare(const struct longest_one *a, const struct longest_one *b)
{
	uint32_t n = a->len < b->len ? a->len : b->len;

	if (a->duration != b->duration)
		return a->duration > b->duration ? -1 : 1;
	if (a->ended != b->ended)
		return a->ended < b->ended ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return memcmp(a->key, b->key, n);
}

/* Takes a copy of the key. */
static int add(struct longest *l, const struct longest_one *one)
{
	struct longest_one copy = *one;
	uint32_t i = l->n;

	if (!l->v)
		l->v = reallocarray(NULL, (size_t)l->most + 1, sizeof(*l->v));
	copy.key = malloc(one->len + 1);
	if (!l->v || !copy.key) {
		free(copy.key);
		return -1;
	}
	memcpy(copy.key, one->key, one->len);
	for (; i && compare(&copy, &l->v[i - 1]) < 0; i--)
		l->v[i] = l->v[i - 1];
	l->v[i] = copy;
	if (++l->n > l->most)
		free(l->v[--l->n].key);
	return 0;
}

static bool too_short(const struct longest *l, uint64_t duration)
{
	return !l->most || (l->n == l->most && duration < l->v[l->n - 1].duration);
}

static uint64_t known(const struct et_event *ev, unsigned id)
{
	return ET_HAS(ev, id) ? ev->v[id].u : ET_NONE;
}

static int take_row(struct longest *l, const struct picked *p, uint32_t row, uint64_t duration,
		    struct out *key)
{
	struct longest_one one = { .duration = duration };
	uint64_t user, system;
	struct et_event ev;

	event_pick(p->chunk, row, own_fields, &ev);
	key->len = 0;
	keys_put(&longest_keys, p, row, key);
	if (key->error)
		return -1;
	user = known(&ev, ET_F_UTIME);
	system = known(&ev, ET_F_STIME);
	one.ended = et_chunk_wall(p->chunk, ev.v[ET_F_TS].u);
	one.pid = ev.v[ET_F_PID].u;
	one.cpu_time = user == ET_NONE ? system : system == ET_NONE ? user : derive_sum(user, system);
	one.peak_rss = known(&ev, ET_F_MAX_RSS);
	one.key = key->buf;
	one.len = (uint32_t)key->len;
	return add(l, &one);
}

/* What cannot be read is not known in any row. */
static struct et_stored column(const struct picked *p, unsigned id)
{
	struct et_stored st;

	return et_chunk_stored(p->chunk, id, &st, NULL) ? (struct et_stored){ .value = ET_NONE } : st;
}

int longest_take(struct longest *l, const struct picked *p, struct out *key)
{
	struct et_stored ts = column(p, ET_F_TS), start = column(p, ET_F_START);
	struct et_stored exec_ts = column(p, ET_F_EXEC_TS);

	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t row = p->rows[i];
		uint64_t duration = derive_duration_of(ET_EXIT, et_stored_number(&ts, row),
						       et_stored_number(&exec_ts, row),
						       et_stored_number(&start, row));

		if (duration != ET_NONE && !too_short(l, duration) &&
		    take_row(l, p, row, duration, key))
			return -1;
	}
	return 0;
}

int longest_merge(struct longest *l, const struct longest *from)
{
	for (uint32_t i = 0; i < from->n; i++)
		if (!too_short(l, from->v[i].duration) && add(l, &from->v[i]))
			return -1;
	return 0;
}
