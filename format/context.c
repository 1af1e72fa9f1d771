/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context.c - the names and clocks that travel in a capture (SPEC.md 3.4 to
 * 3.7), so that nothing is looked up on the reader's machine.
 */
#include "bytes.h"
#include "error.h"
#include "bounds.h"

#include <exectrace.h>

#include <stdlib.h>
#include <string.h>

/* Names by id, ascending; a later name for an id takes the earlier one's place. */
struct names {
	struct {
		uint64_t id;
		char *name;
	} *v;
	size_t n, cap;
};

struct et_context {
	struct names users, groups, cgroups;
	struct et_pair *pairs;
	size_t n_pairs, cap_pairs;
	struct et_clock *clocks;
	size_t n_clocks, cap_clocks;
};

static void names_clear(struct names *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].name);
	t->n = 0;
}

/* Index of the first id that is not below id. */
static size_t names_place(const struct names *t, uint64_t id)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->v[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const char *names_find(const struct names *t, uint64_t id)
{
	size_t at = names_place(t, id);

	return at < t->n && t->v[at].id == id ? t->v[at].name : NULL;
}

static bool names_by_name(const struct names *t, const char *name, uint64_t *id)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!strcmp(t->v[i].name, name)) {
			*id = t->v[i].id;
			return true;
		}
	}
	return false;
}

/* The array v with room for one more item than n; NULL: no memory, v is as before. */
static void *grown(void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 16;

	if (n < *cap)
		return v;
	v = realloc(v, more * size);
	if (v)
		*cap = more;
	return v;
}

static int names_put(struct names *t, uint64_t id, const uint8_t *p, size_t len)
{
	size_t at = names_place(t, id);
	bool there = at < t->n && t->v[at].id == id;
	char *name;
	void *v;

	if (!there && t->n == LIMIT_NAMES)
		return ET_LIMIT;
	v = grown(t->v, t->n, &t->cap, sizeof(*t->v));
	if (!v)
		return ET_NOMEM;
	t->v = v;
	name = strndup((const char *)p, len);
	if (!name)
		return ET_NOMEM;
	if (there) {
		free(t->v[at].name);
	} else {
		memmove(t->v + at + 1, t->v + at, (t->n - at) * sizeof(*t->v));
		t->v[at].id = id;
		t->n++;
	}
	t->v[at].name = name;
	return ET_OK;
}

static void clear(struct et_context *c)
{
	names_clear(&c->users);
	names_clear(&c->groups);
	names_clear(&c->cgroups);
	for (size_t i = 0; i < c->n_pairs; i++) {
		free((void *)(uintptr_t)c->pairs[i].key);
		free((void *)(uintptr_t)c->pairs[i].value.ptr);
	}
	c->n_pairs = 0;
	c->n_clocks = 0;
}

struct et_context *et_context_new(void)
{
	return calloc(1, sizeof(struct et_context));
}

void et_context_free(struct et_context *c)
{
	if (!c)
		return;
	clear(c);
	free(c->users.v);
	free(c->groups.v);
	free(c->cgroups.v);
	free(c->pairs);
	free(c->clocks);
	free(c);
}

/* A name of a body: a length, that many bytes, none of them NUL. */
static const uint8_t *take_name(struct cursor *b, size_t *len)
{
	uint64_t n = cur_varint(b);
	const uint8_t *p;

	if (n > LIMIT_NAME)
		b->failed = true;
	p = cur_take(b, n);
	if (p && n && memchr(p, 0, n)) {
		b->failed = true;
		p = NULL;
	}
	*len = (size_t)n;
	return p;
}

static int take_host(struct et_context *c, struct cursor *b)
{
	while (!b->failed && cur_left(b)) {
		size_t key_len, len;
		const uint8_t *key = take_name(b, &key_len), *value = take_name(b, &len);
		struct et_pair pair, *pairs;

		if (!key || !value)
			break;
		if (c->n_pairs == LIMIT_NAMES)
			return ET_LIMIT;
		pairs = grown(c->pairs, c->n_pairs, &c->cap_pairs, sizeof(*pairs));
		if (!pairs)
			return ET_NOMEM;
		c->pairs = pairs;
		pair.key = strndup((const char *)key, key_len);
		pair.value.ptr = strndup((const char *)value, len);
		pair.value.len = (uint32_t)len;
		if (!pair.key || !pair.value.ptr) {
			free((void *)(uintptr_t)pair.key);
			free((void *)(uintptr_t)pair.value.ptr);
			return ET_NOMEM;
		}
		c->pairs[c->n_pairs++] = pair;
	}
	return ET_OK;
}

