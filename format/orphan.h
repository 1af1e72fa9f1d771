/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * orphan.h - the input of a recovery: a capture whose beginning may be gone. Its
 * records are worth reading all the same, so they get a file header that says
 * what this version would have said; what does not fit it is refused later.
 */
#ifndef ET_ORPHAN_H
#define ET_ORPHAN_H

#include "bytes.h"

#include <exectrace.h>

struct orphan {
	struct et_io io;
	struct buf front;	/* stands before the bytes of io from skip on */
	uint64_t skip, at;
	struct et_error fault;	/* what was wrong with the beginning, or ET_OK */
};

/* Takes io over. ET_CORRUPT: there is no record in it at all. */
int orphan_open(struct orphan *o, const struct et_io *io, struct et_error *err);
/* What a reader reads; it lives in o. */
void orphan_io(struct orphan *o, struct et_io *io);
/* The offset in io of one in what was read. */
uint64_t orphan_offset(const struct orphan *o, uint64_t at);
void orphan_close(struct orphan *o);

#endif
