/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.h - a look into an executable that an event names. In a recording a servant
 * takes it: files of anybody are opened and read there, by a process that can
 * do nothing but read, and keeps the capabilities to read them all.
 */
#ifndef EXECTRACE_LOOK_H
#define EXECTRACE_LOOK_H

#include <exectrace.h>
#include <stdbool.h>
#include <stdint.h>

#include "elfinfo.h"
#include "privilege.h"

/* What files of anybody take to be found and read, whoever runs them. */
#define LOOK_PRIVILEGE (PRIVILEGE_DAC_READ_SEARCH | PRIVILEGE_SYS_PTRACE)

/*
 * If the file that ran in pid is still there and the same: its size and time into is,
 * where they were not known, and what it says of itself into elf. proc: /proc/self.
 */
void look_at(int proc, uint32_t pid, struct et_exe *is, struct elfinfo *elf);

/* In the servant: answers until fd ends. */
void look_serve(int fd);
/* In the recorder: as look_at. False: there is no answer, and never again. */
bool look_ask(int fd, uint32_t pid, struct et_exe *is, struct elfinfo *elf);

#endif
