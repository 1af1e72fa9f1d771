/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mix.h - hashing of numbers and bytes under a seed that nobody can know: captures
 * and the names of processes come from strangers, who must not be able to choose
 * ones that collide.
 */
#ifndef ET_MIX_H
#define ET_MIX_H

#include <stddef.h>
#include <stdint.h>

/* A fresh seed from the system. */
uint64_t mix_seed(void);
uint64_t mix_bytes(uint64_t seed, const void *p, size_t len);

__extension__ typedef unsigned __int128 mix_wide;

/* The product's halves folded: every bit of both goes into every bit of the result. */
static inline uint64_t mix_fold(uint64_t a, uint64_t b)
{
	mix_wide m = (mix_wide)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The seed is in both factors: neither can be made zero or told from outside. */
static inline uint64_t mix_number(uint64_t seed, uint64_t v)
{
	return mix_fold(v ^ seed, (seed >> 32 | seed << 32) ^ 0x9e3779b97f4a7c15ull);
}

#endif
