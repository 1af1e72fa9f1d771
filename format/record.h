/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.h - how a record is framed (SPEC.md 3.1) and the tags of its head
 * (SPEC.md 3.2), for writer and reader.
 */
#ifndef ET_RECORD_H
#define ET_RECORD_H

#include "bytes.h"

#include <exectrace.h>

#define RECORD_MAGIC "\x89" "ETZ\r\n\x1a\n"
#define RECORD_MAGIC_LEN 8
#define RECORD_FIXED 48		/* bytes before the head */
#define FOOTER_SIZE 72		/* bytes of a whole FOOTER record */

#define FORMAT_MAJOR 1
#define FORMAT_MINOR 0
#define CLOCK_ID_BOOTTIME 7

enum tag {
	TAG_VERSION = 1,
	TAG_INCOMPAT = 2,
	TAG_COMPAT = 3,
	TAG_BOOT_ID = 4,
	TAG_CLOCK = 5,
	TAG_PROGRAM = 6,
	TAG_SCHEMA = 7,
	TAG_STARTED = 8,
	TAG_PLACE = 9,
	TAG_ROWS = 10,
	TAG_TIME = 11,
	TAG_REALTIME = 12,
	TAG_LATEST = 13,
	TAG_LOST = 14,
	TAG_KINDS = 15,
	TAG_STATS = 16,
	TAG_COMMS = 17,
	TAG_COLUMNS = 18,
	TAG_END_TIME = 19,
	TAG_REASON = 20,
	TAG_STEP_BACK = 21,
	TAG_END_AT = 22,
	TAG_SEGMENT_LEN = 23,
	TAG_SERIES = 24,
};

/* Tags of an executable (SPEC.md 3.8). */
enum exe_tag {
	EXE_PATH = 1,
	EXE_DEV = 2,
	EXE_INODE = 3,
	EXE_SIZE = 4,
	EXE_MTIME = 5,
	EXE_BUILD_ID = 6,
	EXE_INTERPRETER = 7,
};

/* Types of record that tell something of others, which PLACE leads to (SPEC.md 3.2). */
static inline bool is_names_type(unsigned type)
{
	return type == ET_REC_HOST || type == ET_REC_USERS || type == ET_REC_CGROUPS ||
	       type == ET_REC_EXES;
}

/* The fixed part of a record. */
struct frame {
	uint8_t file_id[8];
	uint64_t seq;
	uint16_t type;
	uint32_t head_len, body_len;
	uint32_t head_crc, body_crc;
};

static inline uint64_t frame_size(const struct frame *f)
{
	return (RECORD_FIXED + (uint64_t)f->head_len + f->body_len + 7) & ~7ull;
}

/* Appends a whole record: frame, head, body, padding. Lengths and crcs of f are set here. */
void record_put(struct buf *out, struct frame *f, const struct buf *head, const struct buf *body);

/*
 * Reads a fixed part; false when it is none: its own crc is not right, so that
 * lengths are believed only where they are what was written.
 */
bool frame_get(const uint8_t fixed[RECORD_FIXED], struct frame *f);
/* Whether head_crc fits the head. */
bool head_check(const struct frame *f, const uint8_t *head);
/* Whether a body_crc fits the body. */
bool body_fits(uint32_t crc, const uint8_t *body, size_t len);

#endif
