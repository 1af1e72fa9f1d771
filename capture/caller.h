/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caller.h - who has run the recorder: under sudo its files, and the right to ask it, are
 * not root's alone.
 */
#ifndef EXECTRACE_CALLER_H
#define EXECTRACE_CALLER_H

#include <stdbool.h>

/* The caller of sudo. False: we are not root, or not by sudo. */
bool caller_of_sudo(unsigned *uid, unsigned *gid);

#endif
