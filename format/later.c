/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * later.c - rows of which the head alone was read: their body is read and checked
 * later, in any thread, and what was wrong with it is told by the reader when its
 * turn comes (SPEC.md 6.2).
 */
#include "chunk.h"
#include "error.h"
#include "reader.h"

#include <errno.h>
#include <stdlib.h>

int et_reader_later(struct et_reader *r, struct et_chunk **out, struct et_error *err)
{
	const struct frame *f = &r->frame;
	uint64_t at = r->head.rec.at, body = at + RECORD_FIXED + f->head_len, size;
	struct buf none = { 0 };
	int rc;

	*out = NULL;
	if (!r->body_pending || !r->head.rec.rows)
		return et_fail(err, ET_MISUSE, at, "there are no rows, or they were read");
	if (!r->src.io.read_at || !source_seeks(&r->src, &size) || size < body ||
	    size - body < f->body_len)
		return et_fail(err, ET_EOF, at, "the body has to be read in its turn");
	rc = chunk_new(&r->head, &r->schema, &none, at, out, err);
	if (rc)
		return rc;
	(*out)->late = (struct late_body){ .io = r->src.io, .at = body, .len = f->body_len,
					   .crc = f->body_crc, .size = r->head.rec.size,
					   .unread = true };
	return ET_OK;
}

static int load(struct et_chunk *c, struct et_error *err)
{
	const struct late_body *late = &c->late;
	uint8_t *to = buf_room(&c->body, (size_t)late->len + !late->len);
	size_t got = 0;
	int sys;

	if (!to)
		return et_fail_nomem(err);
	sys = late->io.read_at(late->io.ctx, late->at, to, late->len, &got);
	if (sys)
		return et_fail_io(err, sys, late->at, "cannot read");
	if (got < late->len)
		return chunk_corrupt(c, "the capture ends inside a record", err);
	c->body.len = late->len;
	if (!body_fits(late->crc, c->body.data, late->len))
		return chunk_corrupt(c, "a record's body is damaged", err);
	return ET_OK;
}

int et_chunk_load(struct et_chunk *c, struct et_error *err)
{
	struct et_error own;

	if (!err)
		err = &own;
	if (!c->late.unread)
		return et_fail(err, ET_MISUSE, c->at, "the body was read");
	c->late.unread = false;
	c->late.code = (enum et_code)load(c, err);
	if (c->late.code) {
		c->late.what = err->what;
		c->late.sys = err->sys;
		buf_free(&c->body);
	}
	return c->late.code;
}

int et_reader_settle(struct et_reader *r, struct et_chunk *c, struct et_error *err)
{
	if (c->late.unread)
		return et_fail(err, ET_MISUSE, c->at, "the body was not read");
	if (!c->late.code)
		return ET_OK;
	for (unsigned k = 0; c->late.code == ET_CORRUPT && k <= KIND_MAX; k++)
		r->stats.rows[k < ET_KIND_END ? k : 0] -= c->kind_counts[k];
	if (c->late.code == ET_CORRUPT) {
		r->stats.missing += c->rows;
		reader_fault(r, ET_CORRUPT, c->at, c->late.what, c->late.size);
	}
	if (err)
		*err = (struct et_error){ c->late.code, c->late.sys, c->at, c->late.what };
	return c->late.code;
}
