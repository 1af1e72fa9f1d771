/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - record --check: what this machine can do, and what is missing for more,
 * a line each. The proof is a true one: the programs are loaded, attached and
 * detached; nothing is recorded.
 */
#ifndef EXECTRACE_CHECK_H
#define EXECTRACE_CHECK_H

#include "options.h"

/*
 * Prints to standard output; resolves the filters. The exit code: all that there is can be
 * recorded, or not.
 */
int check_run(struct options *opt);

#endif
