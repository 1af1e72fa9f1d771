/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"

#define EXIT_NOT_RUN 126
#define EXIT_NOT_FOUND 127

enum stage {
	STAGE_USER = 1,
	STAGE_STDOUT,
	STAGE_EXEC,
};

/* What the child writes into the report pipe when it could not run the command. */
struct report {
	int stage;
	int error;
};

struct command {
	struct command_options opt;
	pid_t pid;
	int hold;		/* a byte lets the child go, the end of the pipe ends it */
	int reports;
	bool released;
	bool ended;
	int status;
	bool report_read;
	struct report report;
	char failure[512];
};

bool command_user_find(const char *name, struct command_user *out)
{
	struct passwd entry, *pw = NULL;
	char buf[16384], *end;
	unsigned long uid;
	int ret;

	*out = (struct command_user){ .name = NULL };
	ret = getpwnam_r(name, &entry, buf, sizeof(buf), &pw);
	if (!ret && !pw && *name >= '0' && *name <= '9') {
		uid = strtoul(name, &end, 10);
		if (!*end && uid < UINT_MAX)
			ret = getpwuid_r((uid_t)uid, &entry, buf, sizeof(buf), &pw);
	}
	errno = ret;
	if (!pw)
		return false;
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	out->name = strdup(pw->pw_name);
	out->home = strdup(pw->pw_dir);
	out->shell = strdup(*pw->pw_shell ? pw->pw_shell : "/bin/sh");
	errno = ENOMEM;
	return out->name && out->home && out->shell;
}

void command_user_free(struct command_user *u)
{
	free(u->name);
	free(u->home);
	free(u->shell);
	*u = (struct command_user){ .name = NULL };
}

/*
 * The file that PATH leads to, as a shell finds it: so that the recording holds the
 * one exec that the user asked for, not a failed one for each folder before it.
 * NULL: none; execvp then fails, and the failures are recorded.
 */
static const char *resolve(const char *name, char buf[PATH_MAX])
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') || !path)
		return NULL;
	while (*path) {
		size_t len = strcspn(path, ":");
		struct stat st;
		int n;

		n = snprintf(buf, PATH_MAX, "%.*s%s%s", (int)len, path, len ? "/" : "./", name);
		if (n > 0 && n < PATH_MAX && stat(buf, &st) == 0 && S_ISREG(st.st_mode) &&
		    faccessat(AT_FDCWD, buf, X_OK, AT_EACCESS) == 0)
			return buf;
		path += len + (path[len] == ':');
	}
	return NULL;
}

static bool become(const struct command_user *u)
{
	return initgroups(u->name, u->gid) == 0 && setgid(u->gid) == 0 && setuid(u->uid) == 0 &&
	       setenv("HOME", u->home, 1) == 0 && setenv("SHELL", u->shell, 1) == 0 &&
	       setenv("USER", u->name, 1) == 0 && setenv("LOGNAME", u->name, 1) == 0;
}

static void restore_signals(const struct command_signals *s)
{
	sigaction(SIGPIPE, &s->pipe, NULL);
	sigaction(SIGXFSZ, &s->file_size, NULL);
	sigaction(SIGCHLD, &s->child, NULL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

/* In the child; all its other descriptors close on exec. */
static void run(const struct command_options *opt, int hold, int reports)
{
	struct report r = { STAGE_USER, 0 };
	char path[PATH_MAX], go;
	const char *file;
	int code = EXIT_FAILED;

	restore_signals(opt->signals);
	/* The end of the pipe: the recorder gave up. */
	if (read(hold, &go, 1) != 1)
		_exit(EXIT_DONE);
	if (opt->user && !become(opt->user))
		goto fail;
	r.stage = STAGE_STDOUT;
	if (opt->stdout_to_stderr && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		goto fail;
	r.stage = STAGE_EXEC;
	file = resolve(opt->argv[0], path);
	execvp(file ? file : opt->argv[0], opt->argv);
	code = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
fail:
	r.error = errno;
	if (write(reports, &r, sizeof(r)) != sizeof(r))
		code = EXIT_FAILED;
	_exit(code);
}

bool command_start(const struct command_options *opt, struct command **out)
{
	struct command *c = calloc(1, sizeof(*c));
	int hold[2] = { -1, -1 }, reports[2] = { -1, -1 };
	int saved;

	*out = NULL;
	if (!c)
		return false;
	c->opt = *opt;
	if (pipe2(hold, O_CLOEXEC) != 0 || pipe2(reports, O_CLOEXEC) != 0)
		goto fail;
	c->pid = fork();
	if (c->pid < 0)
		goto fail;
	if (c->pid == 0) {
		close(hold[1]);
		close(reports[0]);
		run(opt, hold[0], reports[1]);
	}
	close(hold[0]);
	close(reports[1]);
	c->hold = hold[1];
	c->reports = reports[0];
	*out = c;
	return true;
fail:
	saved = errno;
	for (unsigned i = 0; i < 2; i++) {
		if (hold[i] >= 0)
			close(hold[i]);
		if (reports[i] >= 0)
			close(reports[i]);
	}
	free(c);
	errno = saved;
	return false;
}

int command_release(struct command *c)
{
	ssize_t n = write(c->hold, "", 1);
	int ret = n == 1 ? 0 : errno;

	close(c->hold);
	c->hold = -1;
	c->released = !ret;
	return ret;
}

uint32_t command_pid(const struct command *c)
{
	return (uint32_t)c->pid;
}

bool command_runs(const struct command *c)
{
	return c->released && !c->ended;
}

void command_kill(const struct command *c, int signo)
{
	/* It cannot be another's pid: it was not reaped. ESRCH cannot happen either. */
	if (!c->ended)
		kill(c->pid, signo);
}

bool command_reap(struct command *c)
{
	pid_t pid;

	if (c->ended)
		return true;
	do
		pid = waitpid(c->pid, &c->status, WNOHANG);
	while (pid < 0 && errno == EINTR);
	c->ended = pid == c->pid;
	return c->ended;
}

int command_exit_code(const struct command *c)
{
	return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

const char *command_failure(struct command *c)
{
	const char *name = c->opt.argv[0];

	if (!c->report_read && c->ended) {
		c->report_read = true;
		/* All its writers are gone: the exec closed it, or the child has ended. */
		if (read(c->reports, &c->report, sizeof(c->report)) != sizeof(c->report))
			c->report.stage = 0;
	}
	switch (c->report.stage) {
	case STAGE_USER:
		snprintf(c->failure, sizeof(c->failure), "cannot become user '%s': %s",
			 c->opt.user->name, strerror(c->report.error));
		return c->failure;
	case STAGE_STDOUT:
		snprintf(c->failure, sizeof(c->failure), "cannot redirect '%s': %s", name,
			 strerror(c->report.error));
		return c->failure;
	case STAGE_EXEC:
		snprintf(c->failure, sizeof(c->failure), "cannot run '%s': %s", name,
			 strerror(c->report.error));
		return c->failure;
	default:
		return NULL;
	}
}

void command_close(struct command *c)
{
	if (!c)
		return;
	if (c->hold >= 0)
		close(c->hold);
	/* Held, it ends by itself as soon as the pipe does. */
	if (!c->released && !c->ended)
		while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
			;
	close(c->reports);
	free(c);
}
