/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* The values follow each other by id, each a uint64_t and the bytes that it counts. */
struct program {
	unsigned holders;
	uint64_t known;
	size_t size;		/* of data */
	uint32_t argc;		/* items of argv that are kept */
	uint8_t data[];
};

struct cut {
	struct et_list argv;	/* what is kept of it */
	bool is_cut;
};

/* Whole arguments, as long as they fit. */
static struct cut cut_argv(const struct et_event *ev, uint64_t mask, uint32_t max)
{
	struct cut cut = { .argv = { NULL, 0, 0 } };
	const struct et_list *l = &ev->v[ET_F_ARGV].l;
	struct et_str item;
	uint32_t at = 0;

	if (!(ev->known & mask & 1ull << ET_F_ARGV))
		return cut;
	cut.argv.ptr = l->ptr;
	while (et_list_next(l, &at, &item) && at <= max) {
		cut.argv.len = at;
		cut.argv.n++;
	}
	cut.is_cut = cut.argv.n < l->n;
	return cut;
}

static bool is_number(unsigned f)
{
	return et_fields[f].type == ET_UINT || et_fields[f].type == ET_OPT;
}

static struct et_str bytes_of(const struct et_event *ev, unsigned f)
{
	const union et_value *v = &ev->v[f];

	if (is_number(f))
		return (struct et_str){ NULL, 0 };
	return et_fields[f].type == ET_STR ? v->s : (struct et_str){ v->l.ptr, v->l.len };
}

/* The event with argv cut, and what it then has to say of the whole. */
static void shorten(struct et_event *ev, const struct cut *cut)
{
	const struct et_list whole = ev->v[ET_F_ARGV].l;

	if (!cut->is_cut)
		return;
	ev->v[ET_F_ARGV].l = cut->argv;
	if (!ET_HAS(ev, ET_F_ARGC))
		et_set_uint(ev, ET_F_ARGC, whole.n);
	if (!ET_HAS(ev, ET_F_ARGV_BYTES))
		et_set_uint(ev, ET_F_ARGV_BYTES, whole.len);
	et_set_uint(ev, ET_F_ARGV_TRUNCATED, 1);
}

struct program *program_new(const struct et_event *from, uint64_t mask, uint32_t max_argv)
{
	const struct cut cut = cut_argv(from, mask, max_argv);
	struct et_event ev = *from;
	struct program *p;
	size_t size = 0;
	uint8_t *at;

	ev.known &= mask;
	shorten(&ev, &cut);
	for (uint64_t left = ev.known; left; left &= left - 1)
		size += sizeof(uint64_t) + bytes_of(&ev, (unsigned)__builtin_ctzll(left)).len;
	p = malloc(sizeof(*p) + size);
	if (!p)
		return NULL;
	*p = (struct program){ .holders = 1, .known = ev.known, .size = size,
			       .argc = ET_HAS(&ev, ET_F_ARGV) ? ev.v[ET_F_ARGV].l.n : 0 };
	at = p->data;
	for (uint64_t left = ev.known; left; left &= left - 1) {
		unsigned f = (unsigned)__builtin_ctzll(left);
		struct et_str s = bytes_of(&ev, f);
		uint64_t v = is_number(f) ? ev.v[f].u : s.len;

		memcpy(at, &v, sizeof(v));
		at += sizeof(v);
		if (s.len)
			memcpy(at, s.ptr, s.len);
		at += s.len;
	}
	return p;
}

struct program *program_share(struct program *p)
{
	if (p)
		p->holders++;
	return p;
}

size_t program_size(const struct program *p)
{
	return sizeof(*p) + p->size;
}

size_t program_drop(struct program *p)
{
	size_t size;

	if (!p || --p->holders)
		return 0;
	size = program_size(p);
	free(p);
	return size;
}

void program_get(const struct program *p, struct et_event *ev)
{
	const uint8_t *at = p->data;

	for (uint64_t left = p->known; left; left &= left - 1) {
		unsigned f = (unsigned)__builtin_ctzll(left);
		const char *text;
		uint64_t v;

		memcpy(&v, at, sizeof(v));
		at += sizeof(v);
		text = (const char *)at;
		if (is_number(f)) {
			et_set_uint(ev, (enum et_field_id)f, v);
			continue;
		}
		ev->known |= 1ull << f;
		at += v;
		if (et_fields[f].type == ET_STR)
			ev->v[f].s = (struct et_str){ text, (uint32_t)v };
		else
			ev->v[f].l = (struct et_list){ text, (uint32_t)v, p->argc };
	}
}
