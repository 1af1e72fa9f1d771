/* SPDX-License-Identifier: BSD-2-Clause */
/* record.c - framing of records (SPEC.md 3.1). */
#include "record.h"
#include "bounds.h"

#include <string.h>
#ifdef EXECTRACE_LIBDEFLATE
#include <libdeflate.h>
#endif
#include <zlib.h>

static bool crc_fits(uint32_t said, uint32_t is)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	/* So that a fuzzer gets behind the checksums; nothing else differs. */
	(void)said;
	(void)is;
	return true;
#else
	return said == is;
#endif
}

/* The same of both; at zlib's speed it is most of what reading one column of a chunk takes. */
static uint32_t record_crc(const void *p, size_t len)
{
	if (!len)
		return 0;
#ifdef EXECTRACE_LIBDEFLATE
	return libdeflate_crc32(0, p, len);
#else
	return (uint32_t)crc32_z(0, p, len);
#endif
}

void record_put(struct buf *out, struct frame *f, const struct buf *head, const struct buf *body)
{
	size_t at = out->len;

	f->head_len = (uint32_t)head->len;
	f->body_len = body ? (uint32_t)body->len : 0;
	f->head_crc = record_crc(head->data, head->len);
	f->body_crc = body ? record_crc(body->data, body->len) : 0;
	buf_add(out, RECORD_MAGIC, RECORD_MAGIC_LEN);
	buf_add(out, f->file_id, sizeof(f->file_id));
	buf_u64(out, f->seq);
	buf_u16(out, f->type);
	buf_u16(out, 0);
	buf_u32(out, f->head_len);
	buf_u32(out, f->body_len);
	buf_u32(out, f->head_crc);
	buf_u32(out, f->body_crc);
	if (!out->failed)
		buf_u32(out, record_crc(out->data + at, RECORD_FIXED - 4));
	buf_add(out, head->data, head->len);
	if (body)
		buf_add(out, body->data, body->len);
	buf_zero(out, frame_size(f) - RECORD_FIXED - f->head_len - f->body_len);
}

bool frame_get(const uint8_t fixed[RECORD_FIXED], struct frame *f)
{
	struct cursor c = cur_make(fixed, RECORD_FIXED);

	if (memcmp(cur_take(&c, RECORD_MAGIC_LEN), RECORD_MAGIC, RECORD_MAGIC_LEN))
		return false;
	memcpy(f->file_id, cur_take(&c, sizeof(f->file_id)), sizeof(f->file_id));
	f->seq = cur_u64(&c);
	f->type = cur_u16(&c);
	cur_u16(&c);		/* flags: unused, ignored */
	f->head_len = cur_u32(&c);
	f->body_len = cur_u32(&c);
	f->head_crc = cur_u32(&c);
	f->body_crc = cur_u32(&c);
	return crc_fits(cur_u32(&c), record_crc(fixed, RECORD_FIXED - 4));
}

bool head_check(const struct frame *f, const uint8_t *head)
{
	return crc_fits(f->head_crc, record_crc(head, f->head_len));
}

bool body_fits(uint32_t crc, const uint8_t *body, size_t len)
{
	return crc_fits(crc, record_crc(body, len));
}

uint64_t et_frame_length(const void *bytes, size_t len)
{
	struct frame f;

	if (len < RECORD_FIXED || !frame_get(bytes, &f) || f.head_len > LIMIT_HEAD ||
	    f.body_len > LIMIT_BODY)
		return 0;
	return frame_size(&f);
}
