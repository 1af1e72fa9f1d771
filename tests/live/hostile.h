/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile.h - what the parts of hostile_exec share.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "look.h"
#include "oracle.h"

#include <stdbool.h>
#include <sys/types.h>

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })
#define S(text) ((char *)(uintptr_t)(text))

enum argv_mode {
	ARGV_EXACT,
	ARGV_UNREADABLE, /* cannot be read: must be flagged */
	ARGV_MAYBE,      /* must be exact or flagged */
};

enum outcome {
	AS_TOLD, /* the call succeeds, or returns an error that the child tells */
	LATE,    /* it fails with error, too late to go back, and the child is killed */
	HIDDEN,  /* it fails with error, of which the child does not get to know */
	KILLED,  /* it succeeds, but the child is killed before it runs; looked has it */
	UNSEEN,  /* nothing was executed or refused, whatever the call returns */
};

/* One child that tries to execute one thing. */
struct attempt {
	const char *step;
	const char *filename; /* as passed */
	const char *as;       /* what the kernel makes of an open file; NULL: filename */
	char *const *argv;
	char *const *env;         /* NULL: the task alone */
	char *const *committed;   /* what the new program gets; NULL: argv */
	const char *interpreter;  /* of a script */
	const char *task;         /* what the new program does; NULL: exit 0 */
	const char *const *tries; /* paths tried before, in vain */
	enum argv_mode argv_mode, env_mode;
	enum outcome outcome;
	int error;         /* expected of a failure; 0: whatever comes */
	unsigned least_ms; /* the call takes at least this */
	bool cold;         /* keep the child from touching its arguments */
	bool no_entry; /* it is refused before it is seen to begin: its duration is not known
			*/
	bool no_filename;      /* what was passed cannot be read */
	void (*prepare)(void); /* in the child */
	pid_t (*start)(void);  /* NULL: fork */
	void (*call)(const struct attempt *a, char *const *env); /* NULL: execve */
	void (*meanwhile)(pid_t pid); /* in the parent, after the child has begun */
	const struct attempt
		*then; /* what the new program executes or fails to; see tiny32.c */
};

/* What a child tells its parent through shared memory. */
struct note {
	struct self self;
	int tried[8];
	int error;
	bool unable;        /* the kernel or the place cannot do this step ... */
	char why[128];      /* ... because */
	pid_t middle, last; /* trees.c: other processes of the family */
	volatile int stage; /* how far a child is */
	size_t touched;     /* so that reading the arguments is not for nothing */
};

extern char target[];
extern char area[]; /* the working directory, where target lies */
extern struct note *note;
extern struct look looked; /* of a KILLED attempt: from meanwhile */

void check(bool ok, const char *what);
/* In a child that cannot do its step: notes what failed, with errno, and ends. */
_Noreturn void unable(const char *what);
/* Waits for a child that fork made, whatever came of that. */
void reap(pid_t pid, struct ending *e);
/* Begins a step of one's own with children to be looked at; they have noted nothing yet. */
void attempt_begin(const char *step);
void attempt(const struct attempt *a);
/* For a start that does not return in the child: its part of the attempt that is under way. */
_Noreturn void attempt_child(void);
/* The end of a child, or of a thread of one: it notes who it is and executes target. */
_Noreturn void become(char *const *argv, char *const *env);
/* Of a child that executed something; l says where it was and who. */
void say_exec(const struct attempt *a, const struct look *l);
/* A child that a step of one's own forked: waits for it, and says that it executed that, and all else. */
void say_executed(pid_t pid, const struct attempt *a);
void say_fail(pid_t pid, pid_t ppid, const char *filename, const struct attempt *a,
	      char *const *env, int error);
/* Makes an executable or other file in the working directory. */
void write_file(const char *name, const void *data, size_t size, mode_t mode);
void write_text(const char *name, const char *text, mode_t mode);
/* Copies this program into an open file, or into a new one. */
void copy_self(int to);
void copy_self_to(const char *name, mode_t mode);
/* Writes a file that is there, as those below /proc; false, with errno. */
bool put_file(const char *path, const char *text);
char *long_text(size_t len);
/* Waits until a child that has set note->stage to 1 sleeps in its call. */
void until_asleep(pid_t pid);
/* A mount namespace of its own, from which nothing gets out; 0 or -1 with errno. */
int unshare_mounts(void);
/* A path below the working directory; its own memory, for good. */
char *below(const char *name);
void nap(unsigned ms);

/* What the kernel calls: true when that has happened. */
bool helper_main(char *const *argv);

/* The parts, in order. */
void arguments(void);
void memory(void);
void failures(void);
void ways(void);
void scripts(void);
void words32(void);
void ends(void);
void identities(void);
void places(void);
void namespaces(void);
void traced(void);
void trees(void);
void pids(void);
void helpers(void);

#endif
