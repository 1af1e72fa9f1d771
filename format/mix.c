/* SPDX-License-Identifier: BSD-2-Clause */
/* mix.c - seeds, and bytes eight at a time. */
#include "mix.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t mix_seed(void)
{
	struct timespec now;
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	/* Early in a boot, before the pool is filled; slow tables are all that is at stake. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return mix_fold((uint64_t)now.tv_nsec ^ 0x9e3779b97f4a7c15ull, (uint64_t)(uintptr_t)&now | 1);
}

uint64_t mix_bytes(uint64_t seed, const void *p, size_t len)
{
	const unsigned char *at = p;
	uint64_t h = mix_number(seed, len), word;

	for (; len >= 8; at += 8, len -= 8) {
		memcpy(&word, at, 8);
		h = mix_number(seed, h ^ word) + h;
	}
	if (len) {
		word = 0;
		memcpy(&word, at, len);
		h = mix_number(seed, h ^ word) + h;
	}
	return mix_number(h, seed);
}
