/* SPDX-License-Identifier: BSD-2-Clause */
/* stream.c - integers to byte planes and back (SPEC.md 5.2). */
#include "stream.h"
#include "fields.h"

#include <string.h>
#include <zstd_errors.h>

static unsigned width_code(uint64_t all_bits)
{
	return all_bits >> 32 ? 3 : all_bits >> 16 ? 2 : all_bits >> 8 ? 1 : 0;
}

bool stream_known(const struct stream *s)
{
	return stream_packing(s->encoding) <= PACK_ZSTD &&
	       stream_transform(s->encoding) < TRANSFORM_END;
}

/* Appends raw, or its zstd frame where that is smaller. */
static int put_packed(struct stream_coder *c, const uint8_t *raw, size_t len, struct buf *body,
		      struct stream *s, struct et_error *err)
{
	size_t bound = ZSTD_compressBound(len);
	uint8_t *to = buf_room(body, bound > len ? bound : len);
	size_t got;

	if (!to)
		return et_fail_nomem(err);
	/* A frame of less than 16 bytes is all header. */
	got = len < 16 ? len : ZSTD_compress2(c->zstd, to, bound, raw, len);
	if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
		return et_fail_nomem(err);
	if (ZSTD_isError(got) || got >= len) {
		memcpy(to, raw, len);
		s->encoding |= PACK_RAW << 2;
		s->stored = (uint32_t)len;
	} else {
		s->encoding |= PACK_ZSTD << 2;
		s->stored = (uint32_t)got;
	}
	body->len += s->stored;
	return ET_OK;
}

int stream_put(struct stream_coder *c, const uint64_t *values, uint32_t n, unsigned transform,
	       struct buf *body, struct stream *s, struct et_error *err)
{
	uint64_t all = 0, differ = 0;
	unsigned code, width;
	uint8_t *planes;

	for (uint32_t i = 0; i < n; i++) {
		all |= values[i];
		differ |= values[i] ^ values[0];
	}
	code = width_code(all);
	width = 1u << code;
	s->n = n;
	s->at = (uint32_t)body->len;
	s->encoding = (uint8_t)(code | transform << 4);
	if (n && !differ) {
		for (unsigned b = 0; b < width; b++)
			buf_u8(body, (uint8_t)(values[0] >> (8 * b)));
		s->stored = width;
		return body->failed ? et_fail_nomem(err) : ET_OK;
	}
	buf_reset(&c->planes);
	planes = buf_room(&c->planes, (size_t)n * width);
	if (!planes)
		return et_fail_nomem(err);
	for (unsigned b = 0; b < width; b++) {
		for (uint32_t i = 0; i < n; i++)
			planes[(size_t)b * n + i] = (uint8_t)(values[i] >> (8 * b));
	}
	return put_packed(c, planes, (size_t)n * width, body, s, err);
}

int stream_put_bytes(struct stream_coder *c, const uint8_t *bytes, uint32_t n, struct buf *body,
		     struct stream *s, struct et_error *err)
{
	s->n = n;
	s->at = (uint32_t)body->len;
	s->encoding = 0;
	return put_packed(c, bytes, n, body, s, err);
}

/* The stream's raw bytes into out, which has room for exactly them. */
static int unpack(const struct stream *s, const uint8_t *data, ZSTD_DCtx *zstd, uint8_t *out,
		  uint64_t at, struct et_error *err)
{
	uint64_t raw = stream_raw(s);
	size_t got;

	if (stream_packing(s->encoding) == PACK_RAW) {
		if (s->stored != raw)
			return et_fail(err, ET_CORRUPT, at, "a raw column is not as long as its rows");
		if (raw)
			memcpy(out, data, raw);
		return ET_OK;
	}
	if (ZSTD_getFrameContentSize(data, s->stored) != raw ||
	    ZSTD_findFrameCompressedSize(data, s->stored) != s->stored)
		return et_fail(err, ET_CORRUPT, at, "a column's zstd frame has another size");
	got = ZSTD_decompressDCtx(zstd, out, raw, data, s->stored);
	if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
		return et_fail_nomem(err);
	if (got != raw)
		return et_fail(err, ET_CORRUPT, at, "a column's zstd frame is broken");
	return ET_OK;
}

