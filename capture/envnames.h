/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * envnames.h - which variables of an environment are kept: "all", or names that are
 * separated by commas, in which * stands for any characters, also none.
 */
#ifndef EXECTRACE_ENVNAMES_H
#define EXECTRACE_ENVNAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether text is such a list: no name in it is empty or has a '='. */
bool envnames_valid(const char *text);

bool envnames_all(const char *names);

/* Whether names ask for a string of an environment, len bytes; its name ends at its '='. */
bool envnames_match(const char *names, const char *string, size_t len);

#endif
