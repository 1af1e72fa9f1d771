/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyset.h - distinct strings, numbered in the order in which they came.
 *
 * Strings are a capture's and so a stranger's: a set keeps a bounded number of them,
 * those that came first, and says of all others that it does not.
 */
#ifndef EXECTRACE_KEYSET_H
#define EXECTRACE_KEYSET_H

#include <exectrace.h>

/* Strings kept, and their bytes: 11 MiB in all. */
#define KEYSET_KEYS 65536u
#define KEYSET_BYTES (8u << 20)

/* The number of each string that is not kept. */
#define KEYSET_OTHER UINT32_MAX

struct keyset_key {
	uint64_t hash;
	uint32_t at, len; /* in .bytes */
};

/* Start it zeroed. */
struct keyset {
	struct keyset_key *keys;
	uint32_t n, cap;
	uint32_t *slots; /* open addressing: a number and one, 0 is free */
	size_t n_slots;  /* a power of two */
	char *bytes;
	size_t len, bytes_cap;
	uint64_t seed[2];
};

void keyset_free(struct keyset *k);
/* Sets *number, to KEYSET_OTHER where there is no room. -1: no memory, and k is as before. */
int keyset_add(struct keyset *k, const char *key, size_t len, uint32_t *number);
/* Borrowed until the next keyset_add. */
static inline struct et_str keyset_get(const struct keyset *k, uint32_t number)
{
	return (struct et_str){ k->bytes + k->keys[number].at, k->keys[number].len };
}
/* Order of bytes, and of length where one begins like the other. */
int keyset_compare(struct et_str a, struct et_str b);

#endif
