/* SPDX-License-Identifier: BSD-2-Clause */
#include "btfcheck.h"

#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* How deep types may lie in each other; those of a kernel do some 20 deep. */
#define DEPTH_MAX 64

#define SWAPPED (uint16_t)(BTF_MAGIC >> 8 | BTF_MAGIC << 8)

static const char cut[] = "is cut off: less is there than it says";
static const char damaged[] = "is damaged: its parts do not fit together";
static const char dangling[] = "names types or strings that it does not have; that of a module "
			       "does not do, it has to be the kernel's own";

/*
 * What lies behind a type's three words: so many words, and for each of its items so many
 * more. Which of these, counted from 1, name a string or a type; 0: none.
 */
static const struct kind {
	uint8_t words, words_types;	/* the first of them are types */
	uint8_t item_words, item_name, item_type;
	bool has_type;			/* the third word is one */
	bool is_within;			/* types that it names are parts of it */
} kinds[] = {
	[1] = { .words = 1 },						/* INT */
	[2] = { .has_type = true },					/* PTR */
	[3] = { .words = 3, .words_types = 2, .is_within = true },	/* ARRAY */
	[4] = { .item_words = 3, .item_name = 1, .item_type = 2, .is_within = true },	/* STRUCT */
	[5] = { .item_words = 3, .item_name = 1, .item_type = 2, .is_within = true },	/* UNION */
	[6] = { .item_words = 2, .item_name = 1 },			/* ENUM */
	[7] = { .words = 0 },						/* FWD */
	[8] = { .has_type = true, .is_within = true },			/* TYPEDEF */
	[9] = { .has_type = true, .is_within = true },			/* VOLATILE */
	[10] = { .has_type = true, .is_within = true },			/* CONST */
	[11] = { .has_type = true, .is_within = true },			/* RESTRICT */
	[12] = { .has_type = true },					/* FUNC */
	[13] = { .has_type = true, .item_words = 2, .item_name = 1, .item_type = 2 },	/* FUNC_PROTO */
	[14] = { .words = 1, .has_type = true, .is_within = true },	/* VAR */
	[15] = { .item_words = 3, .item_type = 1 },			/* DATASEC */
	[16] = { .words = 0 },						/* FLOAT */
	[17] = { .words = 1, .has_type = true },			/* DECL_TAG */
	[18] = { .has_type = true, .is_within = true },			/* TYPE_TAG */
	[19] = { .item_words = 3, .item_name = 1 },			/* ENUM64 */
};

struct view {
	const uint8_t *types;
	uint32_t types_len, strings_len;
	uint32_t *at;		/* where a type begins, by its number; [0] is void */
	uint8_t *sound;		/* it has been found to end, by its number */
	uint32_t n;		/* the numbers go up to here, exclusive */
};

static uint32_t word(const struct view *v, uint32_t at)
{
	uint32_t value;

	memcpy(&value, v->types + at, sizeof(value));
	return value;
}

static uint32_t info(const struct view *v, uint32_t at)
{
	return word(v, at + 4);
}

static const struct kind *kind_of(const struct view *v, uint32_t at)
{
	return &kinds[BTF_INFO_KIND(info(v, at))];
}

/* The head, and where the two parts lie. */
static const char *check_head(const uint8_t *data, size_t size, struct view *v)
{
	struct btf_header head;
	uint16_t magic;
	const uint8_t *strings;

	if (size < sizeof(magic))
		return "is empty";
	memcpy(&magic, data, sizeof(magic));
	if (magic == SWAPPED)
		return "is of a machine with the other byte order";
	if (magic != BTF_MAGIC)
		return "is neither BTF nor an ELF file; one that is packed has to be unpacked";
	if (size < sizeof(head))
		return cut;
	memcpy(&head, data, sizeof(head));
	if (head.version != BTF_VERSION)
		return "is BTF of a version that is not known here";
	if (head.hdr_len < sizeof(head) || head.hdr_len % 4 || head.type_off % 4)
		return damaged;
	if (head.hdr_len > size || head.type_off > size - head.hdr_len ||
	    head.type_len > size - head.hdr_len - head.type_off ||
	    head.str_off > size - head.hdr_len ||
	    head.str_len > size - head.hdr_len - head.str_off)
		return cut;
	strings = data + head.hdr_len + head.str_off;
	if (!head.str_len || strings[0] || strings[head.str_len - 1])
		return damaged;
	v->types = data + head.hdr_len + head.type_off;
	v->types_len = head.type_len;
	v->strings_len = head.str_len;
	return NULL;
}

