/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h - reads a BPF ring buffer through its memory mapping.
 *
 * libbpf's own reader gives space back after each record and reads on while
 * records come in. This one gives it back in batches, which takes load off the
 * cache line that the programs look at, and ends at what was there when it began.
 */
#ifndef EXECTRACE_RING_H
#define EXECTRACE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* Maps the ring of map_fd, size bytes. 0 or -errno; on failure *out is NULL. */
int ring_open(int map_fd, uint32_t size, struct ring **out);
void ring_close(struct ring *r);

/* Readable after a wakeup by a program, until ring_acknowledge. */
int ring_fd(const struct ring *r);
void ring_acknowledge(struct ring *r);

/* Nothing is in it, not even a record that is still being written. */
bool ring_is_empty(const struct ring *r);

/* Where the next record will lie, and whether all that lay before such a place was read. */
uint64_t ring_end(const struct ring *r);
bool ring_has_read(const struct ring *r, uint64_t end);

/* Bytes of it in use, and the most that ring_drain has found in use. */
void ring_fill(const struct ring *r, uint64_t *used, uint64_t *peak);

/* As probe_drain. */
int ring_drain(struct ring *r, int (*fn)(void *ctx, const void *data, size_t size), void *ctx);

#endif
