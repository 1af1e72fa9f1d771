/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_replay.c - print the events of captures. */
#include "show.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pager.h"

static pid_t pager;

/* What is read at once, or as it happens, is not for a pager. */
static bool is_for_pager(const struct options *opt)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && !opt->no_pager &&
	       !opt->follow && !opt->count && opt->speed <= 0;
}

static void prepare(struct options *opt)
{
	struct reason why;

	show_prepare(opt);
	if (is_for_pager(opt) && pager_start(&pager, &why))
		say("%s", why.text);
	opt->pager = pager;
}

static int replay(struct source **sources, size_t n, struct options *opt)
{
	const uint32_t no_execs = ET_KIND_BIT(ET_PROC) | ET_KIND_BIT(ET_FORK) | ET_KIND_BIT(ET_EXIT);

	switch (options_format(opt)) {
	case FORMAT_SH:
		opt->filter.unasked |= no_execs;
		break;
	case FORMAT_TEXT:
	case FORMAT_TEMPLATE:
		/* Lines for people begin with what happened, not with hundreds before. */
		if (!opt->count)
			opt->filter.unasked |= ET_KIND_BIT(ET_PROC);
		break;
	default:
		break;
	}
	opt->endless = opt->follow;
	return show_sources(sources, n, opt);
}

static int replay_run(int argc, char **argv)
{
	int code = command_run(&cmd_replay, argc, argv, replay);

	pager_wait(pager);
	return code;
}

const struct command cmd_replay = {
	.name = "replay",
	.args = "[options] [FILE...]",
	.summary = "print the events of captures, in the order of time",
	.options = OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_EVENTS | OPTIONS_ORDER |
		   OPTIONS_FOLLOW | OPTIONS_ENDING | OPTIONS_JOBS,
	.notes = ": several files are\n"
		 "merged by wall clock, FILE of - is standard input, and without FILE it is\n"
		 "trace.etz. Processes that ran already when recording began are shown with\n"
		 "--kind proc; with --json and --csv, all events are, each on a line. What the\n"
		 "capture lacks is told on standard error",
	.prepare = prepare,
	.run = replay_run,
};
