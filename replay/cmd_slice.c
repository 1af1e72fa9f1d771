/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_slice.c - make a capture of a part of captures. */
#include "made.h"

static void fill(struct options *opt, struct rewrite_options *rewrite)
{
	/* A gap is never hidden: lost events need not be asked for. */
	opt->filter.keeps_lost = true;
	rewrite->filter = &opt->filter;
	rewrite->ancestors = !opt->no_ancestors;
	rewrite->join = opt->n_files > 1;
}

static int run(int argc, char **argv)
{
	return made_run(&cmd_slice, argc, argv, fill);
}

const struct command cmd_slice = {
	.name = "slice",
	.args = "-o FILE [options] [FILE...]",
	.summary = "make a capture of the events that match",
	.options = OPTIONS_FILTER | OPTIONS_MAKE | OPTIONS_SLICE | OPTIONS_REWRITE |
		   OPTIONS_ENDING,
	.notes = ": for a report\n"
		 "that tells no more than it has to. Nothing of the other events is in it, "
		 "but for\n"
		 "the rows that say who the ancestors of an event were, and what was lost "
		 "between\n"
		 "these times. Several files are merged; FILE of - is standard input, and "
		 "without\n"
		 "FILE it is trace.etz",
	.run = run,
};
