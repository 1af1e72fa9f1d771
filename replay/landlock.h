/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landlock.h - no file is opened, made, changed or executed by its name any more,
 * and nobody is connected to: the kernel refuses with EACCES or EPERM.
 */
#ifndef EXECTRACE_LANDLOCK_H
#define EXECTRACE_LANDLOCK_H

#include <stdbool.h>

/*
 * For the calling thread and those that it starts from now on; no_new_privs is
 * set before. signals: other processes may still be sent some. folder: a directory in
 * and under which files may be opened to be read; -1: none. Returns 0, or an
 * errno value: the kernel has no Landlock, or it is switched off.
 */
int landlock_enter(bool signals, int folder);

#endif
