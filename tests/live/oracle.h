/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oracle.h - prints, as JSON Lines, which events a capture must hold.
 *
 * One object an event: kind, step, pid and whatever else is known for certain.
 * Bytes are written in hex, so that nothing about them is left to interpret; a long
 * string that repeats itself as an object with its length and what is repeated.
 * Times are ns of CLOCK_BOOTTIME: the event lies between "after" and "before".
 * judge.py says how each key is compared.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* What a process knows about itself just before it executes something. */
struct self {
	pid_t pid, tid; /* as the first pid namespace has them */
	uid_t uid;
	gid_t gid;
	char comm[16];
	uint64_t time;
};

/* How a process ended. */
struct ending {
	int status; /* as wait4 gave it */
	struct rusage usage;
	bool had_children;
	unsigned long long cpu_ns;            /* its own, coarse */
	long long read_bytes, write_bytes;    /* -1: not known */
	long long minor_faults, major_faults; /* its own, without its children's */
};

/* Before the first self_take: opens /proc, which a chroot hides. */
void self_init(void);
void self_take(struct self *s);

uint64_t boot_ns(void);
/* Starts a step: names those that follow and takes the time. */
void step_begin(const char *name);
const char *step_name(void);

/* pid and ppid of 0 are left out where the kind needs none. */
void say_begin(const char *kind, pid_t pid, pid_t ppid);
void say_number(const char *key, long long value);
void say_bytes(const char *key, const void *data, size_t len);
void say_text(const char *key, const char *text);
void say_nothing(const char *key);
/* And their number and size with a NUL each; they end with NULL, or are NULL: none. */
void say_list(const char *name, char *const *strings);
/* The like of a block of strings with a NUL each. */
void say_block(const char *name, const char *strings, size_t size);
void say_end(void);

void say_fork(pid_t pid, pid_t ppid);
/* uid -1: not known. */
void say_exit(pid_t pid, pid_t ppid, uid_t uid, const struct ending *e);
/* Of a process that another one has waited for: no more is known. */
void say_exit_code(pid_t pid, pid_t ppid, int code);
/* The kernel or the place cannot do this step: says why. */
void say_skip(const char *step, const char *reason);
/* The offset from the boot clock to the wall clock. */
void say_clock(void);

#endif
