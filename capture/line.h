/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line.h - the first line of a small file, as the kernel shows things in /proc and
 * /sys.
 */
#ifndef EXECTRACE_LINE_H
#define EXECTRACE_LINE_H

#include <stdbool.h>

/* Without its newline; false, and empty, when it is or when it cannot be read. */
bool line_read(const char *path, char *buf, int size);

#endif
