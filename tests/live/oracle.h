/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oracle.h - prints, as JSON Lines, which events a capture must hold.
 *
 * One object an event: kind, step, pid and whatever else is known for certain.
 * Bytes are written in hex, so that nothing about them is left to interpret.
 * Times are ns of CLOCK_BOOTTIME: the event lies between "after" and "before".
 * judge.py says how each key is compared.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* What a process knows about itself just before it executes something. */
struct self {
	pid_t pid, tid, ppid;	/* pid and ppid as its own pid namespace has them */
	uid_t uid, euid;
	gid_t gid, egid;
	char comm[16];
	char cwd[4096];
};

void self_take(struct self *s);

uint64_t boot_ns(void);
/* Starts a step: names those that follow and takes the time. */
void step_begin(const char *name);

void say_begin(const char *kind, pid_t pid, pid_t ppid);
void say_number(const char *key, long long value);
void say_bytes(const char *key, const void *data, size_t len);
void say_text(const char *key, const char *text);
/* argv, argc and argv_bytes; argv ends with NULL, or is NULL: no arguments. */
void say_argv(char *const *argv);
/* uid, gid, euid, egid, cwd as self_take saw them. */
void say_self(const struct self *s);
void say_end(void);

void say_fork(pid_t pid, pid_t ppid);
/* status and usage as wait4 gave them. */
void say_exit(pid_t pid, pid_t ppid, uid_t uid, int status, const struct rusage *usage);
/* The offset from the boot clock to the wall clock. */
void say_clock(void);

#endif