/* Numbers the types; each lies whole within the part. */
static const char *number(struct view *v)
{
	uint32_t at = 0, left;

	v->n = 1;
	while ((left = v->types_len - at)) {
		uint64_t words;

		if (left < sizeof(struct btf_type))
			return damaged;
		if (!BTF_INFO_KIND(info(v, at)))
			return damaged;
		if (BTF_INFO_KIND(info(v, at)) >= sizeof(kinds) / sizeof(kinds[0]))
			return "has a kind of type that is not known here, younger than this program";
		words = 3 + kind_of(v, at)->words +
			(uint64_t)BTF_INFO_VLEN(info(v, at)) * kind_of(v, at)->item_words;
		if (words * 4 > left)
			return damaged;
		v->at[v->n++] = at;
		at += (uint32_t)words * 4;
	}
	return NULL;
}

/* Hands the types that a type names to fn, until that says no. */
typedef bool type_fn(struct view *v, uint32_t type, unsigned depth);

static bool each_type(struct view *v, uint32_t at, type_fn *fn, unsigned depth)
{
	const struct kind *k = kind_of(v, at);
	uint32_t items = at + 12 + k->words * 4u;

	if (k->has_type && !fn(v, word(v, at + 8), depth))
		return false;
	for (uint32_t i = 0; i < k->words_types; i++)
		if (!fn(v, word(v, at + 12 + i * 4), depth))
			return false;
	for (uint32_t i = 0; k->item_type && i < BTF_INFO_VLEN(info(v, at)); i++)
		if (!fn(v, word(v, items + (i * k->item_words + k->item_type - 1) * 4), depth))
			return false;
	return true;
}

static bool exists(struct view *v, uint32_t type, unsigned depth)
{
	(void)depth;
	return type < v->n;
}

static bool names_exist(const struct view *v, uint32_t at)
{
	const struct kind *k = kind_of(v, at);
	uint32_t items = at + 12 + k->words * 4u;

	for (uint32_t i = 0; k->item_name && i < BTF_INFO_VLEN(info(v, at)); i++)
		if (word(v, items + (i * k->item_words + k->item_name - 1) * 4) >= v->strings_len)
			return false;
	return word(v, at) < v->strings_len;
}

/* No type is within itself: who follows them comes to an end. */
static bool ends(struct view *v, uint32_t type, unsigned depth)
{
	if (!type || v->sound[type])
		return true;
	if (depth == DEPTH_MAX)
		return false;
	if (kind_of(v, v->at[type])->is_within && !each_type(v, v->at[type], ends, depth + 1))
		return false;
	v->sound[type] = 1;
	return true;
}

static const char *check_types(struct view *v)
{
	const char *fault = number(v);

	for (uint32_t i = 1; i < v->n && !fault; i++)
		if (!each_type(v, v->at[i], exists, 0) || !names_exist(v, v->at[i]))
			fault = dangling;
	for (uint32_t i = 1; i < v->n && !fault; i++)
		if (!ends(v, i, 0))
			fault = "is damaged: a type of it has no end";
	return fault;
}

const char *btfcheck(const void *data, size_t size)
{
	struct view v = { .n = 0 };
	const char *fault = check_head(data, size, &v);
	size_t most;

	if (fault)
		return fault;
	most = v.types_len / sizeof(struct btf_type) + 1;
	v.at = calloc(most, sizeof(*v.at));
	v.sound = calloc(most, 1);
	fault = v.at && v.sound ? check_types(&v) : "needs more memory than there is";
	free(v.at);
	free(v.sound);
	return fault;
}
