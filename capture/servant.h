/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servant.h - a process beside the recorder, for questions whose answers take what the
 * recorder itself has forsworn: opening files, or code that the system's configuration
 * loads. It has nothing of the recorder's open, sees nothing but the questions, and keeps
 * only the capabilities that they take.
 *
 * It starts before there are threads, programs or a capture. Question and answer go
 * through one socket that keeps packets apart.
 */
#ifndef EXECTRACE_SERVANT_H
#define EXECTRACE_SERVANT_H

#include <stdint.h>
#include <sys/types.h>

struct servant;

/*
 * serve answers what comes in through fd, and returns when that has ended. name: of
 * the process, at most 15 bytes. keep: of its capabilities, as in privilege.h. 0 or an
 * errno.
 */
int servant_start(const char *name, uint64_t keep, void (*serve)(int fd), struct servant **out);
pid_t servant_pid(const struct servant *s);
/*
 * The recorder's end. An answer that does not come within some seconds reads as
 * EAGAIN; as it may still come, nothing more can be asked then.
 */
int servant_fd(const struct servant *s);
/* Ends it. NULL is fine. */
void servant_close(struct servant *s);

#endif
