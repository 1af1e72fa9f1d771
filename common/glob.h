/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glob.h - shell patterns over bytes: * ? [a-z] [!a-z] and \ to take the next
 * one as it is. A * also matches '/' and a leading dot. Never slower than
 * pattern length times text length, whatever is in either.
 */
#ifndef EXECTRACE_GLOB_H
#define EXECTRACE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

bool glob_match(const char *pattern, const char *s, size_t n);
/* As glob_match; a pattern without '/' is for the last part of the path alone. */
bool glob_match_path(const char *pattern, const char *s, size_t n);

#endif
