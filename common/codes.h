/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codes.h - Linux errno and signal numbers of the generic ABI by name. The
 * reader's own machine may number them otherwise, or be no Linux at all.
 */
#ifndef EXECTRACE_CODES_H
#define EXECTRACE_CODES_H

#include <stdint.h>

/* "ENOENT"; NULL when there is none of that number. */
const char *errno_name(uint64_t number);
/* "SIGSEGV"; NULL for real-time signals and numbers that are none. */
const char *signal_name(uint64_t number);

#endif
