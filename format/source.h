/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - the reader's input: an io, what was put back, and where we are.
 * It never reads ahead of what is asked for, so a poll on a pipe stays true.
 */
#ifndef ET_SOURCE_H
#define ET_SOURCE_H

#include "bytes.h"

#include <exectrace.h>

struct source {
	struct et_io io;
	uint64_t at;		/* offset of the next byte */
	struct buf back;	/* put back, to be read first */
	size_t back_at;
};

/* Up to len bytes; *got < len means the end. Returns 0 or an errno value. */
int source_read(struct source *s, void *buf, size_t len, size_t *got);
/*
 * Appends len bytes to buf, in steps, so that memory follows what is really
 * there and not what a length claims. *got as above. ENOMEM is possible.
 */
int source_append(struct source *s, struct buf *buf, uint64_t len, uint64_t *got);
/* Passes over len bytes; *got < len means the end. */
int source_skip(struct source *s, uint64_t len, uint64_t *got);
/* Whether source_seek works, and how large the input is now. */
bool source_seeks(const struct source *s, uint64_t *size);
/* Goes to an offset; what was put back is forgotten. Returns 0 or an errno value. */
int source_seek(struct source *s, uint64_t at);
/* Puts bytes back that were read last. Returns 0 or ENOMEM. */
int source_unread(struct source *s, const void *p, size_t len);

#endif
