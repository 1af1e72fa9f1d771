/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_tree.c - show the processes of captures under their parents. */
#include "command.h"

#include <unistd.h>

#include "processes.h"
#include "terminal.h"
#include "tree.h"

#define BIT(field) (1ull << (field))

#define TEXT_FIELDS                                                                        \
	(PROCESSES_FIELDS | BIT(ET_F_UID) | BIT(ET_F_COMM) | BIT(ET_F_ERRNO) |             \
	 BIT(ET_F_EXIT_CODE) | BIT(ET_F_SIGNAL) | BIT(ET_F_CORE) | BIT(ET_F_UTIME) |       \
	 BIT(ET_F_STIME))
#define JSON_FIELDS                                                                        \
	(TEXT_FIELDS | BIT(ET_F_GID) | BIT(ET_F_CGROUP) | BIT(ET_F_MAX_RSS) |              \
	 BIT(ET_F_MINOR_FAULTS) | BIT(ET_F_MAJOR_FAULTS) | BIT(ET_F_READ_BYTES) |          \
	 BIT(ET_F_WRITE_BYTES))

static void tell_bounds(const struct tree_bounds *b)
{
	if (b->forgotten)
		say("more than %u processes lived at once: %llu of which nothing was heard for longest "
		    "were taken for ended, and what they began later has no parent",
		    PROCESSES_MAX, (unsigned long long)b->forgotten);
	if (b->uncounted)
		say("%llu processes are only counted, in the line above them: there are too many to "
		    "show",
		    (unsigned long long)b->uncounted);
	if (b->bare)
		say("%llu command lines are left out: there are too many to keep",
		    (unsigned long long)b->bare);
}

static int print_text(struct input *in, struct out *o, const struct options *opt,
		      const struct tree_options *shape)
{
	const struct tree_style style = { .ascii = shape->ascii,
					  .utc = opt->utc,
					  .header = !opt->no_header,
					  .rooted = opt->rooted,
					  .width = shape->width };
	struct tree *tree = tree_new(shape);
	int r = tree ? ET_OK : ET_NOMEM;
	struct tree_node *root;
	struct input_row row;

	while (!r) {
		r = input_next(in, &row);
		if (!r)
			r = tree_take(tree, &row);
	}
	if (r == ET_EOF) {
		root = tree_end(tree);
		tree_print(o, tree, root, &style);
		out_flush(o);
		tell_bounds(&tree_totals(tree)->bounds);
	}
	tree_free(tree);
	return r;
}

static int print_json(struct input *in, struct out *o, const struct tree_options *shape)
{
	struct tree_json *tree = tree_json_new(o, shape);
	int r = tree ? ET_OK : ET_NOMEM;
	struct tree_bounds bounds;
	struct input_row row;

	while (!r && !o->error) {
		r = input_next(in, &row);
		if (!r)
			r = tree_json_take(tree, &row);
	}
	if (r == ET_EOF) {
		tree_json_end(tree, &bounds);
		out_flush(o);
		tell_bounds(&bounds);
	}
	tree_json_free(tree);
	return r;
}

static int show(struct source **sources, size_t n, struct options *opt)
{
	size_t columns = 0, lines = 0;
	bool terminal = terminal_size(&columns, &lines);
	const struct input_options io = { .filter = &opt->filter,
					  .utc = opt->utc,
					  /* How they ended is told also of behind --until. */
					  .whole = true,
					  .fields = opt->json ? JSON_FIELDS : TEXT_FIELDS,
					  .all = true,
					  .jobs = opt->jobs,
					  .progress = opt->progress &&
						      !(opt->json && terminal) };
	const struct tree_options shape = { .roots = opt->rooted ? &opt->filter.descendants : NULL,
					    .depth = opt->depth,
					    .fold = !opt->no_fold,
					    .ascii = !terminal_utf8(),
					    .width = opt->wide ? 0 : columns };
	int code = EXIT_DONE, r;
	struct input *in;
	struct out o;

	/* What only ran already is in the way of what happened. */
	opt->filter.unasked |= ET_KIND_BIT(ET_PROC);
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return EXIT_FAILED;
	}
	out_open(&o, STDOUT_FILENO);
	r = opt->json ? print_json(in, &o, &shape) : print_text(in, &o, opt, &shape);
	if (r && r != ET_EOF) {
		say("out of memory");
		code = EXIT_FAILED;
	}
	return report_input(in, sources, n, opt, command_end(&o, code));
}

static int tree_run(int argc, char **argv)
{
	return command_run(&cmd_tree, argc, argv, show);
}

const struct command cmd_tree = {
	.name = "tree",
	.args = "[options] [FILE...]",
	.summary = "show processes under their parents",
	.options = OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_TREE | OPTIONS_JOBS | OPTIONS_ENDING,
	.notes = ", in the order of\n"
		 "their beginning: how each ended, how long it lived, and what it executed.\n"
		 "Siblings that look the same are one line. Processes that events match are\n"
		 "shown with their ancestors, whose pids are in parentheses. Several files are\n"
		 "merged, FILE of - is standard input, and without FILE it is trace.etz",
	.run = tree_run,
};
