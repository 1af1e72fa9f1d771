/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.h - where exectrace-record is: beside this program, as in a build
 * tree; where it lies from here in an installed tree, which may have been moved
 * as a whole; or where it was to be installed. Nowhere else, and never by PATH,
 * as it runs with rights.
 */
#ifndef EXECTRACE_RECORDER_H
#define EXECTRACE_RECORDER_H

#include "say.h"

struct recorder {
	char path[4096];
};

/* -1: there is none; *why says what to do. */
int recorder_find(struct recorder *r, struct reason *why);

#endif
