/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - the command that is recorded: forked and held before the recording
 * begins, let go when it has begun.
 */
#ifndef EXECTRACE_COMMAND_H
#define EXECTRACE_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct command;

/* Who runs it. */
struct command_user {
	unsigned uid, gid;
	char *name, *home, *shell;
};

/*
 * Looks a user up, by name or number. False: there is none, or the system cannot
 * tell (errno is then not 0). Free it in both cases.
 */
bool command_user_find(const char *name, struct command_user *out);
void command_user_free(struct command_user *u);

/* Signals that the recorder treats in its own way, and how they were before. */
struct command_signals {
	sigset_t mask;
	struct sigaction pipe, file_size, child;
};

struct command_options {
	char *const *argv;
	const struct command_user *user;	/* NULL: the caller */
	const struct command_signals *signals;	/* restored for the command */
	bool stdout_to_stderr;	/* standard output carries the capture */
};

/*
 * Forks; the child waits. All in opt is borrowed until command_close. To be called
 * while the process has one thread and no descriptor that is not closed on exec.
 * False and errno on failure.
 */
bool command_start(const struct command_options *opt, struct command **out);
/* Lets it go. 0 or an errno. */
int command_release(struct command *c);
uint32_t command_pid(const struct command *c);
/* It was let go and has not ended. */
bool command_runs(const struct command *c);
/* Passes a signal on to it. */
void command_kill(const struct command *c, int signo);
/* Takes its end, if it has ended; true when it has, now or before. */
bool command_reap(struct command *c);
/* After its end: its exit code, as a shell counts. */
int command_exit_code(const struct command *c);
/*
 * After its end: why it could not be run, a clause with its name for a message;
 * NULL when it ran.
 */
const char *command_failure(struct command *c);
/* One that was never let go ends without having run. NULL is fine. */
void command_close(struct command *c);

#endif
