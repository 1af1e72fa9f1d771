/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_live.c - record into a pipe and print what comes out of it at once.
 *
 * The recorder ends when the terminal interrupts it; this program then sees the
 * end of the pipe, so that everything recorded is printed before it returns.
 */
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder.h"
#include "sandbox.h"

/* How long an event may stay in the recorder: short beside what people notice. */
#define FLUSH_INTERVAL "50ms"
#define COMM_MAX 15		/* bytes of a name in the kernel */

static volatile pid_t child;

/* A key pressed reaches the recorder by itself, a kill of this program does not. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code != SI_KERNEL && child > 0)
		kill(child, sig);
}

static void handle_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

/* A name that the recorder can compare with: not a pattern, nor more than one to it. */
static bool is_plain(const char *glob)
{
	return *glob && strlen(glob) <= COMM_MAX && !strpbrk(glob, "*?[\\,");
}

/*
 * What is not to be shown need not be recorded either, where the recorder can tell;
 * the filter is applied all the same. False: no memory.
 */
static bool push_down(struct options *opt)
{
	const struct filter_terms *users = &opt->filter.numbers[FILTER_UID];
	const struct filter_patterns *comms = &opt->filter.globs[FILTER_COMM];
	char **words = reallocarray(opt->record, opt->n_record + users->n_values +
						 users->n_names + comms->n + 1, sizeof(*words));
	bool plain = true;
	int n = 0;

	if (!words)
		return false;
	opt->record = words;
	for (size_t i = 0; i < users->n_values && n >= 0; i++)
		n = asprintf(&words[opt->n_record++], "--uid=%llu",
			     (unsigned long long)users->values[i]);
	for (size_t i = 0; i < users->n_names && n >= 0; i++)
		n = asprintf(&words[opt->n_record++], "--uid=%s", users->names[i]);
	for (size_t i = 0; i < comms->n; i++)
		plain &= is_plain(comms->globs[i]);
	for (size_t i = 0; i < comms->n && plain && n >= 0; i++)
		n = asprintf(&words[opt->n_record++], "--comm=%s", comms->globs[i]);
	if (n < 0)
		opt->n_record--;
	return n >= 0;
}

/* The recorder's words: ours, the user's options, the command. NULL: no memory. */
static char **recorder_words(struct options *opt)
{
	static char name[] = "exectrace-record", output[] = "--output=-", quiet[] = "--quiet",
		    flush[] = "--flush-interval=" FLUSH_INTERVAL, dashes[] = "--";
	size_t n = 0, n_command = 0;
	char **words;

	if (!push_down(opt))
		return NULL;
	while (opt->command && opt->command[n_command])
		n_command++;
	words = calloc(opt->n_record + n_command + 6, sizeof(*words));
	if (!words)
		return NULL;
	words[n++] = name;
	words[n++] = output;
	words[n++] = flush;
	words[n++] = quiet;
	for (size_t i = 0; i < opt->n_record; i++)
		words[n++] = opt->record[i];
	if (opt->command)
		words[n++] = dashes;
	for (size_t i = 0; i < n_command; i++)
		words[n++] = opt->command[i];
	return words;
}

/* Starts the recorder; returns the end of the pipe to read from, or -1. */
static int start(const struct recorder *r, char **words)
{
	int ends[2];
	sigset_t all, before;

	if (pipe2(ends, O_CLOEXEC)) {
		say("cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	/* No signal may come between the fork and knowing whom to pass it on to. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (child == 0) {
		command_end_output();
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			execv(r->path, words);
		say("cannot run %s: %s", r->path, strerror(errno));
		_exit(EXIT_FAILED);
	}
	close(ends[1]);
	if (child < 0) {
		say("cannot start the recorder: %s", strerror(errno));
		close(ends[0]);
		ends[0] = -1;
	} else {
		handle_signals();
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ends[0];
}

/*
 * Nothing more is to be shown. The recorder ends, but a command under it goes on
 * to its own end: it was not started in order to be killed by a --limit.
 */
static void discard(int fd, bool command)
{
	char buf[4096];
	ssize_t n;

	if (!command)
		kill(child, SIGTERM);
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 || (n < 0 && errno == EINTR));
}

static int wait_recorder(void)
{
	pid_t pid = child;
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	child = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	say("the recorder was killed by signal %d", WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int run_recorder(struct options *opt)
{
	int fd, rest = -1, code, recorded;
	bool failed, exposed;
	struct recorder recorder;
	struct source *source;
	struct reason why;
	char **words;

	if (sandbox_check(&why) || recorder_find(&recorder, &why)) {
		say("%s", why.text);
		return why.code;
	}
	show_prepare(opt);
	words = recorder_words(opt);
	if (!words) {
		say("out of memory");
		return EXIT_FAILED;
	}
	fd = start(&recorder, words);
	free(words);
	if (fd < 0)
		return EXIT_FAILED;
	rest = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	failed = source_open_fd(fd, "the recorder", &source, &why);
	exposed = !failed && sandbox_enter(child, -1, &why);
	if (failed || exposed || source_begin(source, &why)) {
		source_close(source);
		if (exposed)
			discard(rest, opt->command != NULL);
		close(rest);
		recorded = wait_recorder();
		/* A recorder that ended at once has said why. */
		if (!exposed && recorded)
			return recorded;
		say("%s", why.text);
		return why.code;
	}
	/* What happens is asked for, not what was there before. */
	opt->filter.unasked |= ET_KIND_BIT(ET_PROC);
	opt->endless = true;
	code = show_sources(&source, 1, opt);
	if (rest >= 0) {
		discard(rest, opt->command != NULL);
		close(rest);
	}
	recorded = wait_recorder();
	return recorded ? recorded : code;
}

static int live_run(int argc, char **argv)
{
	struct options opt;
	int code = command_begin(&cmd_live, argc, argv, &opt);

	if (code >= 0)
		goto out;
	if (opt.n_files) {
		say("'%s': live reads no file; a command goes behind --", opt.files[0]);
		code = EXIT_USAGE;
	} else if (opt.command && !opt.command[0]) {
		say("there is no command behind --");
		code = EXIT_USAGE;
	} else {
		code = run_recorder(&opt);
	}
out:
	options_free(&opt);
	return code;
}

const struct command cmd_live = {
	.name = "live",
	.args = "[options] [-- COMMAND [ARG...]]",
	.summary =
		"print what this machine, or COMMAND, executes as it happens; needs privilege",
	.options = OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_EVENTS | OPTIONS_RECORD |
		   OPTIONS_ENDING,
	.notes = ".\n"
		 "Processes that run already are shown with --kind proc alone. Ends when it "
		 "is\n"
		 "interrupted, with COMMAND, whose exit code it returns and whose output "
		 "goes to\n"
		 "standard error, or with all that --pid follows",
	.run = live_run,
};
