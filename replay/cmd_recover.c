/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_recover.c - make a capture of what is whole of a damaged one. */
#include "made.h"

#include <string.h>

#include "dest.h"
#include "sandbox.h"
#include "times.h"

struct recovery {
	struct source *source;
	struct dest *dest;
	bool quiet;
	bool whole; /* to exit with 3 also for what may be gone */
};

static void tell_fault(void *ctx, const struct et_error *fault)
{
	const struct recovery *v = ctx;

	say("%s: at byte %llu: %s", v->source->name, (unsigned long long)fault->at, fault->what);
}

static void tell_gap(void *ctx, const struct et_gap *gap)
{
	const struct recovery *v = ctx;
	struct out text;

	out_open(&text, -1);
	if (gap->count)
		out_printf(&text, "%llu event%s missing", (unsigned long long)gap->count,
			   gap->count == 1 ? "" : "s");
	else
		out_text(&text, "events may be missing, nobody knows how many");
	out_text(&text, gap->until == INT64_MAX ? ", after " : ", between ");
	times_moment(&text, gap->from, 0);
	if (gap->until != INT64_MAX) {
		out_text(&text, " and ");
		times_moment(&text, gap->until, 0);
	}
	say("%s: at byte %llu: %.*s UTC", v->source->name, (unsigned long long)gap->at,
	    (int)text.len, text.buf);
	out_close(&text);
}

static void tell_result(const struct recovery *v, const struct et_recovery *r)
{
	if (v->quiet && !r->faults && !r->missing && !r->unknown)
		return;
	say("%s: %llu event%s kept, %llu missing; %llu bytes", dest_name(v->dest), (unsigned long long)r->events,
	    r->events == 1 ? "" : "s", (unsigned long long)r->missing,
	    (unsigned long long)r->bytes);
}

/* What nobody can recover. */
static bool lacks(const struct et_recovery *r)
{
	return r->unknown || r->lost || r->segments_missing || r->not_ended;
}

/* Returns the exit code, with MADE_NOTHING where there is nothing to keep. */
static int recover_inside(void *ctx)
{
	struct recovery *v = ctx;
	const struct et_recover_calls calls = { .fault = tell_fault, .gap = tell_gap, .ctx = v };
	struct et_recovery report;
	struct et_error err = { 0 };
	struct et_io in, out;
	struct reason why;
	int r;

	dest_lend();
	if (sandbox_enter(0, -1, &why)) {
		say("%s", why.text);
		return MADE_NOTHING + (int)why.code;
	}
	source_release(v->source, &in);
	dest_io(v->dest, &out);
	r = et_recover(&in, &out, &calls, &report, &err);
	if (r == ET_IO && report.failed_output) {
		say("cannot write %s: %s", dest_name(v->dest), strerror(err.sys));
		return MADE_NOTHING + EXIT_FAILED;
	}
	if (r) {
		source_refuse(v->source, &err, &why);
		say("%s", why.text);
		return MADE_NOTHING + (int)why.code;
	}
	tell_result(v, &report);
	return report.faults || report.missing || (v->whole && lacks(&report)) ? EXIT_DAMAGED :
										 EXIT_DONE;
}

static int recover(const struct options *opt)
{
	static char fallback[] = COMMAND_FILE;
	struct recovery v = { .quiet = opt->quiet, .whole = opt->fail_on_loss };
	struct reason why;
	int r = source_open(opt->n_files ? opt->files[0] : fallback, &v.source, &why);

	if (!r)
		r = dest_open(opt->output, opt->force, &v.dest, &why);
	if (r)
		say("%s", why.text);
	r = r ? (int)why.code : made_keep(v.dest, recover_inside, &v);
	source_close(v.source);
	return r;
}

static int recover_run(int argc, char **argv)
{
	struct options opt;
	int code = command_begin(&cmd_recover, argc, argv, &opt);

	if (code < 0 && !opt.output) {
		say("which file to write? -o FILE says (see --help)");
		code = EXIT_USAGE;
	} else if (code < 0 && opt.n_files > 1) {
		say("one capture at a time; exectrace merge makes one of several");
		code = EXIT_USAGE;
	} else if (code < 0) {
		code = recover(&opt);
	}
	options_free(&opt);
	return code;
}

const struct command cmd_recover = {
	.name = "recover",
	.args = "-o FILE [options] [FILE]",
	.summary = "make a capture of what is whole of a damaged one",
	.options = OPTIONS_MAKE | OPTIONS_ENDING,
	.notes = ": every record\n"
		 "that is whole, as it is; in the place of what is gone a row of kind lost that\n"
		 "says how many events and between which times; an end. Nothing is wrong with the\n"
		 "result. From a file, not from a pipe, also reads captures whose beginning is gone,\n"
		 "and those that were appended to one that is cut off. Exits with 3 when anything\n"
		 "was wrong or missing. FILE of - is standard input, and without FILE it is\n"
		 "trace.etz",
	.run = recover_run,
};
