/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.h - looks at a program that was just executed, from outside, in /proc.
 *
 * The program and the one that looks hold the ends of a socket. The program says
 * that it is there and waits; the kernel adds its pid as the looker's namespace
 * has it. So an oracle comes from the kernel and not from what a test believes,
 * and also of a process that the looker could not otherwise find.
 *
 *	look_open(); fork();
 *	child:	look_child(), then executes something that calls look_wait
 *	parent:	look_started(), then look_next until it is false
 */
#ifndef LOOK_H
#define LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOOK_FD 63 /* of the program that is looked at */

struct look {
	pid_t pid, ppid, ns_pid;
	uid_t uid, euid;
	gid_t gid, egid;
	char comm[17];
	char *argv, *env; /* as they lie in memory, a NUL each */
	size_t argv_size, env_size;
	char *cwd, *exe; /* NULL: too long for /proc */
	int secure;
	uint32_t login_uid, session;
	unsigned tty_major, tty_minor;
	unsigned long long pid_ns, mnt_ns, user_ns, net_ns;
	unsigned exe_major, exe_minor;
	unsigned long long exe_inode;
	bool exe_deleted, exe_memfd;
	char *cgroup; /* in the default hierarchy; NULL: there is none */
	unsigned long long start_ticks;
};

void look_open(void);
void look_child(void);
/* The program's end before it is LOOK_FD. */
int look_end(void);
void look_started(void);
/* False when no program waits or ever will. l is filled, and freed by look_free. */
bool look_next(struct look *l);
/* The like of a process that stands still for another reason. */
void look_at(pid_t pid, struct look *l);
void look_free(struct look *l);

/* In the program: waits until it has been looked at; false: nobody looks. */
bool look_wait(void);

/* The whole of a file below /proc, with a NUL behind it; NULL when it cannot be read. */
char *look_read(const char *path, size_t *size);

#endif
