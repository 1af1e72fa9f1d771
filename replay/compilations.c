/* SPDX-License-Identifier: BSD-2-Clause */
#include "compilations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "hash.h"
#include "tempfile.h"

/* Where the text of an entry lies: its key, which is file, NUL and output, and its JSON. */
struct entry {
	uint64_t hash; /* of the key */
	uint64_t at;
	uint32_t key_len, len;
};

struct compilations {
	struct out text; /* to the file */
	uint64_t size;   /* of what went there */
	struct entry *entries;
	size_t n, cap;
	uint32_t *slots; /* open addressing: the index of an entry and one; 0: free */
	size_t n_slots;  /* a power of two, at least twice n */
	uint64_t seed[2];
	struct out new, old; /* an entry at hand, and one that it is compared with */
};

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

static int no_file(int error, struct reason *why)
{
	return reason_set(why, EXIT_FAILED,
			  "cannot keep entries in a file in %s: %s (TMPDIR says where)",
			  tempfile_folder(), strerror(error));
}

int compilations_open(struct compilations **out, struct reason *why)
{
	struct compilations *c = calloc(1, sizeof(*c));
	int fd = tempfile_open();

	*out = NULL;
	if (!c || fd < 0) {
		free(c);
		if (fd < 0)
			return no_file(errno, why);
		close(fd);
		return no_memory(why);
	}
	out_open(&c->text, fd);
	out_open(&c->new, -1);
	out_open(&c->old, -1);
	hash_seed(c->seed);
	*out = c;
	return 0;
}

void compilations_close(struct compilations *c)
{
	if (!c)
		return;
	close(c->text.fd);
	/* What is left in the buffer has nowhere to go. */
	c->text.fd = -1;
	out_close(&c->text);
	out_close(&c->new);
	out_close(&c->old);
	free(c->entries);
	free(c->slots);
	free(c);
}

size_t compilations_count(const struct compilations *c)
{
	return c->n;
}

/* ---- The text ----------------------------------------------------------------------- */

/* Returns whether JSON cannot hold it. */
static bool put_member(struct out *o, const char *name, struct et_str s)
{
	bool lossy;

	out_text(o, ",\n  \"");
	out_text(o, name);
	out_text(o, "\": \"");
	lossy = escape_json(o, s.ptr, s.len);
	out_char(o, '"');
	return lossy;
}

static bool put_arguments(struct out *o, const struct compilation *e)
{
	const struct driver *d = e->driver;
	bool lossy = false;

	out_text(o, ",\n  \"arguments\": [");
	for (uint32_t i = 0; i < d->argc; i++) {
		if (i != e->source && driver_is_source(d, i))
			continue;
		out_text(o, i ? ", \"" : "\"");
		lossy |= escape_json(o, d->argv[i].ptr, d->argv[i].len);
		out_char(o, '"');
	}
	out_char(o, ']');
	return lossy;
}

/* Key and JSON of an entry. */
static bool compose(struct out *o, const struct compilation *e, uint32_t *key_len)
{
	/* Without an output it is the compiler's default, by the directory. */
	struct et_str output = e->output.ptr ? e->output : e->directory;
	bool lossy;

	o->len = 0;
	out_bytes(o, e->file.ptr, e->file.len);
	out_char(o, 0);
	out_bytes(o, output.ptr, output.len);
	*key_len = (uint32_t)o->len;
	out_text(o, "{\n  \"directory\": \"");
	lossy = escape_json(o, e->directory.ptr, e->directory.len);
	out_char(o, '"');
	lossy |= put_member(o, "file", e->file);
	if (e->output.ptr)
		lossy |= put_member(o, "output", e->output);
	lossy |= put_arguments(o, e);
	out_text(o, "\n}");
	return lossy;
}

/* ---- The table ---------------------------------------------------------------------- */