int stream_get_const(const struct stream *s, const uint8_t *data, uint64_t *value, uint64_t at,
		     struct et_error *err)
{
	unsigned width = stream_width(s->encoding);

	if (s->stored != width)
		return et_fail(err, ET_CORRUPT, at, "a constant column is not one value long");
	*value = 0;
	for (unsigned b = 0; b < width; b++)
		*value |= (uint64_t)data[b] << (8 * b);
	return ET_OK;
}

int stream_get(const struct stream *s, const uint8_t *data, ZSTD_DCtx *zstd, struct buf *scratch,
	       uint64_t *out, uint64_t at, struct et_error *err)
{
	unsigned width = stream_width(s->encoding);
	const uint8_t *planes;
	uint32_t n = s->n;
	uint64_t value;
	int rc;

	if (stream_packing(s->encoding) == PACK_CONST) {
		rc = stream_get_const(s, data, &value, at, err);
		for (uint32_t i = 0; !rc && i < n; i++)
			out[i] = value;
		return rc;
	}
	buf_reset(scratch);
	if (!buf_room(scratch, stream_raw(s)))
		return et_fail_nomem(err);
	rc = unpack(s, data, zstd, scratch->data, at, err);
	if (rc)
		return rc;
	planes = scratch->data;
	for (uint32_t i = 0; i < n; i++)
		out[i] = planes[i];
	for (unsigned b = 1; b < width; b++) {
		planes += n;
		for (uint32_t i = 0; i < n; i++)
			out[i] |= (uint64_t)planes[i] << (8 * b);
	}
	return ET_OK;
}

/* Byte planes into numbers of a type that has a byte for each. */
#define JOIN(type)                                                                                 \
	do {                                                                                       \
		type *to = out;                                                                    \
		for (uint32_t i = 0; i < n; i++) {                                                 \
			type v = 0;                                                                \
			for (unsigned b = 0; b < sizeof(type); b++)                                \
				v = (type)(v | (type)planes[(size_t)b * n + i] << 8 * b);          \
			to[i] = v;                                                                 \
		}                                                                                  \
	} while (0)

int stream_get_narrow(const struct stream *s, const uint8_t *data, ZSTD_DCtx *zstd,
		      struct buf *scratch, void *out, uint64_t at, struct et_error *err)
{
	unsigned width = stream_width(s->encoding);
	uint32_t n = s->n;
	uint8_t one[8], *planes = out;
	uint64_t value;
	int rc;

	if (stream_packing(s->encoding) == PACK_CONST) {
		rc = stream_get_const(s, data, &value, at, err);
		if (rc)
			return rc;
		/* One number as planes is the number; the others are copies of it. */
		for (unsigned b = 0; b < width; b++)
			one[b] = (uint8_t)(value >> 8 * b);
		planes = one;
		n = 1;
	} else if (width > 1) {
		buf_reset(scratch);
		planes = buf_room(scratch, stream_raw(s));
		if (!planes)
			return et_fail_nomem(err);
	}
	if (planes != one) {
		rc = unpack(s, data, zstd, planes, at, err);
		if (rc)
			return rc;
	}
	if (width == 2)
		JOIN(uint16_t);
	else if (width == 4)
		JOIN(uint32_t);
	else if (width == 8)
		JOIN(uint64_t);
	else if (planes == one)
		*(uint8_t *)out = one[0];
	for (uint32_t i = n; i < s->n; i++)
		memcpy((char *)out + (size_t)i * width, out, width);
	return ET_OK;
}

int stream_get_bytes(const struct stream *s, const uint8_t *data, ZSTD_DCtx *zstd, uint8_t *out,
		     uint64_t at, struct et_error *err)
{
	uint64_t value;
	int rc;

	if (stream_packing(s->encoding) != PACK_CONST)
		return unpack(s, data, zstd, out, at, err);
	rc = stream_get_const(s, data, &value, at, err);
	if (!rc)
		memset(out, (int)value, s->n);
	return rc;
}
