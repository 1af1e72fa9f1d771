/* SPDX-License-Identifier: BSD-2-Clause */
/* event.h - rows of a chunk that is known to be whole, with the fields asked for. */
#ifndef EXECTRACE_EVENT_H
#define EXECTRACE_EVENT_H

#include <exectrace.h>

#include "source.h"

/* Columns of a chunk, a bit for each id. */
struct event_columns {
	uint64_t bits[4];
};

/*
 * Whether the columns of these fields can be read; 0: all, also those in s->extra. If any
 * is damaged the chunk is, as a whole (SPEC.md 5.1). Those that only a later version can
 * read are added to left_out, for source_leave_out. ET_OK or what reading gave. In any
 * thread, while nobody moves the source on.
 */
int event_check(const struct source *s, struct et_chunk *c, uint64_t fields,
		struct event_columns *left_out, struct et_error *err);
/*
 * As et_chunk_event, for the fields whose bits are set and no lists, which take time
 * to put together. The chunk was checked.
 */
void event_pick(struct et_chunk *c, uint32_t row, uint64_t fields, struct et_event *ev);

#endif
