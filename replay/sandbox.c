/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "landlock.h"
#include "seccomp.h"

#define SWITCH "EXECTRACE_SANDBOX"

/* Whether to enter it, and whether both layers have to be there. */
static int wanted(bool *enter, bool *all, struct reason *why)
{
	const char *value = getenv(SWITCH);

	*enter = !value || strcmp(value, "off") != 0;
	*all = value && !strcmp(value, "require");
	if (!*enter || *all || !value || !*value)
		return 0;
	return reason_set(why, EXIT_USAGE, SWITCH " is '%s': it has to be off or require", value);
}

#ifdef EXECTRACE_NO_SANDBOX

/* At the end of a program LeakSanitizer starts a process and opens files. */
static int enter_both(pid_t child, int folder, const char **layer)
{
	(void)child;
	(void)folder;
	*layer = "a build with sanitizers";
	return ENOTSUP;
}

#else

/* Both in any case. Returns 0, or the errno value of a layer that is not to be had. */
static int enter_both(pid_t child, int folder, const char **layer)
{
	int landlock, seccomp;

	*layer = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;
	/* In this order: the filter forbids Landlock's calls. */
	landlock = landlock_enter(child > 0, folder);
	seccomp = seccomp_enter(child, folder >= 0);
	*layer = landlock ? "Landlock" : "seccomp";
	return landlock ? landlock : seccomp;
}

#endif

int sandbox_check(struct reason *why)
{
	bool enter, all;

	return wanted(&enter, &all, why);
}

int sandbox_enter(pid_t child, int folder, struct reason *why)
{
	const char *layer;
	bool enter, all;
	int error;

	if (wanted(&enter, &all, why))
		return -1;
	error = enter ? enter_both(child, folder, &layer) : 0;
	if (!error || !all)
		return 0;
	return reason_set(why, EXIT_FAILED,
			  "there is no sandbox, and " SWITCH " demands one: %s: %s", layer,
			  strerror(error));
}

int sandbox_run(int (*inside)(void *ctx), void *ctx, struct reason *why)
{
	pid_t parent = getpid(), child, ended;
	int status;

	/* Ignored, as who started this may have left it, it leaves nothing to wait for. */
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child < 0)
		return reason_set(why, EXIT_FAILED, "cannot start a process: %s", strerror(errno));
	if (!child) {
		/* What the caller does about an interrupt, it does alone. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILED);
		status = inside(ctx);
		fflush(NULL);
		_exit(status);
	}
	do
		ended = waitpid(child, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return reason_set(why, EXIT_FAILED, "cannot wait for a process: %s", strerror(errno));
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return reason_set(why, EXIT_FAILED, "reading died of signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
}
