/* SPDX-License-Identifier: BSD-2-Clause */
/* batch.c - appending events to columns, wholly or not at all. */
#include "batch.h"
#include "error.h"
#include "fields.h"
#include "bounds.h"

#include <stdlib.h>
#include <string.h>

struct et_batch *et_batch_new(void)
{
	struct et_batch *b = calloc(1, sizeof(*b));

	if (b) {
		strings_init(&b->strings);
		et_batch_reset(b);
	}
	return b;
}

void et_batch_free(struct et_batch *b)
{
	if (!b)
		return;
	for (unsigned f = 0; f < ET_FIELD_END; f++) {
		free(b->columns[f].part[0].v);
		free(b->columns[f].part[1].v);
		buf_free(&b->columns[f].last_list);
	}
	strings_free(&b->strings);
	free(b);
}

static void forget_last(struct et_batch *b)
{
	for (unsigned f = 0; f < ET_FIELD_END; f++) {
		b->columns[f].last_id = 0;
		buf_reset(&b->columns[f].last_list);
	}
}

void et_batch_reset(struct et_batch *b)
{
	forget_last(b);
	for (unsigned f = 0; f < ET_FIELD_END; f++) {
		for (unsigned p = 0; p < 2; p++) {
			b->columns[f].part[p].n = 0;
			b->columns[f].part[p].width = 1;
		}
	}
	strings_reset(&b->strings);
	memset(b->kinds, 0, sizeof(b->kinds));
	b->rows = 0;
	b->bytes = 0;
	b->items = 0;
	b->ts_min = UINT64_MAX;
	b->ts_max = 0;
	b->spans.n = 0;
	b->until = 0;
}

uint32_t et_batch_rows(const struct et_batch *b)
{
	return b->rows;
}

uint64_t et_batch_bytes(const struct et_batch *b)
{
	return b->bytes + b->strings.bytes.len + (uint64_t)b->strings.n * 2;
}

uint64_t et_batch_memory(const struct et_batch *b)
{
	uint64_t sum = sizeof(*b) + strings_memory(&b->strings);

	for (unsigned f = 0; f < ET_FIELD_END; f++) {
		const struct batch_column *c = &b->columns[f];

		sum += ((uint64_t)c->part[0].cap + c->part[1].cap) * sizeof(*c->part[0].v) +
		       c->last_list.cap;
	}
	return sum;
}

bool et_batch_times(const struct et_batch *b, uint64_t *first, uint64_t *last)
{
	*first = b->ts_min;
	*last = b->ts_max;
	return b->rows;
}

static uint8_t width_of(uint64_t v)
{
	return v >> 32 ? 8 : v >> 16 ? 4 : v >> 8 ? 2 : 1;
}

static bool push(struct et_batch *b, struct values *s, uint64_t value)
{
	uint8_t width = width_of(value);

	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 256;
		uint64_t *v = realloc(s->v, cap * sizeof(*v));

		if (!v)
			return false;
		s->v = v;
		s->cap = cap;
	}
	if (width > s->width) {
		b->bytes += (uint64_t)s->n * (width - s->width);
		s->width = width;
	}
	s->v[s->n++] = value;
	b->bytes += s->width;
	return true;
}

static bool has_nul(struct et_str s)
{
	return s.len && memchr(s.ptr, 0, s.len);
}

/* NULL, or what keeps the list from being read back. */
static const char *list_fault(const struct et_list *l)
{
	struct et_str item;
	uint32_t at = 0, n = 0;

	while (et_list_next(l, &at, &item)) {
		if (item.len > LIMIT_STRING)
			return "a string is longer than the format allows";
		n++;
	}
	if (at != l->len || n != l->n)
		return "a list does not hold the number of strings it says";
	return NULL;
}

/* NULL, or what keeps the event from being read back. items: of its lists. */
static const char *event_fault(const struct et_event *ev, uint64_t *items, uint64_t *bytes)
{
	uint64_t kind = ET_HAS(ev, ET_F_KIND) ? ev->v[ET_F_KIND].u : 0;

	*items = 0;
	*bytes = 0;
	if (!kind || kind >= ET_KIND_END || !ET_HAS(ev, ET_F_TS))
		return "an event needs a kind and a time";
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		const union et_value *v = &ev->v[f];
		const char *fault = NULL;

		if (!ET_HAS(ev, f))
			continue;
		if (!et_fields[f].name || !(et_fields[f].kinds >> kind & 1))
			return "an event has a field that its kind does not carry";
		switch (et_fields[f].type) {
		case ET_UINT:
		case ET_OPT:
			if (v->u == ET_NONE)
				fault = "a number is larger than the format allows";
			break;
		case ET_STR:
			if (v->s.len > LIMIT_STRING)
				fault = "a string is longer than the format allows";
			else if (has_nul(v->s))
				fault = "a string holds a NUL";
			*bytes += v->s.len;
			break;
		case ET_LIST:
			if (v->l.len > LIMIT_LIST)
				fault = "a list is longer than the format allows";
			else
				fault = list_fault(&v->l);
			*items += v->l.n;
			*bytes += v->l.len;
			break;
		}
		if (fault)
			return fault;
	}
	return NULL;
}

