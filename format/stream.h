/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - a run of unsigned integers, or of bytes, as it lies in a chunk
 * (SPEC.md 5.2): as wide as its largest value, byte planes, and const, raw or
 * a zstd frame, whichever is smallest.
 */
#ifndef ET_STREAM_H
#define ET_STREAM_H

#include "bytes.h"
#include "error.h"

#include <zstd.h>

enum packing {
	PACK_CONST = 0,		/* one value for all */
	PACK_RAW = 1,
	PACK_ZSTD = 2,
};

#define PACK_BITS 0x0cu		/* of an encoding */

/* One stream as the chunk's directory lists it. */
struct stream {
	uint8_t column;		/* 0: the string table */
	uint8_t part;
	uint8_t encoding;	/* width code, packing, transform: SPEC.md 5.2 */
	uint32_t n;		/* values */
	uint32_t stored;	/* bytes in the body */
	uint32_t at;		/* offset in the body */
};

static inline unsigned stream_width(uint8_t encoding)
{
	return 1u << (encoding & 3);
}

static inline unsigned stream_packing(uint8_t encoding)
{
	return (encoding >> 2) & 3;
}

static inline unsigned stream_transform(uint8_t encoding)
{
	return encoding >> 4;
}

static inline uint64_t stream_raw(const struct stream *s)
{
	return (uint64_t)s->n * stream_width(s->encoding);
}

/* Whether this library knows how to decode it. */
bool stream_known(const struct stream *s);

/* What encoding needs besides its input; reused from stream to stream. */
struct stream_coder {
	ZSTD_CCtx *zstd;	/* has its parameters */
	struct buf planes;
};

/*
 * Appends n values, already transformed, to body and says in *s how; column,
 * part and the transform bits are the caller's (transform goes in).
 */
int stream_put(struct stream_coder *c, const uint64_t *values, uint32_t n, unsigned transform,
	       struct buf *body, struct stream *s, struct et_error *err);
/* The same for bytes as they are. */
int stream_put_bytes(struct stream_coder *c, const uint8_t *bytes, uint32_t n, struct buf *body,
		     struct stream *s, struct et_error *err);

/*
 * Decodes into out, n values; the transform is left to the caller. scratch is
 * reused. data holds s->stored bytes. at: offset for errors.
 */
int stream_get(const struct stream *s, const uint8_t *data, ZSTD_DCtx *zstd, struct buf *scratch,
	       uint64_t *out, uint64_t at, struct et_error *err);
/* The same as numbers of the stream's own width, in the machine's order. */
int stream_get_narrow(const struct stream *s, const uint8_t *data, ZSTD_DCtx *zstd,
		      struct buf *scratch, void *out, uint64_t at, struct et_error *err);
/* The value of a stream that is const. */
int stream_get_const(const struct stream *s, const uint8_t *data, uint64_t *value, uint64_t at,
		     struct et_error *err);
/* The same for a stream of bytes; out has room for s->n. */
int stream_get_bytes(const struct stream *s, const uint8_t *data, ZSTD_DCtx *zstd, uint8_t *out,
		     uint64_t at, struct et_error *err);

#endif
