/* SPDX-License-Identifier: BSD-2-Clause */
/* spawn.h - what a shell does for a command, at its quickest. */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/wait.h>
#include <unistd.h>

/* Executes a program with one argument, NULL for none, and waits for it; ends this one where it cannot. */
static inline void spawn(char *program, char *argument)
{
	char *argv[] = { program, argument, NULL };
	char *env[] = { NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execve(program, argv, env);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(1);
}

#endif
