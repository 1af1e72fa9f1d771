/* SPDX-License-Identifier: BSD-2-Clause */
/* check.h - the unit tests' only tool: count what is not so, and say where. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>

static unsigned check_failures;
static unsigned check_count;

#define CHECK(cond)                                                                        \
	do {                                                                               \
		check_count++;                                                             \
		if (!(cond)) {                                                             \
			check_failures++;                                                  \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
		}                                                                          \
	} while (0)

/* With a label, for loops over tables. */
#define CHECK_CASE(label, cond)                                                            \
	do {                                                                               \
		check_count++;                                                             \
		if (!(cond)) {                                                             \
			check_failures++;                                                  \
			fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__,     \
				label, #cond);                                             \
		}                                                                          \
	} while (0)

/* The exit code of a test's main: also a test that checked nothing has failed. */
static inline int check_result(void)
{
	printf("%u checks, %u failed\n", check_count, check_failures);
	return check_failures || !check_count;
}

#endif
