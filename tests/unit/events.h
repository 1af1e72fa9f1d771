/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - random events for tests, the same ones for the same seed, with
 * comparison. Every kind, every field known and unknown, hostile strings.
 */
#ifndef TESTS_EVENTS_H
#define TESTS_EVENTS_H

#include <exectrace.h>

#include <stdlib.h>
#include <string.h>

static uint64_t rng_state = 1;

static inline uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

/* Mostly small, sometimes at the edge of a width. */
static inline uint64_t rng_number(void)
{
	switch (rng() % 8) {
	case 0:
		return 0;
	case 1:
		return (1ull << rng() % 64) - 1;
	case 2:
		return 1ull << rng() % 64;
	default:
		return rng() % 1000;
	}
}

static inline uint32_t rng_string(char *to)
{
	static const char *const words[] = { "", "gcc", "-o", "a b", "new\nline", "\xff\xfe",
					     "\x1b[31m", "/usr/bin/true", "it's" };
	const char *word = words[rng() % (sizeof(words) / sizeof(words[0]))];
	uint32_t len;

	if (rng() % 3) {
		len = (uint32_t)strlen(word);
		memcpy(to, word, len);
		return len;
	}
	len = (uint32_t)(rng() % 60);
	for (uint32_t i = 0; i < len; i++)
		to[i] = (char)(rng() % 255 + 1);
	return len;
}

/* An event whose strings live in buf; ts grows, mostly. */
static inline void rng_event(struct et_event *ev, unsigned kind, uint64_t *ts, char *buf)
{
	ev->known = 0;
	ev->realtime = 0;
	*ts += rng() % 100000;
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		union et_value *v = &ev->v[f];

		if (!et_fields[f].name || !(et_fields[f].kinds >> kind & 1))
			continue;
		if (et_fields[f].type != ET_UINT && rng() % 4 == 0)
			continue;
		ev->known |= 1ull << f;
		switch (et_fields[f].type) {
		case ET_STR:
			v->s.ptr = buf;
			v->s.len = rng_string(buf);
			buf += v->s.len;
			break;
		case ET_LIST:
			v->l = (struct et_list){ buf, 0, (uint32_t)(rng() % 5 ? rng() % 8 : 0) };
			for (uint32_t i = 0; i < v->l.n; i++) {
				buf += rng_string(buf);
				*buf++ = 0;
			}
			v->l.len = (uint32_t)(buf - v->l.ptr);
			break;
		default:
			v->u = rng_number();
			if (v->u == ET_NONE)
				v->u--;
		}
	}
	et_set_uint(ev, ET_F_KIND, kind);
	et_set_uint(ev, ET_F_TS, *ts - rng() % 5000);
}

/* Field id in which they differ, 0 if they are the same. */
static inline unsigned event_differs(const struct et_event *a, const struct et_event *b)
{
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		const union et_value *x = &a->v[f], *y = &b->v[f];

		if (ET_HAS(a, f) != ET_HAS(b, f))
			return f;
		if (!ET_HAS(a, f))
			continue;
		switch (et_fields[f].type) {
		case ET_STR:
			if (x->s.len != y->s.len || (x->s.len && memcmp(x->s.ptr, y->s.ptr, x->s.len)))
				return f;
			break;
		case ET_LIST:
			if (x->l.n != y->l.n || x->l.len != y->l.len ||
			    (x->l.len && memcmp(x->l.ptr, y->l.ptr, x->l.len)))
				return f;
			break;
		default:
			if (x->u != y->u)
				return f;
		}
	}
	return 0;
}

/* A deep copy, to be freed with event_free. */
static inline struct et_event event_copy(const struct et_event *ev)
{
	struct et_event copy = *ev;

	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		if (!ET_HAS(ev, f) || et_fields[f].type < ET_STR)
			continue;
		if (et_fields[f].type == ET_STR) {
			copy.v[f].s.ptr = malloc(ev->v[f].s.len + 1u);
			memcpy((void *)(uintptr_t)copy.v[f].s.ptr, ev->v[f].s.ptr, ev->v[f].s.len);
		} else {
			copy.v[f].l.ptr = malloc(ev->v[f].l.len + 1u);
			memcpy((void *)(uintptr_t)copy.v[f].l.ptr, ev->v[f].l.ptr, ev->v[f].l.len);
		}
	}
	return copy;
}

static inline void event_free(struct et_event *ev)
{
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		if (!ET_HAS(ev, f) || et_fields[f].type < ET_STR)
			continue;
		if (et_fields[f].type == ET_STR)
			free((void *)(uintptr_t)ev->v[f].s.ptr);
		else
			free((void *)(uintptr_t)ev->v[f].l.ptr);
	}
}

#endif
