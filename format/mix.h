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

/* mix_fold from products of 32 bits by 32, for machines without wider ones. */
static inline uint64_t mix_fold_narrow(uint64_t a, uint64_t b)
{
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	uint64_t one = (a >> 32) * (b & UINT32_MAX), other = (a & UINT32_MAX) * (b >> 32);
	uint64_t middle = (low >> 32) + (one & UINT32_MAX) + (other & UINT32_MAX);

	high += (one >> 32) + (other >> 32) + (middle >> 32);
	return (middle << 32 | (low & UINT32_MAX)) ^ high;
}

/* The product's halves folded: every bit of both goes into every bit of the result. */
static inline uint64_t mix_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
#else
	return mix_fold_narrow(a, b);
#endif
}

/* The seed is in both factors: neither can be made zero or told from outside. */
static inline uint64_t mix_number(uint64_t seed, uint64_t v)
{
	return mix_fold(v ^ seed, (seed >> 32 | seed << 32) ^ 0x9e3779b97f4a7c15ull);
}

#endif
