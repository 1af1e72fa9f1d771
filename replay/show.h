/* SPDX-License-Identifier: BSD-2-Clause */
/* show.h - what replay and live share: print what the sources give, then report. */
#ifndef EXECTRACE_SHOW_H
#define EXECTRACE_SHOW_H

#include "command.h"

/* Looks at what the output is, and opens what may be needed, before the sandbox forbids it. */
void show_prepare(struct options *opt);
/*
 * Prints the events that the options choose and says at the end how complete the
 * captures are. Takes over the sources, not the array; returns the exit code.
 */
int show_sources(struct source **sources, size_t n, struct options *opt);

#endif
