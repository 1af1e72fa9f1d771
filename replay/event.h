/* SPDX-License-Identifier: BSD-2-Clause */
/* event.h - rows of a chunk that is known to be whole, with the fields asked for. */
#ifndef EXECTRACE_EVENT_H
#define EXECTRACE_EVENT_H

#include <exectrace.h>

#include "source.h"

/*
 * Whether all columns of the chunk can be read, also those in s->extra: if any is
 * damaged the chunk is, as a whole (SPEC.md 5.1). Those that only a later version can
 * read are left out, and noted in s. ET_OK or what reading gave.
 */
int event_check(struct source *s, struct et_chunk *c, struct et_error *err);
/*
 * As et_chunk_event, for the fields whose bits are set and no lists, which take time
 * to put together. The chunk was checked.
 */
void event_pick(struct et_chunk *c, uint32_t row, uint64_t fields, struct et_event *ev);

#endif
