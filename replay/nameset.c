/* SPDX-License-Identifier: BSD-2-Clause */
#include "nameset.h"

#include <stdlib.h>
#include <string.h>

/* As many as a reader keeps (SPEC.md 2.5); of more ids no names are looked for. */
#define IDS_MAX (1u << 20)
/* Names of one record: with 4,096 bytes each they stay within the limit of a body. */
#define TAKE_MAX 8192u
#define PAIRS_MAX 256u

void nameset_init(struct nameset *s)
{
	*s = (struct nameset){ 0 };
}

static void drop_given(struct nameset *s, bool cgroups)
{
	struct et_name *v = s->waiting[cgroups];
	size_t n = s->given[cgroups];

	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)v[i].name.ptr);
	s->n_waiting[cgroups] -= n;
	if (n)
		memmove(v, v + n, s->n_waiting[cgroups] * sizeof(*v));
	s->given[cgroups] = 0;
}

void nameset_free(struct nameset *s)
{
	for (unsigned k = 0; k < NAMESET_KINDS; k++)
		free(s->ids[k].v);
	for (int k = 0; k < 2; k++) {
		s->given[k] = s->n_waiting[k];
		drop_given(s, k);
		free(s->waiting[k]);
	}
	for (size_t i = 0; i < s->n_pairs; i++) {
		free(s->pairs[i].key);
		free(s->pairs[i].value);
	}
	free(s->pairs);
	free(s->lent);
	free(s->sources);
	*s = (struct nameset){ 0 };
}

void nameset_sources(struct nameset *s, const struct nameset_source *v, size_t n, bool cut)
{
	struct nameset_source *own = malloc(n * sizeof(*own) + 1);

	free(s->sources);
	s->sources = own;
	s->n_sources = own ? n : 0;
	s->no_memory |= !own;
	s->cut = cut;
	s->host_seen = 0;
	s->news++;
	if (own && n)
		memcpy(own, v, n * sizeof(*own));
}

void nameset_news(struct nameset *s)
{
	s->news++;
}

/* ---- Ids ---------------------------------------------------------------------------- */

/* FNV-1a, never 0: it only has to tell that a name has changed. */
static uint64_t hash_text(uint64_t h, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3u;
	return h | 1;
}

#define HASH_BEGIN 0xcbf29ce484222325u

static struct nameset_entry *slot(const struct nameset_ids *t, uint64_t id)
{
	uint64_t h = id * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(h ^ h >> 32) & (t->size - 1);

	while (t->v[at].used && t->v[at].id != id)
		at = (at + 1) & (t->size - 1);
	return &t->v[at];
}

static int grow(struct nameset_ids *t)
{
	struct nameset_ids more = { .n = t->n, .size = t->size ? t->size * 2 : 64 };

	more.v = calloc(more.size, sizeof(*more.v));
	if (!more.v)
		return -1;
	for (size_t i = 0; i < t->size; i++)
		if (t->v[i].used)
			*slot(&more, t->v[i].id) = t->v[i];
	free(t->v);
	*t = more;
	return 0;
}

/* What the sources call the id, by the lowest rank that knows it; NULL: none does. */
static const char *look_up(const struct nameset *s, enum nameset_kind kind, uint64_t id,
			   unsigned *rank)
{
	const char *best = NULL;

	for (size_t i = 0; i < s->n_sources; i++) {
		const struct et_context *c = s->sources[i].source->names;
		const char *name = kind == NAMESET_USER    ? et_context_user(c, id)
				   : kind == NAMESET_GROUP ? et_context_group(c, id)
							   : et_context_cgroup(c, id);

		if (!name || (best && s->sources[i].rank > *rank))
			continue;
		best = name;
		*rank = s->sources[i].rank;
	}
	return best;
}

static int push(struct nameset *s, bool cgroups, struct et_name name)
{
	size_t n = s->n_waiting[cgroups];

	if (n == s->cap_waiting[cgroups]) {
		size_t cap = n ? n * 2 : 16;
		struct et_name *more = reallocarray(s->waiting[cgroups], cap, sizeof(*more));

		if (!more)
			return -1;
		s->waiting[cgroups] = more;
		s->cap_waiting[cgroups] = cap;
	}
	s->waiting[cgroups][n] = name;
	s->n_waiting[cgroups]++;
	return 0;
}

/* Makes the id's name wait if it is news. */
static int refresh(struct nameset *s, enum nameset_kind kind, struct nameset_entry *e)
{
	unsigned rank = 0;
	const char *name = look_up(s, kind, e->id, &rank);
	size_t len = name ? strlen(name) : 0;
	struct et_name copy = { .id = e->id, .group = kind == NAMESET_GROUP };
	uint64_t hash;
	char *text;

	e->news = s->news;
	if (!name || (e->hash && rank > e->rank))
		return 0;
	hash = hash_text(HASH_BEGIN, name, len);
	e->rank = rank;
	if (hash == e->hash)
		return 0;
	e->hash = hash;
	text = strdup(name);
	copy.name = (struct et_str){ text, (uint32_t)len };
	if (text && !push(s, kind == NAMESET_CGROUP, copy))
		return 0;
	free(text);
	return -1;
}

