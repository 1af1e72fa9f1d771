/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * comms.h - the names of processes that a record has, as hashes in its head, so
 * that a search for a name passes over the record unread (SPEC.md 5.5).
 */
#ifndef ET_COMMS_H
#define ET_COMMS_H

#include "batch.h"

/* More different ones are not listed. */
#define COMMS_MAX 1024u

uint16_t comms_hash(const char *comm, size_t len);
/* Appends the hashes of a batch; false: too many, or no memory, and nothing is to be written. */
bool comms_put(struct buf *out, const struct et_batch *b);
/* Whether the bytes are such a list. */
bool comms_ok(const uint8_t *p, size_t len);
/* Whether the list has the hash. */
bool comms_have(const uint8_t *p, size_t len, uint16_t hash);

#endif
