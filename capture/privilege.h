/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privilege.h - what the recorder may do, and how it gives that up.
 *
 * Capabilities belong to threads: each thread drops its own as soon as it has no use
 * for them. When the recording has begun, a filter of system calls is put on all threads
 * at once: from then on nothing is opened, connected to or started.
 */
#ifndef EXECTRACE_PRIVILEGE_H
#define EXECTRACE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of a set; linux/capability.h, where the newest are missing from old headers. */
#define PRIVILEGE_CHOWN (1ull << 0)
#define PRIVILEGE_DAC_OVERRIDE (1ull << 1)
#define PRIVILEGE_DAC_READ_SEARCH (1ull << 2)
#define PRIVILEGE_FOWNER (1ull << 3)
#define PRIVILEGE_KILL (1ull << 5)
#define PRIVILEGE_SYS_PTRACE (1ull << 19)
#define PRIVILEGE_SYS_ADMIN (1ull << 21)
#define PRIVILEGE_SYS_RESOURCE (1ull << 24)
#define PRIVILEGE_PERFMON (1ull << 38)
#define PRIVILEGE_BPF (1ull << 39)

/*
 * Before Linux 5.11, BPF maps and rings count as locked memory. libbpf lifts the limit
 * where CAP_SYS_RESOURCE allows that; this raises it as far as anybody may. To be called
 * when the command has been forked, which keeps the caller's.
 */
void privilege_lock_memory(void);

/* The calling thread's effective capabilities; all of them when that cannot be told. */
uint64_t privilege_effective(void);

/*
 * The calling thread keeps no capability but those in keep that it has, in no set, and
 * gains none by an exec. The bounding set is left alone where CAP_SETPCAP is missing.
 * Returns 0, or an errno value.
 */
int privilege_drop(uint64_t keep);

/*
 * All threads of the process; no_new_privs is set. Calls that the recording does not need
 * fail with ENOSYS: a C library that wants one more than those known here shall not
 * end a recording. children: processes to signal and to wait for; 0: none. Returns 0,
 * or an errno value: there is no such filter here.
 */
int privilege_seal(const pid_t *children, unsigned n);

/* The same for a process that opens files, to read them, and writes what it has open. */
int privilege_seal_reading(void);

/* The same for one that makes files, opening them with exactly these flags, and removes them. */
int privilege_seal_filing(int flags);

/*
 * The same for one that replaces a file, and removes it: of all ways to open one, it has that
 * to make a new one.
 */
#define PRIVILEGE_CREATE (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
int privilege_seal_replacing(void);

/* The same for one that removes files, and has no way to open one. */
int privilege_seal_removing(void);

#endif
