/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc.h - the little that has to be known of a process to decide about it, read
 * from /proc; what a capture says of one reads snapshot.c.
 */
#ifndef EXECTRACE_PROC_H
#define EXECTRACE_PROC_H

#include <stdbool.h>
#include <stdint.h>

struct proc_facts {
	uint32_t ppid;
	uint32_t flags;		/* of the leader: PF_* */
	char comm[16];
};

/* Calls fn for each process; non-zero ends it and is returned. Or an errno. */
typedef int proc_fn(void *ctx, uint32_t pid);
int proc_each(proc_fn *fn, void *ctx);

/* False: it is gone. */
bool proc_read(uint32_t pid, struct proc_facts *out);
/* The process of a thread, which may be itself; 0: there is none. */
uint32_t proc_of_thread(uint32_t tid);
/* Real user; false: it is gone. */
bool proc_user(uint32_t pid, uint32_t *uid);
/* Path in the default hierarchy; false: it is gone, or has none. */
bool proc_cgroup(uint32_t pid, char *path, int size);
/* All its threads are on their way out, or it is gone: it starts nothing any more. */
bool proc_is_ending(uint32_t pid, const struct proc_facts *facts);

#endif
