/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * units.h - times, sizes and numbers as people write them on a command line
 * ("500ms", "1.5m", "64K", "20k") and as they read them in a summary ("12.3 KiB").
 */
#ifndef EXECTRACE_UNITS_H
#define EXECTRACE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A time in ns: a decimal number and ns, us, ms, s, m, h or d, or several such, as in
 * 1m30s; seconds without a unit. What is less than a ns is cut. False: not such a
 * time, or over 100 years.
 */
bool units_time(const char *text, uint64_t *ns);

/*
 * A size in bytes: a decimal number and K, M, G or T (powers of 1024, also written
 * KiB, MiB, GiB, TiB); bytes without a unit. False: not such a size, or over 2^62.
 */
bool units_size(const char *text, uint64_t *bytes);

/*
 * A number up to max: a decimal number and k (also K) or M, powers of 1000. What is behind
 * the point is cut off.
 */
bool units_number(const char *text, uint64_t max, uint64_t *out);

/* A whole number between min and max, nothing around it. */
bool units_count(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#define UNITS_TEXT 24

/* "999 bytes", "12.3 KiB". Returns buf. */
char *units_show_size(uint64_t bytes, char buf[UNITS_TEXT]);

#endif
