/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "lookup.h"
#include "memo.h"

struct names {
	struct id_set done[ID_KINDS];
	int servant; /* -1: nobody answers, or not any more */
	/*
	 * Cgroups as they were called: when the next file names one it may be gone, and its
	 * number is never given again. Users are asked for anew. NULL: there is no next file.
	 */
	struct memo *cgroups;
	uint64_t asked[LOOKUP_BATCH];
	size_t n_asked;
	struct et_name out[LOOKUP_BATCH];
	uint32_t n_out;
	char *text; /* the names in out, one behind the other */
	size_t text_len, text_size;
};

void names_free(struct names *n)
{
	if (!n)
		return;
	for (unsigned i = 0; i < ID_KINDS; i++)
		id_set_free(&n->done[i]);
	memo_free(n->cgroups);
	free(n->text);
	free(n);
}

struct names *names_new(int servant, bool again)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->servant = servant;
	n->cgroups = again ? memo_new() : NULL;
	if (again && !n->cgroups) {
		names_free(n);
		return NULL;
	}
	return n;
}

void names_restart(struct names *n)
{
	for (unsigned i = 0; i < ID_KINDS; i++)
		id_set_free(&n->done[i]);
}

/* Without memory for it, a name is left out. */
static void put(struct names *n, uint64_t id, bool group, const char *name, size_t len)
{
	if (n->text_len + len > n->text_size) {
		size_t size = n->text_len + len + LOOKUP_BYTES;
		char *text = realloc(n->text, size);

		if (!text)
			return;
		n->text = text;
		n->text_size = size;
	}
	memcpy(n->text + n->text_len, name, len);
	n->text_len += len;
	/* The text may still move: the pointers are set when it is complete. */
	n->out[n->n_out++] = (struct et_name){ id, group, { NULL, (uint32_t)len } };
}

/* Takes the names of what is to be asked into out. */
static void ask(struct names *n, enum id_kind kind)
{
	bool answers = n->servant >= 0 && lookup_ask(n->servant, kind, n->asked, n->n_asked);
	char name[LOOKUP_BYTES];

	for (size_t i = 0; i < n->n_asked && answers; i++) {
		int len = lookup_take(n->servant, name);

		answers = len >= 0;
		if (len <= 0)
			continue;
		put(n, n->asked[i], kind == ID_GROUP, name, (size_t)len);
		if (kind == ID_CGROUP && n->cgroups)
			memo_keep(n->cgroups, n->asked[i], name, (size_t)len);
	}
	if (!answers)
		n->servant = -1;
	n->n_asked = 0;
}

static int flush(struct names *n, struct et_writer *w, enum et_record_type type,
		 struct et_error *err)
{
	const char *at = n->text;
	int code;

	for (uint32_t i = 0; i < n->n_out; i++) {
		n->out[i].name.ptr = at;
		at += n->out[i].name.len;
	}
	code = et_writer_names(w, type, n->out, n->n_out, err);
	n->n_out = 0;
	n->text_len = 0;
	return code;
}

/* Without a question. */
static bool recall(struct names *n, enum id_kind kind, uint64_t id)
{
	const char *name;
	size_t len;

	if (kind != ID_CGROUP || !n->cgroups || !memo_find(n->cgroups, id, &name, &len))
		return false;
	put(n, id, false, name, len);
	return true;
}

static int write_kind(struct names *n, struct et_writer *w, const struct ids *l,
		      enum id_kind kind, struct et_error *err)
{
	enum et_record_type type = kind == ID_CGROUP ? ET_REC_CGROUPS : ET_REC_USERS;
	int code = ET_OK;

	for (uint32_t i = 0; i < l->n && code == ET_OK; i++) {
		if (l->v[i].kind == kind && id_set_add(&n->done[kind], l->v[i].id) &&
		    !recall(n, kind, l->v[i].id))
			n->asked[n->n_asked++] = l->v[i].id;
		if (n->n_asked + n->n_out == LOOKUP_BATCH || i + 1 == l->n) {
			if (n->n_asked)
				ask(n, kind);
			code = n->n_out ? flush(n, w, type, err) : ET_OK;
		}
	}
	return code;
}

int names_write(struct names *n, struct et_writer *w, const struct ids *l, struct et_error *err)
{
	static const enum id_kind kinds[] = { ID_USER, ID_GROUP, ID_CGROUP };
	int code = ET_OK;

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && code == ET_OK; i++)
		code = write_kind(n, w, l, kinds[i], err);
	return code;
}
