/* SPDX-License-Identifier: BSD-2-Clause */
/* orphan.c - a capture without its file header. */
#include "orphan.h"
#include "bounds.h"
#include "error.h"
#include "record.h"
#include "writer.h"

#include <errno.h>
#include <string.h>

#define BLOCK (16u << 10)
#define BLOCK_FIRST 256u

static int orphan_read(void *ctx, void *buf, size_t len, size_t *got)
{
	struct orphan *o = ctx;
	size_t front = o->at < o->front.len ? o->front.len - (size_t)o->at : 0, more = 0;
	int rc = 0;

	if (front > len)
		front = len;
	if (front)
		memcpy(buf, o->front.data + o->at, front);
	if (front < len)
		rc = o->io.read(o->io.ctx, (char *)buf + front, len - front, &more);
	*got = front + more;
	o->at += *got;
	return rc;
}

static int orphan_seek(void *ctx, uint64_t at)
{
	struct orphan *o = ctx;
	int rc = o->io.seek(o->io.ctx, at < o->front.len ? o->skip : orphan_offset(o, at));

	if (!rc)
		o->at = at;
	return rc;
}

static int orphan_size(void *ctx, uint64_t *size)
{
	struct orphan *o = ctx;
	int rc = o->io.size(o->io.ctx, size);

	*size = (*size > o->skip ? *size - o->skip : 0) + o->front.len;
	return rc;
}

static void orphan_ignore(void *ctx)
{
	(void)ctx;
}

static int front_write(void *ctx, const void *p, size_t len)
{
	struct buf *front = ctx;

	buf_add(front, p, len);
	return front->failed ? ENOMEM : 0;
}

/* A file header for the records of that file id. */
static int put_front(struct orphan *o, const uint8_t *file_id, struct et_error *err)
{
	struct et_io io = { .ctx = &o->front, .write = front_write, .close = orphan_ignore };
	struct et_writer_options opt = { .program = "unknown" };
	struct et_writer *w;
	int rc = writer_new(&io, 0, &w, err);

	if (rc)
		return rc;
	memcpy(w->file_id, file_id, sizeof(w->file_id));
	rc = writer_header(w, &opt, err);
	et_writer_close(w);
	return rc;
}

static int at(struct orphan *o, uint64_t offset, void *to, size_t len, size_t *got,
	      struct et_error *err)
{
	int sys = o->io.seek(o->io.ctx, offset);

	if (!sys)
		sys = o->io.read(o->io.ctx, to, len, got);
	return sys ? et_fail_io(err, sys, offset, "cannot read") : ET_OK;
}

/* The first valid frame. ET_EOF: there is none. Reads in steps that grow up to a magic. */
static int find_frame(struct orphan *o, struct frame *f, uint64_t *offset, struct et_error *err)
{
	uint8_t block[BLOCK], fixed[RECORD_FIXED];
	size_t want = BLOCK_FIRST, got, n;

	for (*offset = 0;;) {
		const uint8_t *hit;
		int rc = at(o, *offset, block, want, &got, err);

		if (rc)
			return rc;
		hit = memmem(block, got, RECORD_MAGIC, RECORD_MAGIC_LEN);
		if (!hit && got < want)
			return ET_EOF;
		if (!hit) {
			*offset += got - (RECORD_MAGIC_LEN - 1);
			want = want < BLOCK ? want * 4 : BLOCK;
			continue;
		}
		want = BLOCK_FIRST;
		*offset += (size_t)(hit - block);
		rc = at(o, *offset, fixed, sizeof(fixed), &n, err);
		if (rc)
			return rc;
		if (n == sizeof(fixed) && frame_get(fixed, f) && f->head_len <= LIMIT_HEAD &&
		    f->body_len <= LIMIT_BODY)
			return ET_OK;
		++*offset;
	}
}

/* Whether a whole file header is there, as far as the frame tells. */
static bool header_there(struct orphan *o, const struct frame *f, uint64_t offset)
{
	struct buf head = { 0 };
	uint8_t *p = buf_room(&head, f->head_len + 1);
	bool there = false;
	size_t got;

	if (p && f->type == ET_REC_FILE && !at(o, offset + RECORD_FIXED, p, f->head_len, &got, NULL))
		there = got == f->head_len && head_check(f, p);
	buf_free(&head);
	return there;
}

int orphan_open(struct orphan *o, const struct et_io *io, struct et_error *err)
{
	struct frame f;
	int rc;

	*o = (struct orphan){ .io = *io };
	/* From a pipe it comes as it is. */
	if (!io->seek || !io->size)
		return ET_OK;
	rc = find_frame(o, &f, &o->skip, err);
	if (rc == ET_EOF)
		return et_fail(err, ET_CORRUPT, 0, "there is no record of a capture in it");
	if (rc)
		return rc;
	if (!header_there(o, &f, o->skip)) {
		et_fail(&o->fault, ET_CORRUPT, 0, "the file header is gone; columns are taken to be "
						  "those of this version");
		/* A damaged header is passed over with its frame. */
		rc = put_front(o, f.file_id, err);
	} else if (o->skip) {
		et_fail(&o->fault, ET_CORRUPT, 0, "the capture does not begin with a file header");
	}
	if (!rc && io->seek(io->ctx, o->skip))
		rc = et_fail(err, ET_IO, o->skip, "cannot seek");
	return rc;
}

void orphan_io(struct orphan *o, struct et_io *io)
{
	*io = (struct et_io){ .ctx = o, .read = orphan_read, .close = orphan_ignore };
	if (o->io.seek && o->io.size) {
		io->seek = orphan_seek;
		io->size = orphan_size;
	}
}

uint64_t orphan_offset(const struct orphan *o, uint64_t offset)
{
	return offset < o->front.len ? o->skip : offset - o->front.len + o->skip;
}

void orphan_close(struct orphan *o)
{
	if (o->io.close)
		o->io.close(o->io.ctx);
	buf_free(&o->front);
}
