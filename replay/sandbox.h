/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h - what stands behind a mistake in reading a capture, which a stranger
 * may have made to find one. From sandbox_enter on the process reads and writes
 * what it has open: it opens, connects to, starts and signals nothing more.
 *
 * Two layers of the kernel forbid that, each alone: landlock.h and seccomp.h. Where
 * the kernel has one of them or none, the command goes on with what there is.
 */
#ifndef EXECTRACE_SANDBOX_H
#define EXECTRACE_SANDBOX_H

#include <sys/types.h>

#include "say.h"

/* -1: the environment's switch says nonsense. For those who start something before they enter. */
int sandbox_check(struct reason *why);

/*
 * To be called when all files are open and before a byte of a capture is parsed.
 * child: a process to signal and to wait for; 0: none. folder: a directory in and under
 * which files may be opened to be read, for following one through rotation; -1: none.
 *
 * Threads that start later are inside too, others are not. Inside, sysconf and
 * pthread_exit die, as they open files, and so does malloc in a ninth thread
 * unless M_ARENA_MAX was set before, and in any thread but the first when it gives
 * memory back: crew.c sees to both.
 *
 * -1: the environment asks for more than there is, or for nonsense.
 */
int sandbox_enter(pid_t child, int folder, struct reason *why);
/*
 * Runs inside in a child process, and returns what it returns, 0 to 255. For commands
 * that make a file: giving it its name is left to the caller, who reads no capture.
 * inside calls sandbox_enter when all files are open. -1: the child could not be
 * started, or died.
 */
int sandbox_run(int (*inside)(void *ctx), void *ctx, struct reason *why);

#endif
