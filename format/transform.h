/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transform.h - what is done to a column's values before they become planes,
 * so that they get small (SPEC.md 5.3). All arithmetic is modulo 2^64, so every
 * input has a result.
 */
#ifndef ET_TRANSFORM_H
#define ET_TRANSFORM_H

#include <stdbool.h>
#include <stdint.h>

void delta_encode(const uint64_t *in, uint64_t *out, uint32_t n);
void delta_decode(uint64_t *v, uint32_t n);

/*
 * Each value as its difference from the last one of the same pid, or from ts
 * for the first. pid and ts are aligned with the values. false: no memory.
 */
bool by_pid_encode(const uint64_t *in, uint64_t *out, const uint64_t *pid, const uint64_t *ts,
		   uint32_t n);
bool by_pid_decode(uint64_t *v, const uint64_t *pid, const uint64_t *ts, uint32_t n);

void from_pid_encode(const uint64_t *in, uint64_t *out, const uint64_t *pid, uint32_t n);
void from_pid_decode(uint64_t *v, const uint64_t *pid, uint32_t n);

/* For numbers given in order of first use, such as those of strings. */
void first_use_encode(const uint64_t *in, uint64_t *out, uint32_t n);
void first_use_decode(uint64_t *v, uint32_t n);

#endif