static int take_names(struct et_context *c, unsigned type, struct cursor *b)
{
	while (!b->failed && cur_left(b)) {
		struct names *t = &c->cgroups;
		const uint8_t *p;
		uint64_t id;
		size_t len;
		int rc;

		if (type == ET_REC_USERS) {
			unsigned group = cur_u8(b);

			if (group > 1)
				b->failed = true;
			t = group ? &c->groups : &c->users;
		}
		id = cur_varint(b);
		p = take_name(b, &len);
		if (!p)
			break;
		rc = names_put(t, id, p, len);
		if (rc)
			return rc;
	}
	return ET_OK;
}

static int take_clocks(struct et_context *c, struct cursor *b)
{
	while (!b->failed && cur_left(b)) {
		uint64_t ts = cur_u64(b);
		int64_t offset = (int64_t)cur_u64(b);
		struct et_clock *clocks;

		/* Out of order is of no use: a search would not find it. */
		if (b->failed || (c->n_clocks && ts < c->clocks[c->n_clocks - 1].ts)) {
			b->failed = true;
			break;
		}
		if (c->n_clocks == LIMIT_NAMES)
			return ET_LIMIT;
		clocks = grown(c->clocks, c->n_clocks, &c->cap_clocks, sizeof(*clocks));
		if (!clocks)
			return ET_NOMEM;
		c->clocks = clocks;
		c->clocks[c->n_clocks++] = (struct et_clock){ ts, offset };
	}
	return ET_OK;
}

int et_context_take(struct et_context *c, struct et_reader *r, const struct et_record *rec,
		    struct et_error *err)
{
	const uint8_t *body;
	struct cursor b;
	int rc;

	if (rec->type == ET_REC_FILE)
		clear(c);
	if (rec->type < ET_REC_HOST || rec->type > ET_REC_CLOCK)
		return ET_OK;
	rc = et_reader_body(r, &body, err);
	if (rc)
		return rc;
	b = cur_make(body, rec->body_len);
	switch (rec->type) {
	case ET_REC_HOST:
		rc = take_host(c, &b);
		break;
	case ET_REC_CLOCK:
		rc = take_clocks(c, &b);
		break;
	default:
		rc = take_names(c, rec->type, &b);
	}
	if (rc == ET_NOMEM)
		return et_fail_nomem(err);
	if (rc)
		return et_fail(err, ET_LIMIT, rec->at, "more names than a reader keeps");
	if (!cur_done(&b))
		return et_fail(err, ET_CORRUPT, rec->at, "a record of names breaks the format");
	return ET_OK;
}

const char *et_context_user(const struct et_context *c, uint64_t uid)
{
	return names_find(&c->users, uid);
}

const char *et_context_group(const struct et_context *c, uint64_t gid)
{
	return names_find(&c->groups, gid);
}

const char *et_context_cgroup(const struct et_context *c, uint64_t id)
{
	return names_find(&c->cgroups, id);
}

const char *et_context_host(const struct et_context *c, const char *key)
{
	for (size_t i = 0; i < c->n_pairs; i++) {
		if (!strcmp(c->pairs[i].key, key))
			return c->pairs[i].value.ptr;
	}
	return NULL;
}

size_t et_context_pairs(const struct et_context *c, const struct et_pair **out)
{
	*out = c->pairs;
	return c->n_pairs;
}

bool et_context_find_user(const struct et_context *c, const char *name, uint64_t *uid)
{
	return names_by_name(&c->users, name, uid);
}

bool et_context_find_group(const struct et_context *c, const char *name, uint64_t *gid)
{
	return names_by_name(&c->groups, name, gid);
}

int64_t et_context_realtime(const struct et_context *c, uint64_t ts, int64_t fallback)
{
	size_t low = 0, high = c->n_clocks;

	/* The last clock that is not after ts; before all of them, the first. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->clocks[mid].ts <= ts)
			low = mid + 1;
		else
			high = mid;
	}
	if (c->n_clocks)
		fallback = c->clocks[low ? low - 1 : 0].offset;
	/* Modulo 2^64: a forged offset must not be undefined behaviour. */
	return (int64_t)(ts + (uint64_t)fallback);
}

size_t et_context_clocks(const struct et_context *c, const struct et_clock **out)
{
	*out = c->clocks;
	return c->n_clocks;
}
