/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intern.h - short strings kept once each, known by a number. They are a stranger's: how
 * many there are is bounded, and of more it is only known that they are others.
 */
#ifndef EXECTRACE_INTERN_H
#define EXECTRACE_INTERN_H

#include <stddef.h>
#include <stdint.h>

/* Distinct strings, and their bytes. */
#define INTERN_STRINGS 262144u
#define INTERN_BYTES (16u << 20)

/* The number of all strings that are not kept. */
#define INTERN_OTHERS 0

/* Start it zeroed. */
struct intern {
	char *bytes;	  /* one behind the other, each ended by a NUL */
	uint32_t *at;	  /* where each begins, from number 1 on */
	uint32_t *slots;  /* numbers, open addressing; 0: free */
	size_t len, cap_bytes, n, cap, n_slots;
	uint64_t seed[2];
};

void intern_free(struct intern *t);
/* The number of a string without NUL. -1: no memory. */
int intern_add(struct intern *t, const char *s, size_t len, uint32_t *number);
/* Borrowed until the next intern_add; NULL: of INTERN_OTHERS. */
const char *intern_text(const struct intern *t, uint32_t number);

#endif
