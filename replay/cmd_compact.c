/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_compact.c - make a capture smaller. */
#include "made.h"

/* What a chunk of more rows saves is little, and a reader decodes it as a whole. */
#define COMPACT_ROWS 65536
#define COMPACT_LEVEL 19

static void fill(struct options *opt, struct rewrite_options *rewrite)
{
	rewrite->level = opt->level ? (int)opt->level : COMPACT_LEVEL;
	rewrite->chunk_rows = opt->chunk_rows ? opt->chunk_rows : COMPACT_ROWS;
}

static int run(int argc, char **argv)
{
	return made_run(&cmd_compact, argc, argv, fill);
}

const struct command cmd_compact = {
	.name = "compact",
	.args = "-o FILE [options] [FILE]",
	.summary = "make a capture smaller, with everything in it",
	.options = OPTIONS_MAKE | OPTIONS_COMPACT | OPTIONS_REWRITE | OPTIONS_ENDING,
	.notes = ":\n"
		 "chunks become large and are compressed well, for keeping. FILE of - is "
		 "standard\n"
		 "input, and without FILE it is trace.etz",
	.run = run,
};
