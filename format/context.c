/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context.c - the names that travel in a capture (SPEC.md 3.4, 3.5 and 3.8), so that
 * nothing is looked up on the reader's machine.
 */
#include "bounds.h"
#include "bytes.h"
#include "error.h"
#include "exes.h"
#include "mix.h"
#include "reader.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

/*
 * Names by id, a later one in the place of an earlier one. A hash table, because a
 * capture may bring a million of them in any order.
 */
struct names {
	struct name {
		uint64_t id;
		char *text;	/* NULL: the slot is free */
	} *slots;
	size_t n, n_slots;	/* n_slots: a power of two, or 0 */
	uint64_t seed;
};

struct et_context {
	struct names users, groups, cgroups;
	struct exes exes;
	struct et_pair *pairs;
	size_t n_pairs, cap_pairs;
};

static void names_clear(struct names *t)
{
	/* A segment costs a file header: an empty table must cost nothing. */
	if (!t->n)
		return;
	for (size_t i = 0; i < t->n_slots; i++) {
		free(t->slots[i].text);
		t->slots[i].text = NULL;
	}
	t->n = 0;
}

/* The slot of an id, or the free one where it would be. The table is not full. */
static struct name *names_slot(const struct names *t, uint64_t id)
{
	size_t at = (size_t)mix_number(t->seed, id) & (t->n_slots - 1);

	while (t->slots[at].text && t->slots[at].id != id)
		at = (at + 1) & (t->n_slots - 1);
	return &t->slots[at];
}

static const char *names_find(const struct names *t, uint64_t id)
{
	return t->n ? names_slot(t, id)->text : NULL;
}

static bool names_by_name(const struct names *t, const char *name, uint64_t *id)
{
	for (size_t i = 0; i < t->n_slots; i++) {
		if (t->slots[i].text && !strcmp(t->slots[i].text, name)) {
			*id = t->slots[i].id;
			return true;
		}
	}
	return false;
}

static bool names_grow(struct names *t)
{
	size_t n = t->n_slots;
	struct names more = *t;

	/* At most half of the slots are taken. */
	if (t->n * 2 < n)
		return true;
	more.n_slots = n ? n * 2 : 64;
	more.slots = calloc(more.n_slots, sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (t->slots[i].text)
			*names_slot(&more, t->slots[i].id) = t->slots[i];
	}
	free(t->slots);
	*t = more;
	return true;
}

