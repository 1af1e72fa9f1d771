/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile.h - what the parts of hostile_exec share.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "oracle.h"

#include <stdbool.h>
#include <sys/types.h>

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })
#define S(text) ((char *)(uintptr_t)(text))

enum argv_mode {
	ARGV_EXACT,
	ARGV_UNREADABLE,	/* cannot be read: must be flagged */
	ARGV_MAYBE,		/* must be exact or flagged */
};

/* One child that tries to execute one thing. */
struct attempt {
	const char *step;
	const char *filename;		/* as passed */
	const char *as;			/* what the kernel makes of an open file; NULL: filename */
	char *const *argv;
	char *const *committed;		/* what the new program gets; NULL: argv */
	const char *exe;		/* NULL: target */
	const char *interpreter;	/* of a script */
	const char *task;		/* what the new program does; NULL: exit 0 */
	const char *const *tries;	/* paths tried before, in vain */
	enum argv_mode argv_mode;
	bool setuid;			/* the program is root's and setuid */
	bool may_be_missing;		/* a documented limit: the failure may go unseen */
	void (*prepare)(void);		/* in the child */
	pid_t (*start)(void);		/* NULL: fork */
	void (*call)(const struct attempt *a, char *const *env);	/* NULL: execve */
};

/* What a child tells its parent through shared memory. */
struct note {
	struct self self;
	int tried[8];
	int error;
	pid_t middle, last;	/* trees.c: other processes of the family */
	size_t touched;		/* so that reading the arguments is not for nothing */
};

extern char target[];
extern struct note *note;

void check(bool ok, const char *what);
/* Waits for a child that fork made, whatever came of that. */
void reap(pid_t pid, int *status, struct rusage *usage);
void attempt(const struct attempt *a);
void say_exec(pid_t pid, pid_t ppid, const struct attempt *a);
/* Makes an executable or other file in the working directory. */
void write_file(const char *name, const char *text, mode_t mode);
/* Copies this program into an open file. */
void copy_self(int to);
/* ways.c and trees.c */
void ways(void);
void trees(void);

#endif
