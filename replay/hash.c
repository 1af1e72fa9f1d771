/* SPDX-License-Identifier: BSD-2-Clause */
#include "hash.h"

#include <string.h>
#include <sys/random.h>
#include <sys/types.h>
#include <time.h>

/* A seed that is merely unlikely costs time where keys collide, not truth. */
void hash_seed(uint64_t seed[2])
{
	struct timespec now;

	if (getrandom(seed, 2 * sizeof(*seed), GRND_NONBLOCK) == 2 * (ssize_t)sizeof(*seed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	seed[0] = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
	seed[1] = (uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15u;
}

/* Both halves of a product: what goes in cannot be told, or undone, from outside. */
static uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	uint64_t one = (a >> 32) * (b & UINT32_MAX), other = (a & UINT32_MAX) * (b >> 32);
	uint64_t middle = (low >> 32) + (one & UINT32_MAX) + (other & UINT32_MAX);

	high += (one >> 32) + (other >> 32) + (middle >> 32);
	return (middle << 32 | (low & UINT32_MAX)) ^ high;
#endif
}

/* Eight bytes at a time, with a half of the seed in each factor. */
uint64_t hash_bytes(const uint64_t seed[2], const char *s, size_t n)
{
	uint64_t h = n, word;

	for (; n; s += 8, n -= 8) {
		word = 0;
		if (n <= 8) {
			memcpy(&word, s, n);
			return fold(word ^ seed[0], h ^ seed[1]);
		}
		memcpy(&word, s, 8);
		h = fold(word ^ seed[0], h ^ seed[1]);
	}
	return fold(seed[0], h ^ seed[1]);
}

uint64_t hash_pair(const uint64_t seed[2], uint64_t a, uint64_t b)
{
	return fold(fold(a ^ seed[0], b ^ seed[1]) ^ seed[0], seed[1]);
}

