/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seccomp.h - from now on only the system calls that reading open files, memory
 * and threads need. Any other kills the process with SIGSYS.
 */
#ifndef EXECTRACE_SECCOMP_H
#define EXECTRACE_SECCOMP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * For the calling thread and those that it starts from now on; no_new_privs is
 * set before. child: may be sent signals and waited for; 0: nobody. opens: files may
 * be opened to be read, and watched, which only Landlock confines. Returns 0, or
 * an errno value: the kernel has no seccomp filters, or this architecture is not
 * known here (ENOSYS).
 */
int seccomp_enter(pid_t child, bool opens);

#endif
