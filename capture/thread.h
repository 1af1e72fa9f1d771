/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread.h - threads that give their privilege up before they do anything else.
 *
 * Who starts one waits until it has: a thread begins with what its creator had, and the
 * filter that later confines all threads at once would forbid it to drop that.
 */
#ifndef EXECTRACE_THREAD_H
#define EXECTRACE_THREAD_H

#include <pthread.h>
#include <stdint.h>

/*
 * run(arg) in a thread that has kept no capability but those in keep, as in privilege.h. 0:
 * *out is to be joined. An errno: there is no thread, and run was not called.
 */
int thread_start(pthread_t *out, uint64_t keep, void (*run)(void *arg), void *arg);

#endif
