/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - hashes for tables of what captures say: seeded, so that nobody can prepare
 * a capture whose strings or numbers collide.
 */
#ifndef EXECTRACE_HASH_H
#define EXECTRACE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* One for each table, when it is made. */
void hash_seed(uint64_t seed[2]);
uint64_t hash_bytes(const uint64_t seed[2], const char *s, size_t n);
uint64_t hash_pair(const uint64_t seed[2], uint64_t a, uint64_t b);

#endif
