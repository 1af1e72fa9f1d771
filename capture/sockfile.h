/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockfile.h - the name that the control socket has in a directory, and a servant that
 * removes it when the recording is over, which a recorder cannot do any more: also when that
 * was killed. It removes this socket alone, not one that has taken its place.
 */
#ifndef EXECTRACE_SOCKFILE_H
#define EXECTRACE_SOCKFILE_H

#include "privilege.h"

/* What it takes to remove it from the directory of anybody, where it may be another's. */
#define SOCKFILE_PRIVILEGE (PRIVILEGE_DAC_OVERRIDE | PRIVILEGE_FOWNER)

/* In the servant: waits until it is asked, or until fd ends. */
void sockfile_serve(int fd);

/* fd: where sockfile_serve answers. directory: open for reading, with the socket. 0 or an errno. */
int sockfile_hold(int fd, int directory, const char *name);
/* Removes it, when nobody listens there any more, and waits some seconds for that. 0 or an errno. */
int sockfile_remove(int fd);

/*
 * A directory's lock, if that can be had within a second: two recorders that begin or end at
 * once are not to take each other's socket for their own. Whoever may read the directory can
 * hold it, too. It is the open file's: of all descriptors that are copies of this one.
 */
void sockfile_lock(int directory);
void sockfile_unlock(int directory);

#endif
