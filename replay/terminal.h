/* SPDX-License-Identifier: BSD-2-Clause */
/* terminal.h - where standard output goes, and what can be shown there. */
#ifndef EXECTRACE_TERMINAL_H
#define EXECTRACE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns and lines of the terminal; false, and both 0: it goes elsewhere. */
bool terminal_size(size_t *columns, size_t *lines);
/* By the name of the locale alone: its files are out of reach in the sandbox. */
bool terminal_utf8(void);

#endif
