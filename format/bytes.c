/* SPDX-License-Identifier: BSD-2-Clause */
/* bytes.c - cursors and buffers; every integer is put together from bytes. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

const uint8_t *cur_take(struct cursor *c, uint64_t n)
{
	const uint8_t *p = c->at;

	if (c->failed || n > (uint64_t)(c->end - c->at)) {
		c->failed = true;
		return NULL;
	}
	c->at += n;
	return p;
}

static uint64_t take_le(struct cursor *c, unsigned n)
{
	const uint8_t *p = cur_take(c, n);
	uint64_t v = 0;

	if (!p)
		return 0;
	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t cur_u8(struct cursor *c)
{
	return (uint8_t)take_le(c, 1);
}

uint16_t cur_u16(struct cursor *c)
{
	return (uint16_t)take_le(c, 2);
}

uint32_t cur_u32(struct cursor *c)
{
	return (uint32_t)take_le(c, 4);
}

uint64_t cur_u64(struct cursor *c)
{
	return take_le(c, 8);
}

uint64_t cur_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cur_u8(c);

		if (c->failed)
			return 0;
		/* The tenth byte holds one bit; a last byte of 0 was not needed. */
		if ((shift == 63 && byte > 1) || (shift && !byte))
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	c->failed = true;
	return 0;
}

struct cursor cur_sub(struct cursor *c, uint64_t n)
{
	const uint8_t *p = cur_take(c, n);

	if (!p)
		return (struct cursor){ NULL, NULL, true };
	return cur_make(p, (size_t)n);
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (!b->data || n > b->cap - b->len) {
		size_t cap = b->cap ? b->cap : 256;
		uint8_t *data;

		while (cap - b->len < n) {
			if (cap > SIZE_MAX / 2) {
				b->failed = true;
				return NULL;
			}
			cap *= 2;
		}
		data = realloc(b->data, cap);
		if (!data) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_room(b, n);

	if (to && n) {
		memcpy(to, p, n);
		b->len += n;
	}
}

void buf_zero(struct buf *b, size_t n)
{
	uint8_t *to = buf_room(b, n);

	if (to && n) {
		memset(to, 0, n);
		b->len += n;
	}
}

static void add_le(struct buf *b, uint64_t v, unsigned n)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	buf_add(b, bytes, n);
}

void buf_u8(struct buf *b, uint8_t v)
{
	add_le(b, v, 1);
}

void buf_u16(struct buf *b, uint16_t v)
{
	add_le(b, v, 2);
}

void buf_u32(struct buf *b, uint32_t v)
{
	add_le(b, v, 4);
}

void buf_u64(struct buf *b, uint64_t v)
{
	add_le(b, v, 8);
}

void buf_varint(struct buf *b, uint64_t v)
{
	uint8_t bytes[10];
	unsigned n = 0;

	while (v >= 0x80) {
		bytes[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	bytes[n++] = (uint8_t)v;
	buf_add(b, bytes, n);
}

void buf_bytes(struct buf *b, const void *p, size_t n)
{
	buf_varint(b, n);
	buf_add(b, p, n);
}