int nameset_note(struct nameset *s, enum nameset_kind kind, uint64_t id)
{
	struct nameset_ids *t = &s->ids[kind];
	struct nameset_entry *e;

	if (t->n * 2 >= t->size && grow(t))
		return -1;
	e = slot(t, id);
	if (e->used)
		return e->hash || e->news == s->news ? 0 : refresh(s, kind, e);
	if (t->n == IDS_MAX)
		return 0;
	*e = (struct nameset_entry){ .id = id, .used = true };
	t->n++;
	return refresh(s, kind, e);
}

int nameset_settle(struct nameset *s)
{
	for (unsigned k = 0; k < NAMESET_KINDS; k++)
		for (size_t i = 0; i < s->ids[k].size; i++)
			if (s->ids[k].v[i].used &&
			    refresh(s, (enum nameset_kind)k, &s->ids[k].v[i]))
				return -1;
	return 0;
}

size_t nameset_take(struct nameset *s, bool cgroups, const struct et_name **out)
{
	drop_given(s, cgroups);
	*out = s->waiting[cgroups];
	s->given[cgroups] = s->n_waiting[cgroups] < TAKE_MAX ? s->n_waiting[cgroups]
							     : TAKE_MAX;
	return s->given[cgroups];
}

/* ---- The host ----------------------------------------------------------------------- */

static struct nameset_pair *find_pair(struct nameset *s, const char *key)
{
	for (size_t i = 0; i < s->n_pairs; i++)
		if (!strcmp(s->pairs[i].key, key))
			return &s->pairs[i];
	return NULL;
}

static int put_pair(struct nameset *s, const struct et_pair *pair, unsigned rank)
{
	struct nameset_pair *p = find_pair(s, pair->key), *more;
	char *value;

	if (p && (rank > p->rank ||
		  (p->len == pair->value.len && !memcmp(p->value, pair->value.ptr, p->len)))) {
		p->rank = rank < p->rank ? rank : p->rank;
		return 0;
	}
	if (!p && s->n_pairs == PAIRS_MAX)
		return 0;
	value = strndup(pair->value.ptr, pair->value.len);
	if (!value)
		return -1;
	if (!p) {
		more = reallocarray(s->pairs, s->n_pairs + 1, sizeof(*more));
		if (more)
			s->pairs = more;
		p = more ? &more[s->n_pairs] : NULL;
		if (p)
			*p = (struct nameset_pair){ .key = strdup(pair->key) };
		if (!p || !p->key) {
			free(value);
			return -1;
		}
		s->n_pairs++;
	}
	free(p->value);
	p->value = value;
	p->len = pair->value.len;
	p->rank = rank;
	s->host_changed = true;
	return 0;
}

/* What tells of events that are not here. */
static bool is_private(const char *key)
{
	return !strcmp(key, "options") || !strcmp(key, "command") || !strcmp(key, "filter");
}

/* Changes when any source says something else of its host. */
static uint64_t host_hash(const struct nameset *s)
{
	uint64_t h = HASH_BEGIN;

	for (size_t i = 0; i < s->n_sources; i++) {
		const struct et_pair *pairs;
		size_t n = et_context_pairs(s->sources[i].source->names, &pairs);

		for (size_t k = 0; k < n; k++) {
			h = hash_text(h, pairs[k].key, strlen(pairs[k].key) + 1);
			h = hash_text(h, pairs[k].value.ptr, pairs[k].value.len);
		}
	}
	return h | 1;
}

int nameset_host(struct nameset *s, const struct et_pair **out, size_t *n)
{
	uint64_t seen = host_hash(s);

	*n = 0;
	if (s->no_memory)
		return -1;
	for (size_t i = 0; i < s->n_sources && seen != s->host_seen; i++) {
		const struct et_pair *pairs;
		size_t count = et_context_pairs(s->sources[i].source->names, &pairs);

		for (size_t k = 0; k < count; k++)
			if (!(s->cut && is_private(pairs[k].key)) &&
			    put_pair(s, &pairs[k], s->sources[i].rank))
				return -1;
	}
	s->host_seen = seen;
	if (!s->host_changed)
		return 0;
	free(s->lent);
	s->lent = calloc(s->n_pairs, sizeof(*s->lent));
	if (!s->lent)
		return -1;
	for (size_t i = 0; i < s->n_pairs; i++)
		s->lent[i] = (struct et_pair){ s->pairs[i].key,
					       { s->pairs[i].value, s->pairs[i].len } };
	s->host_changed = false;
	*out = s->lent;
	*n = s->n_pairs;
	return 0;
}
