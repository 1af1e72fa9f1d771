/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_export.c - captures for programs that draw: traces and flame graphs. */
#include "command.h"

#include "emit.h"
#include "folded.h"
#include "perfetto.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Both return ET_OK or ET_NOMEM. */
static int export_perfetto(struct input *in, struct out *o)
{
	struct perfetto *t = perfetto_new(o);
	struct input_row row;
	int r = t ? ET_OK : ET_NOMEM;

	while (!r && !o->error) {
		r = input_next(in, &row);
		if (!r)
			r = perfetto_row(t, &row);
	}
	if (r == ET_EOF)
		perfetto_end(t);
	perfetto_free(t);
	return r == ET_EOF ? ET_OK : r;
}

static int export_folded(struct input *in, struct out *o, const struct options *opt)
{
	struct folded *f = folded_new(opt->weight);
	struct input_row row;
	int r = f ? ET_OK : ET_NOMEM;

	while (!r) {
		r = input_next(in, &row);
		if (!r)
			r = folded_row(f, &row);
	}
	if (r == ET_EOF) {
		folded_end(f, o);
		if (opt->weight == FOLDED_CPU && folded_running(f) && !opt->quiet)
			say("%llu process%s ran to the end of the capture: the CPU time is not "
			    "known",
			    (unsigned long long)folded_running(f),
			    folded_running(f) == 1 ? "" : "es");
		if (folded_crowded(f))
			say("%llu program%s counted as what executed them: more than %u stacks, "
			    "or %u programs in one",
			    (unsigned long long)folded_crowded(f), plural(folded_crowded(f)),
			    FOLDED_STACKS, FOLDED_DEPTH);
	}
	folded_free(f);
	return r == ET_EOF ? ET_OK : r;
}

static int export(struct source **sources, size_t n, struct options *opt, struct out *o,
		  void *ctx)
{
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.jobs = opt->jobs,
		.progress = opt->progress,
		.all = true, /* who descends from whom, also what does not match tells */
	};
	struct input *in;
	int r, code = EXIT_DONE;

	(void)ctx;
	if (opt->export == EXPORT_FOLDED)
		io.fields = FOLDED_FIELDS;
	/* What ran already is no execution, and all of a machine would be much. */
	opt->filter.unasked |= ET_KIND_BIT(ET_PROC);
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return MADE_NOTHING + EXIT_FAILED;
	}
	r = opt->export == EXPORT_PERFETTO ? export_perfetto(in, o)
					   : export_folded(in, o, opt);
	if (r) {
		say("out of memory");
		code = MADE_NOTHING + EXIT_FAILED;
	}
	return report_input(in, sources, n, opt, code);
}

static int export_run(int argc, char **argv)
{
	struct options opt;
	int code = command_begin(&cmd_export, argc, argv, &opt);

	if (code < 0 && !opt.export) {
		say("for what? --format perfetto or --format folded says (see --help)");
		code = EXIT_USAGE;
	} else if (code < 0) {
		code = emit_run(&cmd_export, &opt, export, NULL);
	}
	options_free(&opt);
	return code;
}

const struct command cmd_export = {
	.name = "export",
	.args = "--format NAME [options] [FILE...]",
	.summary = "write what other programs draw: traces, flame graphs",
	.options = OPTIONS_FILTER | OPTIONS_EXPORT | OPTIONS_TEXT | OPTIONS_JOBS |
		   OPTIONS_ENDING,
	.notes = ".\n"
		 "perfetto is the JSON that ui.perfetto.dev and chrome://tracing open: a track for\n"
		 "each process, a slice for each execution. folded is what flamegraph.pl, inferno\n"
		 "and speedscope read, a line for each stack of programs, as in make;sh;gcc;cc1 1234.\n"
		 "Several files are merged by wall clock, FILE of - is standard input, and without\n"
		 "FILE it is trace.etz",
	.run = export_run,
};
