/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_replay.c - print the events of captures. */
#include "show.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "print.h"
#include "scan.h"

/* Columns of the terminal that output goes to; 0 when it goes elsewhere. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

static void flush(void *ctx)
{
	out_flush(ctx);
}

static int show_count(struct input *in, const struct options *opt, struct out *o)
{
	uint64_t n;
	int r = input_count(in, opt->fail_on_loss ? UINT64_MAX : opt->limit, &n);

	if (r)
		return r;
	n = n < opt->limit ? n : opt->limit;
	if (opt->json) {
		json_uint(o, "{", "count", n);
		out_char(o, '}');
	} else {
		out_uint(o, n);
	}
	out_char(o, '\n');
	return ET_OK;
}

static void render_json(const struct input_row *row, struct out *o)
{
	json_row(o, row);
}

static int show_rows(struct input *in, const struct options *opt, struct out *o)
{
	struct text_printer text;
	struct input_row row;
	uint64_t left = opt->limit;
	int r = ET_OK;

	text_open(&text, opt->utc, opt->date, !opt->no_header,
		  opt->wide ? 0 : terminal_width());
	text.columns = opt->columns;
	while (left && !o->error) {
		r = input_next(in, &row);
		if (r)
			break;
		if (row.text)
			out_bytes(o, row.text, row.text_len);
		else if (opt->json)
			json_row(o, &row);
		else
			text_row(&text, o, &row);
		left--;
	}
	if (!opt->json)
		text_end(&text, o);
	text_close(&text);
	/* Whether anything is missing is asked of all, not of what is shown. */
	if (!r && !left && opt->fail_on_loss && !opt->endless)
		r = input_rest(in);
	return r == ET_EOF ? ET_OK : r;
}

int show_sources(struct source **sources, size_t n, struct options *opt)
{
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.jobs = opt->jobs,
		.progress = opt->progress && (opt->count || (!isatty(STDOUT_FILENO) &&
							     opt->limit == UINT64_MAX)),
		.render = opt->json && !opt->count ? render_json : NULL,
		.idle = flush,
	};
	int code = EXIT_DONE, r;
	struct input *in;
	struct out o;

	/* A count is of events, and those lost are none. */
	if (opt->count)
		opt->filter.unasked |= ET_KIND_BIT(ET_LOST);
	io.ctx = &o;
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return EXIT_FAILED;
	}
	out_open(&o, STDOUT_FILENO);
	r = opt->count ? show_count(in, opt, &o) : show_rows(in, opt, &o);
	if (r) {
		say("out of memory");
		code = EXIT_FAILED;
	}
	code = command_end(&o, code);
	report_series(input_ledger(in), sources, n);
	for (size_t i = 0; i < n; i++)
		code = report_worse(code, report_source(sources[i], opt));
	report_names(opt, sources, n);
	input_close(in);
	return code;
}

static int replay(struct source **sources, size_t n, struct options *opt)
{
	/* A table for people begins with what happened, not with hundreds of lines before. */
	if (!opt->json && !opt->count)
		opt->filter.unasked |= ET_KIND_BIT(ET_PROC);
	opt->endless = opt->follow;
	return show_sources(sources, n, opt);
}

static int replay_run(int argc, char **argv)
{
	return command_run(&cmd_replay, argc, argv, replay);
}

const struct command cmd_replay = {
	.name = "replay",
	.args = "[options] [FILE...]",
	.summary = "print the events of captures, in the order of time",
	.options = OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_EVENTS | OPTIONS_FOLLOW |
		   OPTIONS_ENDING | OPTIONS_JOBS,
	.notes = ": several files are\n"
		 "merged by wall clock, FILE of - is standard input, and without FILE it is\n"
		 "trace.etz. Processes that ran already when recording began are shown with\n"
		 "--kind proc; with --json, all events are, each a line of JSON. What the capture\n"
		 "lacks is told on standard error",
	.run = replay_run,
};
