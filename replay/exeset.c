/* SPDX-License-Identifier: BSD-2-Clause */
#include "exeset.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* As many as a reader keeps (SPEC.md 2.5); what else rows name is left out. */
#define NAMED_MAX (1u << 20)
/* Of one record (et_writer_exes). */
#define TAKE_MAX 4096u

/* Trees hold these. Trees, for strangers choose the paths: there is nothing to collide. */
struct exeset_entry {
	struct et_exe exe; /* its strings in one piece of memory, that of the path */
	bool waits;
};

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* What rows name. */
static int by_name(const void *a, const void *b)
{
	const unsigned named = ET_EXE_DEV | ET_EXE_INODE;
	const struct et_exe *x = &((const struct exeset_entry *)a)->exe;
	const struct et_exe *y = &((const struct exeset_entry *)b)->exe;
	int r = by_number(x->inode, y->inode);

	r = r ? r : by_number(x->dev, y->dev);
	r = r ? r : by_number(x->known & named, y->known & named);
	r = r ? r : by_number(x->path.len, y->path.len);
	return r ? r : memcmp(x->path.ptr, y->path.ptr, x->path.len);
}

/* What makes two executables the same. */
static int by_all(const void *a, const void *b)
{
	const struct et_exe *x = &((const struct exeset_entry *)a)->exe;
	const struct et_exe *y = &((const struct exeset_entry *)b)->exe;
	int r = by_name(a, b);

	r = r ? r : by_number(x->known, y->known);
	r = r ? r : by_number(x->size, y->size);
	return r ? r : by_number((uint64_t)x->mtime, (uint64_t)y->mtime);
}

static void put_text(struct et_str *to, char **at, struct et_str from)
{
	*to = (struct et_str){ *at, from.len };
	if (from.len)
		memcpy(*at, from.ptr, from.len);
	*at += from.len;
}

/* A copy with strings of its own; -1: no memory. */
static int copy(struct et_exe *to, const struct et_exe *from)
{
	struct et_exe own = *from;
	char *text = malloc((size_t)from->path.len + from->build_id.len +
			    from->interpreter.len + 1);

	if (!text)
		return -1;
	put_text(&own.path, &text, from->path);
	put_text(&own.build_id, &text, from->build_id);
	put_text(&own.interpreter, &text, from->interpreter);
	*to = own;
	return 0;
}

static void free_entry(void *entry)
{
	struct exeset_entry *e = entry;

	if (e)
		free((void *)(uintptr_t)e->exe.path.ptr);
	free(e);
}

/* The entry of a tree, a copy of it where there was none; NULL: no memory. */
static struct exeset_entry *put(void **tree, const struct et_exe *exe,
				int (*compare)(const void *, const void *), bool *is_new)
{
	struct exeset_entry key = { .exe = *exe }, *own, **node = tfind(&key, tree, compare);

	*is_new = !node;
	if (node)
		return *node;
	own = calloc(1, sizeof(*own));
	if (own && !copy(&own->exe, exe) && tsearch(own, tree, compare))
		return own;
	free_entry(own);
	return NULL;
}

void exeset_free(struct exeset *s)
{
	tdestroy(s->named, free_entry);
	tdestroy(s->known, free_entry);
	free(s->waiting);
	free(s->lent);
	*s = (struct exeset){ 0 };
}

int exeset_note(struct exeset *s, const struct et_event *ev)
{
	struct et_exe exe = { 0 };
	bool is_new;

	if (!ET_HAS(ev, ET_F_EXE) || s->n_named == NAMED_MAX)
		return 0;
	exe.path = ev->v[ET_F_EXE].s;
	if (!exe.path.len || exe.path.len > ET_EXE_TEXT_MAX)
		return 0;
	if (ET_HAS(ev, ET_F_EXE_DEV)) {
		exe.known |= ET_EXE_DEV;
		exe.dev = ev->v[ET_F_EXE_DEV].u;
	}
	if (ET_HAS(ev, ET_F_EXE_INODE)) {
		exe.known |= ET_EXE_INODE;
		exe.inode = ev->v[ET_F_EXE_INODE].u;
	}
	if (!put(&s->named, &exe, by_name, &is_new))
		return -1;
	s->n_named += is_new;
	return 0;
}

static int push(struct exeset *s, struct exeset_entry *e)
{
	if (e->waits)
		return 0;
	if (s->n_waiting == s->cap_waiting) {
		size_t cap = s->n_waiting ? s->n_waiting * 2 : 16;
		struct exeset_entry **more = reallocarray(s->waiting, cap,
							  sizeof(struct exeset_entry *));

		if (!more)
			return -1;
		s->waiting = more;
		s->cap_waiting = cap;
	}
	s->waiting[s->n_waiting++] = e;
	e->waits = true;
	return 0;
}

/* What e lacks and more has. */
static int complete(struct exeset *s, struct exeset_entry *e, const struct et_exe *more)
{
	struct et_exe both = e->exe;
	void *old = (void *)(uintptr_t)e->exe.path.ptr;

	if (!both.build_id.len)
		both.build_id = more->build_id;
	if (!both.interpreter.len)
		both.interpreter = more->interpreter;
	if (both.build_id.len == e->exe.build_id.len &&
	    both.interpreter.len == e->exe.interpreter.len)
		return 0;
	if (copy(&e->exe, &both))
		return -1;
	free(old);
	return push(s, e);
}

int exeset_add(struct exeset *s, const struct et_context *from)
{
	const struct et_exe *v;
	size_t n = et_context_exes(from, &v);

	for (size_t i = 0; i < n; i++) {
		struct exeset_entry key = { .exe = v[i] }, *e;
		bool is_new;

		if (!s->all && !tfind(&key, &s->named, by_name))
			continue;
		e = put(&s->known, &v[i], by_all, &is_new);
		if (!e || (is_new ? push(s, e) : complete(s, e, &v[i])))
			return -1;
	}
	return 0;
}

static int take(struct exeset *s, size_t max, const struct et_exe **out, size_t *n)
{
	s->n_waiting -= s->given;
	if (s->given)
		memmove(s->waiting, s->waiting + s->given, s->n_waiting * sizeof(*s->waiting));
	s->given = *n = s->n_waiting < max ? s->n_waiting : max;
	if (!*n)
		return 0;
	free(s->lent);
	*out = s->lent = calloc(*n, sizeof(*s->lent));
	if (!s->lent)
		return -1;
	for (size_t i = 0; i < *n; i++) {
		s->lent[i] = s->waiting[i]->exe;
		s->waiting[i]->waits = false;
	}
	return 0;
}

int exeset_take(struct exeset *s, const struct et_exe **out, size_t *n)
{
	return take(s, TAKE_MAX, out, n);
}

int exeset_all(struct exeset *s, const struct et_exe **out, size_t *n)
{
	return take(s, SIZE_MAX, out, n);
}
