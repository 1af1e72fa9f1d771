/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_timeline.c - draw which processes ran when. */
#include "command.h"

#include <unistd.h>

#include "terminal.h"
#include "timeline.h"

/* Where the terminal does not say. */
#define LINES 40
#define COLUMNS 100

/* Lines that are no bars: two above, one that tells of the capture, the prompt. */
#define OTHER_LINES 4

static int draw(struct input *in, struct out *o, const struct options *opt,
		const struct filter *window)
{
	struct timeline_style style = { .header = !opt->no_header };
	struct timeline_options what = { .filter = window,
					 .utc = opt->utc,
					 .by_command = opt->by_command };
	size_t columns, lines;
	struct timeline *t;
	struct input_row row;
	int r;

	if (!terminal_size(&columns, &lines) || !columns)
		columns = COLUMNS;
	if (lines < 2 * OTHER_LINES)
		lines = LINES + OTHER_LINES;
	style.width = opt->width ? opt->width : columns;
	style.ascii = !terminal_utf8();
	what.top = opt->top ? opt->top : lines - OTHER_LINES;
	t = timeline_new(&what);
	r = t ? ET_OK : ET_NOMEM;
	while (!r) {
		r = input_next(in, &row);
		if (!r)
			r = timeline_row(t, &row);
	}
	if (r == ET_EOF)
		r = timeline_end(t, opt->longest);
	if (!r)
		timeline_print(t, &style, o);
	timeline_free(t);
	return r;
}

static int timeline(struct source **sources, size_t n, struct options *opt)
{
	/* The window is of what is drawn: a process may begin before it and end behind. */
	struct filter window = { .has_since = opt->filter.has_since,
				 .has_until = opt->filter.has_until,
				 .since = opt->filter.since,
				 .until = opt->filter.until };
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.jobs = opt->jobs,
		.progress = opt->progress,
		.all = true,
		.fields = TIMELINE_FIELDS,
	};
	int code = EXIT_DONE;
	struct input *in;
	struct out o;

	opt->filter.has_since = opt->filter.has_until = false;
	opt->filter.unasked |= ET_KIND_BIT(ET_PROC);
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return EXIT_FAILED;
	}
	out_open(&o, STDOUT_FILENO);
	if (draw(in, &o, opt, &window)) {
		say("out of memory");
		code = EXIT_FAILED;
	}
	code = command_end(&o, code);
	return report_input(in, sources, n, opt, code);
}

static int timeline_run(int argc, char **argv)
{
	return command_run(&cmd_timeline, argc, argv, timeline);
}

const struct command cmd_timeline = {
	.name = "timeline",
	.args = "[options] [FILE...]",
	.summary = "draw which processes ran when",
	.options = OPTIONS_FILTER | OPTIONS_TIMELINE | OPTIONS_JOBS | OPTIONS_ENDING,
	.notes = ", a line each: those that\n"
		 "ran longest, in the order in which they began. With --by-command a line for each\n"
		 "command, with how many of it ran at once. --since and --until say what is drawn.\n"
		 "Without a locale of UTF-8 it is drawn in ASCII. Several files are merged by wall\n"
		 "clock, FILE of - is standard input, and without FILE it is trace.etz",
	.run = timeline_run,
};
