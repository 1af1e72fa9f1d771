/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flight.h - segments of a recording that are kept in memory: the newest of them, within
 * a bound. Each is a capture by itself, and so are several in a row.
 *
 * Segments that are being written elsewhere stay until that is done, also where others
 * have taken their place.
 */
#ifndef EXECTRACE_FLIGHT_H
#define EXECTRACE_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flight;

struct flight_options {
	uint64_t bytes;		/* of all segments together */
	uint64_t age;		/* ns; older ones go; UINT64_MAX: whatever their age */
};

/* Into how many segments the bytes are cut at least: so much of them is history at any time. */
#define FLIGHT_PARTS 8u

/* With a first segment. NULL: no memory. */
struct flight *flight_new(const struct flight_options *opt);
void flight_free(struct flight *f);	/* NULL is fine */

/*
 * Sees to it that another segment can begin; without memory the oldest one gives way. 0, or
 * ENOMEM: a copy holds all others.
 */
int flight_make_next(struct flight *f);
/* It begins; the last event of the one before was at that time, ns. */
void flight_next(struct flight *f, uint64_t last);
/* Appends to the current one; the oldest make room. 0, or ENOMEM: nothing was appended. */
int flight_write(struct flight *f, const void *data, size_t len);
/* Cuts the current one back. */
void flight_trim(struct flight *f, uint64_t size);

/* What there is at a moment, but the current segment: it stays until it is dropped. */
struct flight_copy;

/* NULL: no memory, or there is nothing. */
struct flight_copy *flight_copy(struct flight *f);
uint64_t flight_copy_bytes(const struct flight_copy *c);
/*
 * From any thread, once: hands its bytes to write in their order, until that returns
 * something else than 0, which is returned. whole: how many bytes of whole segments were
 * handed over before.
 */
int flight_copy_write(const struct flight_copy *c, int (*write)(void *ctx, const void *, size_t),
		      void *ctx, uint64_t *whole);
void flight_copy_drop(struct flight *f, struct flight_copy *c);

#endif
