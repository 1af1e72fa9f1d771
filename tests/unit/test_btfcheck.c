/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_btfcheck.c - BTF made by hand: what is sound, each way of being wrong, and any
 * bytes at all, with a sanitizer watching.
 */
#include "check.h"

#include "btfcheck.h"

#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAD sizeof(struct btf_header)
#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))

/* "" is string 0, "a" 1. */
static const char strings[4] = "\0a\0";

/* Of every kind one; a type's number is behind it. */
static const uint32_t sound[] = {
	1, INFO(BTF_KIND_INT, 0), 4, 32,		/* 1 */
	0, INFO(BTF_KIND_PTR, 0), 4,			/* 2, to what holds it */
	0, INFO(BTF_KIND_ARRAY, 0), 0, 1, 1, 2,		/* 3 */
	1, INFO(BTF_KIND_STRUCT, 2), 16, 1, 2, 0, 1, 3, 64,	/* 4 */
	1, INFO(BTF_KIND_UNION, 1), 8, 1, 4, 0,		/* 5 */
	1, INFO(BTF_KIND_ENUM, 1), 4, 1, 7,		/* 6 */
	1, INFO(BTF_KIND_FWD, 0), 0,			/* 7 */
	1, INFO(BTF_KIND_TYPEDEF, 0), 8 + 1,		/* 8 */
	0, INFO(BTF_KIND_VOLATILE, 0), 10,		/* 9 */
	0, INFO(BTF_KIND_CONST, 0), 11,			/* 10 */
	0, INFO(BTF_KIND_RESTRICT, 0), 18,		/* 11 */
	1, INFO(BTF_KIND_FUNC, 1), 13,			/* 12 */
	0, INFO(BTF_KIND_FUNC_PROTO, 1), 1, 1, 2,	/* 13 */
	1, INFO(BTF_KIND_VAR, 0), 5, 1,			/* 14 */
	1, INFO(BTF_KIND_DATASEC, 1), 8, 14, 0, 8,	/* 15 */
	1, INFO(BTF_KIND_FLOAT, 0), 8,			/* 16 */
	1, INFO(17, 0), 4, 0xffffffff,			/* 17, DECL_TAG */
	1, INFO(18, 0), 2,				/* 18, TYPE_TAG */
	1, INFO(19, 1), 8, 1, 0, 1,			/* 19, ENUM64 */
};

static const uint32_t no_room[] = { 1, INFO(BTF_KIND_STRUCT, 9), 16, 1, 1, 0 };
static const uint32_t half[] = { 1, INFO(BTF_KIND_FWD, 0) };
static const uint32_t no_kind[] = { 1, INFO(0, 0), 0 };
static const uint32_t new_kind[] = { 1, INFO(31, 0), 0 };
static const uint32_t no_type[] = { 0, INFO(BTF_KIND_PTR, 0), 2 };
static const uint32_t no_element[] = { 0, INFO(BTF_KIND_ARRAY, 0), 0, 1, 9, 2 };
static const uint32_t no_member[] = { 1, INFO(BTF_KIND_STRUCT, 1), 4, 1, 5, 0 };
static const uint32_t no_name[] = { 4, INFO(BTF_KIND_FWD, 0), 0 };
static const uint32_t no_member_name[] = { 1, INFO(BTF_KIND_ENUM, 1), 4, 5, 0 };
static const uint32_t within_itself[] = { 1, INFO(BTF_KIND_STRUCT, 1), 4, 1, 1, 0 };
static const uint32_t around[] = { 1, INFO(BTF_KIND_TYPEDEF, 0), 2,
				   0, INFO(BTF_KIND_CONST, 0), 1 };

#define TYPES(list, said) { #list, list, sizeof(list), said }

static const struct {
	const char *name;
	const uint32_t *types;
	uint32_t size;
	const char *said;	/* a part of it; NULL: nothing is wrong */
} by_types[] = {
	TYPES(sound, NULL),
	TYPES(no_room, "damaged"),
	TYPES(half, "damaged"),
	TYPES(no_kind, "damaged"),
	TYPES(new_kind, "younger"),
	TYPES(no_type, "does not have"),
	TYPES(no_element, "does not have"),
	TYPES(no_member, "does not have"),
	TYPES(no_name, "does not have"),
	TYPES(no_member_name, "does not have"),
	TYPES(within_itself, "has no end"),
	TYPES(around, "has no end"),
};

static const struct {
	const char *name;
	size_t at;		/* a word of the head, of the types above */
	uint32_t value;
	const char *said;
} by_head[] = {
	{ "magic", 0, 0x12345678, "neither BTF" },
	{ "other order", 0, (uint32_t)(BTF_MAGIC >> 8 | (BTF_MAGIC & 0xff) << 8), "byte order" },
	{ "version", 0, BTF_MAGIC | 2 << 16, "version" },
	{ "short head", 4, 8, "damaged" },
	{ "unaligned head", 4, HEAD + 1, "damaged" },
	{ "long head", 4, 1u << 31, "cut off" },
	{ "unaligned types", 8, 2, "damaged" },
	{ "types beyond", 8, 1u << 30, "cut off" },
	{ "many types", 12, 0xfffffffc, "cut off" },
	{ "strings beyond", 16, 0xffffffff, "cut off" },
	{ "many strings", 20, 0xffffffff, "cut off" },
	{ "no strings", 20, 0, "damaged" },
	{ "strings without an end", 20, 2, "damaged" },
};

/* Puts BTF together; returns its size. */
static size_t assemble(uint8_t *to, const uint32_t *types, uint32_t size)
{
	const struct btf_header head = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = HEAD,
		.type_len = size,
		.str_off = size,
		.str_len = sizeof(strings),
	};

	memcpy(to, &head, HEAD);
	memcpy(to + HEAD, types, size);
	memcpy(to + HEAD + size, strings, sizeof(strings));
	return HEAD + size + sizeof(strings);
}

/* In memory of exactly that size, for a sanitizer to see what is read beyond. */
static const char *checked(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	const char *said;

	if (!exact)
		abort();
	memcpy(exact, data, size);
	said = btfcheck(exact, size);
	free(exact);
	return said;
}

static bool is_said(const char *said, const char *part)
{
	return part ? said && strstr(said, part) : !said;
}

int main(void)
{
	uint8_t data[1024], other[1024];
	size_t size;

	for (size_t i = 0; i < sizeof(by_types) / sizeof(by_types[0]); i++) {
		size = assemble(data, by_types[i].types, by_types[i].size);
		CHECK_CASE(by_types[i].name, is_said(checked(data, size), by_types[i].said));
	}
	size = assemble(data, sound, sizeof(sound));
	for (size_t i = 0; i < sizeof(by_head) / sizeof(by_head[0]); i++) {
		memcpy(other, data, size);
		memcpy(other + by_head[i].at, &by_head[i].value, sizeof(uint32_t));
		CHECK_CASE(by_head[i].name, is_said(checked(other, size), by_head[i].said));
	}
	for (size_t n = 0; n < size; n++)
		CHECK(is_said(checked(data, n), n < 2 ? "empty" : "cut off"));
	for (size_t at = 0; at < size; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(other, data, size);
			other[at] ^= (uint8_t)(1u << bit);
			checked(other, size);
		}
	}
	srand(1);
	for (unsigned round = 0; round < 100000; round++) {
		memcpy(other, data, size);
		for (unsigned i = rand() % 8; i; i--)
			other[HEAD + (size_t)rand() % (size - HEAD)] = (uint8_t)rand();
		checked(other, size);
	}
	return check_result();
}
