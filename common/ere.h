/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ere.h - POSIX extended regular expressions over bytes: . [a-z] [^a-z] [[:digit:]]
 * (a|b) * + ? {2} {2,} {2,5} ^ $ and \ to take a sign as it is.
 *
 * Not those of the C library: these need no NUL and no memory to match, know no locale,
 * and never take longer than the length of the text times that of the expression.
 */
#ifndef EXECTRACE_ERE_H
#define EXECTRACE_ERE_H

#include <stdbool.h>
#include <stddef.h>

/* Steps that an expression may come to; a{5} is five. Matching puts 6 bytes each on the stack. */
#define ERE_STEPS_MAX 2000

struct ere;

/* NULL: *why says why not, one clause; NULL in it: no memory. */
struct ere *ere_compile(const char *pattern, size_t len, const char **why);
void ere_free(struct ere *e);
/* Whether some part of the text matches. */
bool ere_match(const struct ere *e, const char *s, size_t n);

#endif
