/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracefs.h - the numbers by which perf_event_open(2) knows tracepoints. They are
 * in tracefs, which not every machine has mounted; then a mount of our own, that
 * nobody else sees and that goes with its descriptor, has to do.
 */
#ifndef EXECTRACE_TRACEFS_H
#define EXECTRACE_TRACEFS_H

/* The number of a tracepoint ("syscalls/sys_exit_execve"), or -errno. */
int tracefs_event_id(const char *event);

#endif
