/* SPDX-License-Identifier: BSD-2-Clause */
#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

/* What a shell has to read. */
#define SHELL_SIGNS "|&;<>()$`\\\"' \t\n*?[#~=%"

/* Returns only when it cannot be run. */
static void run(const char *command, int input)
{
	if (dup2(input, STDIN_FILENO) < 0 || setenv("LESS", "FRX", 0))
		return;
	command_end_output();
	if (strpbrk(command, SHELL_SIGNS))
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	else
		execlp(command, command, (char *)NULL);
}

/* Returns 0, or why the child could not run it: it tells through a pipe that exec closes. */
static int start(const char *command, int input, pid_t *pager)
{
	int told[2], error = 0;

	if (pipe2(told, O_CLOEXEC))
		return errno;
	*pager = fork();
	if (!*pager) {
		run(command, input);
		error = errno;
		while (write(told[1], &error, sizeof(error)) < 0 && errno == EINTR)
			;
		_exit(127);
	}
	error = *pager < 0 ? errno : 0;
	close(told[1]);
	if (!error && read(told[0], &error, sizeof(error)) > 0)
		waitpid(*pager, NULL, 0);
	close(told[0]);
	return error;
}

/* Who left the pager has seen enough, also where nothing more would be printed for long. */
static void on_left(int sig)
{
	(void)sig;
	_exit(EXIT_DONE);
}

static void redirect(int output)
{
	const struct sigaction left = { .sa_handler = on_left, .sa_flags = SA_NOCLDSTOP };

	dup2(output, STDOUT_FILENO);
	if (isatty(STDERR_FILENO))
		dup2(output, STDERR_FILENO);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigaction(SIGCHLD, &left, NULL);
}

int pager_start(pid_t *pager, struct reason *why)
{
	const char *own = getenv("EXECTRACE_PAGER"), *any = getenv("PAGER");
	const char *command = own ? own : any ? any : "less";
	int ends[2] = { -1, -1 }, error;
	pid_t started = 0;

	*pager = 0;
	if (!*command || !strcmp(command, "cat"))
		return 0;
	signal(SIGCHLD, SIG_DFL);
	error = pipe2(ends, O_CLOEXEC) ? errno : start(command, ends[0], &started);
	if (!error) {
		redirect(ends[1]);
		*pager = started;
	}
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	if (!error || (!own && !any && error == ENOENT))
		return 0;
	return reason_set(why, EXIT_FAILED, "cannot run the pager %s: %s", command,
			  strerror(error));
}

void pager_wait(pid_t pager)
{
	if (!pager)
		return;
	signal(SIGCHLD, SIG_DFL);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
}
