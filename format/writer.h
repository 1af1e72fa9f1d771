/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h - the writer's state, and how a record is put together: begin, add
 * tags to head and bytes to body, put. For writer.c, and for copy.c, which writes
 * records that were read.
 */
#ifndef ET_WRITER_H
#define ET_WRITER_H

#include "encode.h"
#include "fields.h"
#include "record.h"

struct et_writer {
	struct et_io io;
	struct et_packer *packer;	/* of et_writer_batch */
	struct et_packed *packed;
	uint8_t file_id[8];
	struct et_writer_stats stats;
	uint64_t kinds[KIND_MAX + 1];	/* rows by kind, also of kinds not known here */
	uint64_t rows;		/* of all kinds: seq of the next record */
	uint64_t names_at;	/* offset of the last record of names; 0: none */
	bool has_latest;	/* there was a row record */
	int64_t latest;		/* wall-clock time of the latest row so far */
	uint64_t step_back;	/* how far before it a later row lay, at most */
	struct buf head, body, value, record;
	bool broken;		/* a write failed: nothing more is written */
};

/* A writer that has written nothing yet; takes io over, also when it fails. */
int writer_new(const struct et_io *io, int level, struct et_writer **out, struct et_error *err);
/* FILE_HEADER. */
int writer_header(struct et_writer *w, const struct et_writer_options *opt, struct et_error *err);
/* Empties head and body; a head begins with PLACE, but where a reader knows the place. */
void writer_begin(struct et_writer *w, unsigned type);
/* Writes head and body as a record. */
int writer_put(struct et_writer *w, unsigned type, struct et_error *err);
void writer_number_tag(struct et_writer *w, unsigned tag, uint64_t v);
void writer_u64_tag(struct et_writer *w, unsigned tag, uint64_t v);
/* After a row record: rows lie between lo and hi on the wall clock (SPEC.md 6.5). */
void writer_note_times(struct et_writer *w, int64_t lo, int64_t hi);
/* After END, which began at end_at. */
int writer_footer(struct et_writer *w, uint64_t end_at, struct et_error *err);

#endif