/* An entry, as it lies in the file, into c->old. */
static int read_back(struct compilations *c, const struct entry *e, struct reason *why)
{
	char part[16384];
	uint64_t at = e->at, end = e->at + e->len;

	out_flush(&c->text);
	if (c->text.error)
		return no_file(c->text.error, why);
	c->old.len = 0;
	while (at < end) {
		size_t n = end - at < sizeof(part) ? (size_t)(end - at) : sizeof(part);
		ssize_t got = pread(c->text.fd, part, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return no_file(got ? errno : EIO, why);
		out_bytes(&c->old, part, (size_t)got);
		at += (uint64_t)got;
	}
	return c->old.error ? no_memory(why) : 0;
}

static int grow(struct compilations *c)
{
	size_t cap = c->cap ? c->cap * 2 : 256, n_slots = cap * 2;
	struct entry *entries = reallocarray(c->entries, cap, sizeof(*entries));
	uint32_t *slots;

	if (!entries)
		return -1;
	c->entries = entries;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -1;
	free(c->slots);
	c->slots = slots;
	c->cap = cap;
	c->n_slots = n_slots;
	for (size_t i = 0; i < c->n; i++) {
		size_t at = entries[i].hash & (n_slots - 1);

		while (slots[at])
			at = (at + 1) & (n_slots - 1);
		slots[at] = (uint32_t)(i + 1);
	}
	return 0;
}

/*
 * The slot of the entry with the key of c->new, which is in c->old then, or the free one
 * where it belongs.
 */
static int find(struct compilations *c, uint64_t hash, uint32_t key_len, uint32_t **slot,
		struct reason *why)
{
	size_t at = hash & (c->n_slots - 1);

	for (; c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
		const struct entry *e = &c->entries[c->slots[at] - 1];

		if (e->hash != hash || e->key_len != key_len)
			continue;
		if (read_back(c, e, why))
			return -1;
		if (!memcmp(c->old.buf, c->new.buf, key_len))
			break;
	}
	*slot = &c->slots[at];
	return 0;
}

static void keep(struct compilations *c, struct entry *e)
{
	e->at = c->size;
	e->len = (uint32_t)c->new.len;
	out_bytes(&c->text, c->new.buf, c->new.len);
	c->size += c->new.len;
}

int compilations_add(struct compilations *c, const struct compilation *entry,
		     enum compilations_added *what, struct reason *why)
{
	uint32_t key_len, *slot;
	bool lossy = compose(&c->new, entry, &key_len);
	uint64_t hash;

	if (c->new.error || (c->n == c->cap && c->n < COMPILATIONS_MAX && grow(c)))
		return no_memory(why);
	*what = COMPILATIONS_BYTES;
	if (lossy)
		return 0;
	hash = hash_bytes(c->seed, c->new.buf, key_len);
	if (find(c, hash, key_len, &slot, why))
		return -1;
	*what = *slot ? COMPILATIONS_AGAIN : COMPILATIONS_NEW;
	if (*slot) {
		struct entry *e = &c->entries[*slot - 1];

		/* A build that is repeated takes no room. */
		if (c->old.len != c->new.len || memcmp(c->old.buf, c->new.buf, c->new.len))
			keep(c, e);
	} else if (c->n == COMPILATIONS_MAX) {
		return reason_set(why, EXIT_FAILED,
				  "more than %u different files are compiled: choose some, as "
				  "with --since, --until or --where",
				  COMPILATIONS_MAX);
	} else {
		c->entries[c->n] = (struct entry){ .hash = hash, .key_len = key_len };
		keep(c, &c->entries[c->n]);
		*slot = (uint32_t)++c->n;
	}
	return c->text.error ? no_file(c->text.error, why) : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

int compilations_write(struct compilations *c, struct out *o, struct reason *why)
{
	/* No entry is looked for any more. */
	free(c->slots);
	c->slots = NULL;
	c->n_slots = 0;
	if (c->n)
		qsort(c->entries, c->n, sizeof(*c->entries), by_place);
	out_text(o, "[");
	for (size_t i = 0; i < c->n && !o->error; i++) {
		const struct entry *e = &c->entries[i];

		if (read_back(c, e, why))
			return -1;
		out_text(o, i ? ",\n" : "\n");
		out_bytes(o, c->old.buf + e->key_len, c->old.len - e->key_len);
	}
	out_text(o, "\n]\n");
	return 0;
}
