/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * need.h - what a program of the bench does when it cannot go on, memory for good,
 * and numbers by chance that are the same each time.
 *
 * What is allocated here lives until the program ends.
 */
#ifndef BENCH_NEED_H
#define BENCH_NEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the program with a message unless ok. */
void need(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* n items of so many bytes, zeroed; never NULL. */
void *room(size_t n, size_t size);
/* A larger one in its place; what is new is not zeroed. */
void *more_room(void *old, size_t n, size_t size);

/* Any two numbers to one that says nothing of them: the finalizer of splitmix64. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15u + b + 0x632be59bd9b4e019u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* 0 .. below - 1, by the upper half of a mixed number. */
static inline uint32_t pick(uint64_t mixed, uint32_t below)
{
	return (uint32_t)((mixed >> 32) * below >> 32);
}

#endif