static bool push_string(struct et_batch *b, struct batch_column *col, struct et_str s)
{
	if (!strings_is(&b->strings, col->last_id, s.ptr, s.len))
		col->last_id = strings_add(&b->strings, s.ptr, s.len);
	return col->last_id && push(b, &col->part[0], col->last_id);
}

/* The items of the list that came last, once more. */
static bool push_same_list(struct et_batch *b, struct batch_column *col, uint32_t n)
{
	uint32_t from = col->last_items;

	col->last_items = col->part[1].n;
	for (uint32_t i = 0; i < n; i++) {
		if (!push(b, &col->part[1], col->part[1].v[from + i]))
			return false;
	}
	return true;
}

static bool push_list(struct et_batch *b, struct batch_column *col, const struct et_list *l)
{
	struct et_str item;
	uint32_t at = 0;

	if (!push(b, &col->part[0], (uint64_t)l->n + 1))
		return false;
	if (l->len && l->len == col->last_list.len && !memcmp(l->ptr, col->last_list.data, l->len))
		return push_same_list(b, col, l->n);
	col->last_items = col->part[1].n;
	while (et_list_next(l, &at, &item)) {
		uint32_t id = strings_add(&b->strings, item.ptr, item.len);

		if (!id || !push(b, &col->part[1], id))
			return false;
	}
	buf_reset(&col->last_list);
	if (l->len)
		buf_add(&col->last_list, l->ptr, l->len);
	return !col->last_list.failed;
}

static bool push_field(struct et_batch *b, unsigned f, const struct et_event *ev)
{
	struct batch_column *col = &b->columns[f];
	const union et_value *v = &ev->v[f];

	if (!ET_HAS(ev, f))
		return push(b, &col->part[0], 0);
	switch (et_fields[f].type) {
	case ET_UINT:
		return push(b, &col->part[0], v->u);
	case ET_OPT:
		return push(b, &col->part[0], v->u + 1);
	case ET_STR:
		return push_string(b, col, v->s);
	default:
		return push_list(b, col, &v->l);
	}
}

/* Takes back what a failed add has pushed: each column to the length it had. */
static void roll_back(struct et_batch *b, const uint32_t was[ET_FIELD_END][2], uint32_t strings,
		      uint64_t bytes)
{
	for (unsigned f = 0; f < ET_FIELD_END; f++) {
		for (unsigned p = 0; p < 2; p++)
			b->columns[f].part[p].n = was[f][p];
	}
	strings_cut(&b->strings, strings);
	forget_last(b);
	b->bytes = bytes;
}

/* Where the row lies in time; it fits. */
static void note_time(struct et_batch *b, const struct et_event *ev)
{
	uint64_t ts = ev->v[ET_F_TS].u;

	spans_add(&b->spans, ts, ev->realtime);
	if (ts < b->ts_min)
		b->ts_min = ts;
	if (ts > b->ts_max)
		b->ts_max = ts;
	if (ET_HAS(ev, ET_F_UNTIL) && ev->v[ET_F_UNTIL].u > b->until)
		b->until = ev->v[ET_F_UNTIL].u;
}

static bool push_all(struct et_batch *b, const struct et_event *ev, uint64_t kind)
{
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		if ((et_fields[f].kinds >> kind & 1) && !push_field(b, f, ev))
			return false;
	}
	return true;
}

int et_batch_add(struct et_batch *b, const struct et_event *ev, struct et_error *err)
{
	uint32_t was[ET_FIELD_END][2], strings = b->strings.n;
	uint64_t was_bytes = b->bytes, items, bytes, kind;
	const char *fault = event_fault(ev, &items, &bytes);

	if (fault)
		return et_fail(err, ET_MISUSE, 0, fault);
	/*
	 * Stops well before LIMIT_RAW: every value of the row at its widest, its
	 * strings all new. An empty batch takes any event that is in bounds.
	 */
	if (b->rows == LIMIT_ROWS ||
	    (b->rows && (et_batch_bytes(b) + bytes + items * 12 > LIMIT_RAW / 4 ||
			 b->items + items > LIMIT_ITEMS ||
			 b->strings.n + items + ET_FIELD_END > LIMIT_STRINGS / 4)))
		return et_fail(err, ET_LIMIT, 0, "the batch is full");
	if (!spans_fit(&b->spans, ev->v[ET_F_TS].u, ev->realtime))
		return et_fail(err, ET_LIMIT, 0, "the batch has another wall clock for that time");
	for (unsigned f = 0; f < ET_FIELD_END; f++) {
		for (unsigned p = 0; p < 2; p++)
			was[f][p] = b->columns[f].part[p].n;
	}
	kind = ev->v[ET_F_KIND].u;
	if (!push_all(b, ev, kind)) {
		roll_back(b, (const uint32_t(*)[2])was, strings, was_bytes);
		return et_fail_nomem(err);
	}
	note_time(b, ev);
	b->kinds[kind]++;
	b->items += items;
	b->rows++;
	return ET_OK;
}
