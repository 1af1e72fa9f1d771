/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_merge.c - make one capture of several. */
#include "made.h"

static void fill(struct options *opt, struct rewrite_options *rewrite)
{
	(void)opt;
	rewrite->join = true;
}

static int run(int argc, char **argv)
{
	return made_run(&cmd_merge, argc, argv, fill);
}

const struct command cmd_merge = {
	.name = "merge",
	.args = "-o FILE [options] FILE...",
	.summary = "make one capture of several, in the order of time",
	.options = OPTIONS_MAKE | OPTIONS_REWRITE | OPTIONS_ENDING,
	.notes =
		".\n"
		"Captures of the same boot of a machine become one; those of others follow "
		"each\n"
		"other in the order in which they began. Where two say different things of "
		"the\n"
		"host or of a name, the one named first is right. FILE of - is standard input",
	.run = run,
};
