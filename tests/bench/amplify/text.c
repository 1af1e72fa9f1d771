/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"
#include "need.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TEMPORARY "/tmp/cc"
#define TEMPORARY_LEN 6

struct piece {
	enum { AS_IS, ROOT, NUMBER, TEMPORARY_NAME } kind;
	uint32_t len;
	const char *ptr;
	uint64_t value; /* of NUMBER, and of TEMPORARY_NAME by its characters */
};

static const uint32_t powers[] = { 1,      10,      100,      1000,      10000,
				   100000, 1000000, 10000000, 100000000, 1000000000 };

static uint32_t digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && isdigit((unsigned char)*p))
		p++;
	return (uint32_t)(p - from);
}

static bool is_temporary(const char *from, const char *p, const char *end)
{
	size_t before = strlen(TEMPORARY);

	if ((size_t)(p - from) < before || memcmp(p - before, TEMPORARY, before) ||
	    end - p < TEMPORARY_LEN)
		return false;
	for (unsigned i = 0; i < TEMPORARY_LEN; i++)
		if (!isalnum((unsigned char)p[i]))
			return false;
	return true;
}

static bool is_root(const char *p, const char *end, const char *root)
{
	size_t len = strlen(root);

	return len > 1 && (size_t)(end - p) >= len && !memcmp(p, root, len) &&
	       (p + len == end || !isalnum((unsigned char)p[len]));
}

static void add(struct text *t, struct piece piece)
{
	uint32_t longest = piece.kind == ROOT ? sizeof(((struct copy *)0)->root) : piece.len;

	t->pieces = more_room(t->pieces, t->n + 1, sizeof(*t->pieces));
	t->pieces[t->n++] = piece;
	t->longest += longest;
}

/* What begins at p and differs from copy to copy; false: nothing does. */
static bool varies(const char *from, const char *p, const char *end, const char *root,
		   struct piece *out)
{
	uint32_t n = digits(p, end);

	*out = (struct piece){ .ptr = p };
	if (is_root(p, end, root)) {
		out->kind = ROOT;
		out->len = (uint32_t)strlen(root);
	} else if (is_temporary(from, p, end)) {
		out->kind = TEMPORARY_NAME;
		out->len = TEMPORARY_LEN;
		for (unsigned i = 0; i < TEMPORARY_LEN; i++)
			out->value = out->value << 8 | (unsigned char)p[i];
	} else if (n >= 4 && n <= 9 && (p == from || !isdigit((unsigned char)p[-1]))) {
		out->kind = NUMBER;
		out->len = n;
		out->value = strtoul(p, NULL, 10);
	} else {
		return false;
	}
	return true;
}

void text_make(uint8_t field, const char *ptr, uint32_t len, const char *root,
	       struct text *out)
{
	char *bytes = room(len + 1, 1);
	const char *end = bytes + len, *rest = bytes;
	struct piece piece;

	memcpy(bytes, ptr, len);
	*out = (struct text){ .field = field };
	for (const char *p = bytes; p < end;) {
		if (!varies(bytes, p, end, root, &piece)) {
			p++;
			continue;
		}
		if (p > rest)
			add(out, (struct piece){ AS_IS, (uint32_t)(p - rest), rest, 0 });
		add(out, piece);
		rest = p += piece.len;
	}
	if (end > rest || !out->n)
		add(out, (struct piece){ AS_IS, (uint32_t)(end - rest), rest, 0 });
}

static char *put_number(char *to, const struct piece *piece, uint64_t salt)
{
	uint64_t range = powers[piece->len], value = (piece->value + salt % range) % range;

	for (uint32_t i = piece->len; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + piece->len;
}

static char *put_temporary(char *to, const struct piece *piece, uint64_t salt)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t value = mix(salt, piece->value);

	for (unsigned i = 0; i < TEMPORARY_LEN; i++, value /= 62)
		*to++ = letters[value % 62];
	return to;
}

uint32_t text_put(const struct text *t, const struct copy *copy, char *to, const char **out)
{
	char *at = to;

	if (t->n == 1 && t->pieces->kind == AS_IS) {
		*out = t->pieces->ptr;
		return t->pieces->len;
	}
	for (const struct piece *p = t->pieces; p < t->pieces + t->n; p++) {
		if (p->kind == ROOT)
			at = stpcpy(at, copy->root);
		else if (p->kind == NUMBER)
			at = put_number(at, p, copy->salt);
		else if (p->kind == TEMPORARY_NAME)
			at = put_temporary(at, p, copy->salt);
		else
			at = mempcpy(at, p->ptr, p->len);
	}
	*out = to;
	return (uint32_t)(at - to);
}
