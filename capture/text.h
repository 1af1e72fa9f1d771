/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - small files of /proc and /sys, read as a whole.
 */
#ifndef EXECTRACE_TEXT_H
#define EXECTRACE_TEXT_H

#include <stddef.h>
#include <sys/types.h>

/* File name of dir, as much of it as there is room for, NUL-terminated. Its length, or -1. */
ssize_t text_read(int dir, const char *name, char *buf, size_t size);

#endif
