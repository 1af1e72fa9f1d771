/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "groups.h"
#include "progress.h"
#include "sandbox.h"

void command_help(const struct command *c, struct out *o)
{
	out_printf(o, "Usage: exectrace %s %s\n\n", c->name, c->args);
	out_char(o, (char)toupper((unsigned char)c->summary[0]));
	out_printf(o, "%s%s.\n", c->summary + 1, c->notes ? c->notes : "");
	options_help(o, c->options);
}

static struct sigaction pipe_before;
static bool pipe_ignored;

void command_begin_output(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (!pipe_ignored && !sigaction(SIGPIPE, &ignore, &pipe_before))
		pipe_ignored = true;
}

void command_end_output(void)
{
	if (pipe_ignored)
		sigaction(SIGPIPE, &pipe_before, NULL);
	pipe_ignored = false;
}

int command_version(void)
{
	struct out o;

	command_begin_output();
	out_open(&o, STDOUT_FILENO);
	out_text(&o, "exectrace " EXECTRACE_VERSION "\n");
	return command_end(&o, EXIT_DONE);
}

static void help_by(struct out *o)
{
	keys_help(o);
	figures_help(o);
}

int command_begin(const struct command *c, int argc, char **argv, struct options *opt)
{
	struct reason why;
	struct out o;

	command_begin_output();
	if (options_parse(opt, c->options, argc, argv, &why)) {
		say("%s", why.text);
		if (why.caret[0]) {
			say("  %s", why.line);
			say("  %s", why.caret);
		}
		return why.code;
	}
	if (opt->version)
		return command_version();
	if ((c->options & OPTIONS_JOBS) && !opt->jobs)
		opt->jobs = crew_default();
	opt->progress = (c->options & OPTIONS_JOBS) && progress_possible();
	if (options_conflict(opt)) {
		say("%s", options_conflict(opt));
		return EXIT_USAGE;
	}
	if (!opt->help && !opt->help_columns && !opt->help_by)
		return -1;
	out_open(&o, STDOUT_FILENO);
	if (opt->help)
		command_help(c, &o);
	else if (opt->help_columns)
		columns_help(&o);
	else
		help_by(&o);
	return command_end(&o, EXIT_DONE);
}

static void close_all(struct source **sources, size_t n)
{
	for (size_t i = 0; i < n; i++)
		source_close(sources[i]);
	free(sources);
}

static void tell(const char *text)
{
	say("%s", text);
}

/* *sources and what is in it is the caller's. Returns EXIT_DONE, or tells why not. */
static int open_all(const struct options *opt, struct source ***sources, size_t *n)
{
	static char fallback[] = COMMAND_FILE;
	char *one[] = { fallback };
	char **names = opt->n_files ? opt->files : one;
	size_t count = opt->n_files ? opt->n_files : 1;
	struct reason why;

	*n = 0;
	*sources = NULL;
	if (!opt->n_files && access(COMMAND_FILE, F_OK)) {
		say("which capture? There is no " COMMAND_FILE " here (see --help)");
		return EXIT_USAGE;
	}
	if (opt->follow && (opt->count || count > 1)) {
		say(opt->count ? "--follow has no end at which --count could tell how many" :
				 "--follow is for one file: run it for each");
		return EXIT_USAGE;
	}
	*sources = calloc(count, sizeof(**sources));
	if (!*sources) {
		say("out of memory");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		if (opt->follow ? source_follow(names[i], tell, &(*sources)[i], &why) :
				  source_open(names[i], &(*sources)[i], &why)) {
			say("%s", why.text);
			close_all(*sources, *n);
			*sources = NULL;
			*n = 0;
			return why.code;
		}
		++*n;
	}
	return EXIT_DONE;
}

/* Parses the beginnings of all, with no way out of here but their descriptors. */
static int begin_all(const struct command *c, const struct options *opt,
		     struct source **sources, size_t n)
{
	struct reason why;
	int folder = n == 1 && sources[0]->follow ? follow_folder(sources[0]->follow) : -1;
	int r = sandbox_enter(opt->pager, folder, &why);

	for (size_t i = 0; !r && !c->unread && i < n; i++)
		r = source_begin(sources[i], &why);
	if (!r)
		return EXIT_DONE;
	say("%s", why.text);
	close_all(sources, n);
	return why.code;
}

int command_run(const struct command *c, int argc, char **argv, command_fn *fn)
{
	struct source **sources;
	struct options opt;
	size_t n;
	int code = command_begin(c, argc, argv, &opt);

	if (code < 0) {
		code = open_all(&opt, &sources, &n);
		if (code == EXIT_DONE && c->prepare)
			c->prepare(&opt);
		if (code == EXIT_DONE)
			code = begin_all(c, &opt, sources, n);
		if (code == EXIT_DONE) {
			code = fn(sources, n, &opt);
			free(sources);
		}
	}
	options_free(&opt);
	return code;
}

int command_end(struct out *o, int code)
{
	int error = out_close(o);

	if (!error || error == EPIPE)
		return code;
	say("cannot write to standard output: %s", strerror(error));
	return EXIT_FAILED;
}
