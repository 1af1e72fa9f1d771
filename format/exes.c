/* SPDX-License-Identifier: BSD-2-Clause */
#include "exes.h"
#include "bounds.h"
#include "mix.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

/* All that is left of a value, of lo to hi bytes. */
static struct et_str take_text(struct cursor *value, size_t lo, size_t hi)
{
	size_t len = cur_left(value);

	if (len < lo || len > hi)
		value->failed = true;
	return (struct et_str){ (const char *)cur_take(value, len), (uint32_t)len };
}

static struct et_str take_path(struct cursor *value)
{
	struct et_str s = take_text(value, 1, LIMIT_NAME);

	if (!value->failed && memchr(s.ptr, 0, s.len))
		value->failed = true;
	return s;
}

static uint64_t take_number(struct cursor *value, struct et_exe *e, unsigned what)
{
	e->known |= what;
	return cur_varint(value);
}

static void take_tag(struct et_exe *e, uint64_t tag, struct cursor *value)
{
	switch (tag) {
	case EXE_PATH:
		e->path = take_path(value);
		break;
	case EXE_DEV:
		e->dev = take_number(value, e, ET_EXE_DEV);
		break;
	case EXE_INODE:
		e->inode = take_number(value, e, ET_EXE_INODE);
		break;
	case EXE_SIZE:
		e->size = take_number(value, e, ET_EXE_SIZE);
		break;
	case EXE_MTIME:
		e->known |= ET_EXE_MTIME;
		e->mtime = (int64_t)cur_u64(value);
		break;
	case EXE_BUILD_ID:
		e->build_id = take_text(value, 1, LIMIT_BUILD_ID);
		break;
	case EXE_INTERPRETER:
		e->interpreter = take_path(value);
		break;
	default:
		value->at = value->end;
	}
}

bool exes_next(struct cursor *b, struct et_exe *out)
{
	struct cursor tags = cur_sub(b, cur_varint(b));
	uint64_t last = 0;

	*out = (struct et_exe){ 0 };
	while (!b->failed && cur_left(&tags)) {
		uint64_t tag = cur_varint(&tags);
		struct cursor value = cur_sub(&tags, cur_varint(&tags));

		if (!tags.failed && tag > last)
			take_tag(out, tag, &value);
		if (tags.failed || tag <= last || !cur_done(&value))
			b->failed = true;
		last = tag;
	}
	if (!out->path.len)
		b->failed = true;
	return !b->failed;
}

static bool same_text(struct et_str a, struct et_str b)
{
	return a.len == b.len && !memcmp(a.ptr, b.ptr, a.len);
}

static bool same(const struct et_exe *a, const struct et_exe *b)
{
	return a->known == b->known && a->dev == b->dev && a->inode == b->inode &&
	       a->size == b->size && a->mtime == b->mtime && same_text(a->path, b->path);
}

/* The slot of an executable, or the free one where it would be. The table is not full. */
static uint32_t *slot(const struct exes *t, const struct et_exe *e)
{
	uint64_t h = mix_bytes(t->seed, e->path.ptr, e->path.len);
	size_t at;

	h = mix_number(t->seed, h ^ e->inode);
	h = mix_number(t->seed, h ^ e->dev);
	h = mix_number(t->seed, h ^ e->size);
	h = mix_number(t->seed, h ^ (uint64_t)e->mtime);
	at = (size_t)h & (t->n_slots - 1);
	while (t->slots[at] && !same(&t->v[t->slots[at] - 1], e))
		at = (at + 1) & (t->n_slots - 1);
	return &t->slots[at];
}

/* Room for one more; at most half of the slots are taken. */
static bool grow(struct exes *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		struct et_exe *more = reallocarray(t->v, cap, sizeof(*more));

		if (!more)
			return false;
		t->v = more;
		t->cap = cap;
	}
	if (t->n * 2 >= t->n_slots) {
		size_t n = t->n_slots ? t->n_slots * 2 : 64;
		uint32_t *slots = calloc(n, sizeof(*slots));

		if (!slots)
			return false;
		free(t->slots);
		t->slots = slots;
		t->n_slots = n;
		for (size_t i = 0; i < t->n; i++)
			*slot(t, &t->v[i]) = (uint32_t)i + 1;
	}
	return true;
}

static void put_text(struct et_str *to, char **at, struct et_str from)
{
	*to = (struct et_str){ *at, from.len };
	if (from.len)
		memcpy(*at, from.ptr, from.len);
	*at += from.len;
}

/* A copy with its strings in one piece of memory, that of the path; false: no memory. */
static bool copy(struct et_exe *to, const struct et_exe *from)
{
	char *text = malloc((size_t)from->path.len + from->build_id.len +
			    from->interpreter.len);

	if (!text)
		return false;
	*to = *from;
	put_text(&to->path, &text, from->path);
	put_text(&to->build_id, &text, from->build_id);
	put_text(&to->interpreter, &text, from->interpreter);
	return true;
}

static void free_text(struct et_exe *e)
{
	free((void *)(uintptr_t)e->path.ptr);
}

int exes_put(struct exes *t, const struct et_exe *e)
{
	struct et_exe own;
	uint32_t *at;

	if (!grow(t))
		return ET_NOMEM;
	at = slot(t, e);
	if (!*at && t->n == LIMIT_NAMES)
		return ET_LIMIT;
	if (!copy(&own, e))
		return ET_NOMEM;
	if (*at) {
		free_text(&t->v[*at - 1]);
	} else {
		t->n++;
		*at = (uint32_t)t->n;
	}
	t->v[*at - 1] = own;
	return ET_OK;
}

void exes_clear(struct exes *t)
{
	if (!t->n)
		return;
	for (size_t i = 0; i < t->n; i++)
		free_text(&t->v[i]);
	memset(t->slots, 0, t->n_slots * sizeof(*t->slots));
	t->n = 0;
}

void exes_free(struct exes *t)
{
	exes_clear(t);
	free(t->v);
	free(t->slots);
	*t = (struct exes){ 0 };
}
