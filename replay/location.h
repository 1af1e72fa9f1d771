/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * location.h - where a path leads that a process named, by its working directory and
 * without a look at any file system.
 *
 * The working directory is the kernel's, and no part of it a symbolic link. So . and ..
 * at the beginning of a path that goes on from there are resolved exactly; a .. further
 * on may come out of a symbolic link, and stays.
 */
#ifndef EXECTRACE_LOCATION_H
#define EXECTRACE_LOCATION_H

#include <exectrace.h>

#include "out.h"

/* Appends the absolute path. cwd begins with a slash. */
void location_put(struct out *o, struct et_str cwd, struct et_str path);

#endif
