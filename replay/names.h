/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - Linux errno and signal numbers of the generic ABI by name. The
 * reader's own machine may number them otherwise, or be no Linux at all.
 */
#ifndef EXECTRACE_NAMES_H
#define EXECTRACE_NAMES_H

#include <stdint.h>

/* "ENOENT"; NULL when there is none of that number. */
const char *errno_name(uint64_t number);
/* "SIGSEGV"; NULL for real-time signals and numbers that are none. */
const char *signal_name(uint64_t number);

#endif
