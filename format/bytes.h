/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes.h - reading and building byte strings (SPEC.md 2.2).
 *
 * The cursor is sticky: after one read too many every further read yields zero
 * and failed stays set, so a decoder runs straight through and tests once,
 * though always before a value sizes an allocation, a loop or an index. A buf
 * is sticky likewise about memory.
 */
#ifndef ET_BYTES_H
#define ET_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cur_make(const void *data, size_t len)
{
	/* No bytes at all are a place as well, so that adding 0 to it is defined. */
	const uint8_t *p = data ? data : (const void *)"";

	return (struct cursor){ p, p + len, false };
}

static inline size_t cur_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* n bytes, or NULL and failed. */
const uint8_t *cur_take(struct cursor *c, uint64_t n);
uint8_t cur_u8(struct cursor *c);
uint16_t cur_u16(struct cursor *c);
uint32_t cur_u32(struct cursor *c);
uint64_t cur_u64(struct cursor *c);
/* A varint; one that is not in shortest form or over 64 bits fails. */
uint64_t cur_varint(struct cursor *c);
/* The next n bytes as a cursor of their own. */
struct cursor cur_sub(struct cursor *c, uint64_t n);
/* All was read, nothing failed. */
static inline bool cur_done(const struct cursor *c)
{
	return !c->failed && c->at == c->end;
}

struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed;		/* out of memory: the content is not to be used */
};

void buf_free(struct buf *b);
static inline void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}
/* Room for n more bytes at data + len, which the caller then adds; NULL: no memory. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_zero(struct buf *b, size_t n);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);
/* A varint length and that many bytes. */
void buf_bytes(struct buf *b, const void *p, size_t n);

/* Signed numbers of small size as small unsigned ones; total on 64 bits. */
static inline uint64_t zigzag(uint64_t v)
{
	return (v << 1) ^ (0 - (v >> 63));
}

static inline uint64_t unzigzag(uint64_t v)
{
	return (v >> 1) ^ (0 - (v & 1));
}

#endif