static int names_put(struct names *t, uint64_t id, const uint8_t *p, size_t len)
{
	struct name *slot;
	char *text;

	if (!names_grow(t))
		return ET_NOMEM;
	slot = names_slot(t, id);
	if (!slot->text && t->n == LIMIT_NAMES)
		return ET_LIMIT;
	text = strndup((const char *)p, len);
	if (!text)
		return ET_NOMEM;
	t->n += !slot->text;
	free(slot->text);
	*slot = (struct name){ id, text };
	return ET_OK;
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

static void clear(struct et_context *c)
{
	names_clear(&c->users);
	names_clear(&c->groups);
	names_clear(&c->cgroups);
	exes_clear(&c->exes);
	for (size_t i = 0; i < c->n_pairs; i++) {
		free((void *)(uintptr_t)c->pairs[i].key);
		free((void *)(uintptr_t)c->pairs[i].value.ptr);
	}
	c->n_pairs = 0;
}

struct et_context *et_context_new(void)
{
	struct et_context *c = calloc(1, sizeof(*c));

	if (c)
		c->users.seed = c->groups.seed = c->cgroups.seed = c->exes.seed = mix_seed();
	return c;
}

void et_context_free(struct et_context *c)
{
	if (!c)
		return;
	clear(c);
	free(c->users.slots);
	free(c->groups.slots);
	free(c->cgroups.slots);
	exes_free(&c->exes);
	free(c->pairs);
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

static struct et_pair *find_pair(const struct et_context *c, const char *key)
{
	for (size_t i = 0; i < c->n_pairs; i++) {
		if (!strcmp(c->pairs[i].key, key))
			return &c->pairs[i];
	}
	return NULL;
}

/* Takes both strings over; what was said of the key before goes. */
static int put_pair(struct et_context *c, char *key, char *value, size_t len)
{
	struct et_pair *pair = find_pair(c, key), *pairs;

	if (pair) {
		free(key);
		free((void *)(uintptr_t)pair->value.ptr);
	} else {
		bool full = c->n_pairs == LIMIT_PAIRS;

		pairs = full ? NULL : grown(c->pairs, c->n_pairs, &c->cap_pairs, sizeof(*pairs));
		if (!pairs) {
			free(key);
			free(value);
			return full ? ET_LIMIT : ET_NOMEM;
		}
		c->pairs = pairs;
		pair = &pairs[c->n_pairs++];
		pair->key = key;
	}
	pair->value = (struct et_str){ value, (uint32_t)len };
	return ET_OK;
}

/*
 * The take_ functions read a body. Without keep they only check it, because a
 * record that breaks the format is to leave nothing behind.
 */
static int take_host(struct et_context *c, struct cursor *b, bool keep)
{
	while (!b->failed && cur_left(b)) {
		size_t key_len, len;
		const uint8_t *key = take_name(b, &key_len), *value = take_name(b, &len);
		char *k, *v;
		int rc;

		if (!key || !value)
			break;
		if (!keep)
			continue;
		k = strndup((const char *)key, key_len);
		v = strndup((const char *)value, len);
		if (!k || !v) {
			free(k);
			free(v);
			return ET_NOMEM;
		}
		rc = put_pair(c, k, v, len);
		if (rc)
			return rc;
	}
	return ET_OK;
}

static int take_names(struct et_context *c, unsigned type, struct cursor *b, bool keep)
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
		rc = keep ? names_put(t, id, p, len) : ET_OK;
		if (rc)
			return rc;
	}
	return ET_OK;
}

static int take_exes(struct et_context *c, struct cursor *b, bool keep)
{
	struct et_exe exe;
	int rc = ET_OK;

	while (!rc && cur_left(b) && exes_next(b, &exe))
		rc = keep ? exes_put(&c->exes, &exe) : ET_OK;
	return rc;
}

int et_context_take(struct et_context *c, struct et_reader *r, const struct et_record *rec,
		    struct et_error *err)
{
	struct et_error own;
	const uint8_t *body;
	struct cursor b;
	int rc;

	if (!err)
		err = &own;
	if (rec->type == ET_REC_FILE)
		clear(c);
	if (!is_names_type(rec->type))
		return ET_OK;
	rc = et_reader_body(r, &body, err);
	if (rc)
		return rc;
	for (unsigned keep = 0; keep < 2; keep++) {
		b = cur_make(body, rec->body_len);
		if (rec->type == ET_REC_HOST)
			rc = take_host(c, &b, keep);
		else if (rec->type == ET_REC_EXES)
			rc = take_exes(c, &b, keep);
		else
			rc = take_names(c, rec->type, &b, keep);
		if (rc || !cur_done(&b))
			break;
	}
	if (rc == ET_NOMEM)
		return et_fail_nomem(err);
	if (rc)
		rc = et_fail(err, ET_LIMIT, rec->at, "more names than a reader keeps");
	else if (!cur_done(&b))
		rc = et_fail(err, ET_CORRUPT, rec->at, "a record of names breaks the format");
	if (rc)
		reader_fault(r, rc, rec->at, err->what, rec->size);
	return rc;
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
	const struct et_pair *pair = find_pair(c, key);

	return pair ? pair->value.ptr : NULL;
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

bool et_context_next(const struct et_context *c, bool group, size_t *at, struct et_name *out)
{
	const struct names *t = group ? &c->groups : &c->users;

	for (; *at < t->n_slots; ++*at) {
		const struct name *slot = &t->slots[*at];

		if (!slot->text)
			continue;
		*out = (struct et_name){ slot->id, group,
					 { slot->text, (uint32_t)strlen(slot->text) } };
		++*at;
		return true;
	}
	return false;
}

size_t et_context_exes(const struct et_context *c, const struct et_exe **out)
{
	*out = c->exes.v;
	return c->exes.n;
}
