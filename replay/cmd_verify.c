/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_verify.c - every fault of a capture, with its place. */
#include "command.h"

#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "print.h"

struct verdict {
	const struct source *source;
	const struct options *opt;
	struct out *o;
	uint64_t faults;
};

/* Each fault is a line of its own, as soon as it is found. */
static void tell_fault(void *ctx, const struct et_error *fault)
{
	struct verdict *v = ctx;

	v->faults++;
	if (v->opt->json) {
		json_text(v->o, "{", "file", v->source->name, strlen(v->source->name));
		json_uint(v->o, ",", "at", fault->at);
		json_text(v->o, ",", "fault", fault->what, strlen(fault->what));
		out_text(v->o, "}\n");
		return;
	}
	escape_name(v->o, v->source->name, strlen(v->source->name));
	out_printf(v->o, ": at byte %llu: %s\n", (unsigned long long)fault->at, fault->what);
}

static uint64_t events_of(const struct et_reader_stats *st)
{
	uint64_t n = 0;

	for (unsigned k = 0; k < ET_KIND_END; k++)
		n += k == ET_LOST ? 0 : st->rows[k];
	return n;
}

static void tell_json(const struct verdict *v, const struct et_reader_stats *st, bool complete)
{
	json_text(v->o, "{", "file", v->source->name, strlen(v->source->name));
	json_uint(v->o, ",", "faults", v->faults);
	json_uint(v->o, ",", "events", events_of(st));
	json_uint(v->o, ",", "missing", st->missing);
	json_uint(v->o, ",", "segments", st->segments);
	json_uint(v->o, ",", "bytes", st->bytes);
	out_printf(v->o, ",\"complete\":%s}\n", complete ? "true" : "false");
}

/* What was found, in a line on stderr; with JSON on stdout too. */
static int conclude(const struct verdict *v, const struct et_reader_stats *st)
{
	uint64_t events = events_of(st);
	struct out lacks;
	bool complete;

	out_open(&lacks, -1);
	report_lacks(&lacks, st, 0);
	complete = !v->faults && !lacks.len;
	if (v->opt->json)
		tell_json(v, st, complete);
	if (v->faults)
		say("%s: %llu fault%s; %llu event%s can be read%s%.*s", v->source->name,
		    (unsigned long long)v->faults, v->faults == 1 ? "" : "s",
		    (unsigned long long)events, events == 1 ? "" : "s", lacks.len ? "; " : "",
		    (int)lacks.len, lacks.len ? lacks.buf : "");
	else if (lacks.len)
		say("%s: no fault; %llu event%s; %.*s", v->source->name,
		    (unsigned long long)events, events == 1 ? "" : "s", (int)lacks.len, lacks.buf);
	else if (!v->opt->quiet)
		say("%s: no fault; complete, %llu event%s", v->source->name,
		    (unsigned long long)events, events == 1 ? "" : "s");
	out_close(&lacks);
	return v->faults || (v->opt->fail_on_loss && !complete) ? EXIT_DAMAGED : EXIT_DONE;
}

static int verify_source(struct source *s, const struct options *opt, struct out *o)
{
	struct verdict v = { .source = s, .opt = opt, .o = o };
	struct et_reader_stats stats;
	struct et_error err = { 0 };
	struct reason why;
	struct et_io io;
	int r;

	source_release(s, &io);
	r = et_verify(&io, tell_fault, &v, &stats, &err);
	if (!stats.segments || (r && r != ET_CORRUPT)) {
		source_refuse(s, &err, &why);
		say("%s", why.text);
		return why.code;
	}
	return conclude(&v, &stats);
}

static int verify(struct source **sources, size_t n, struct options *opt)
{
	int code = EXIT_DONE;
	struct out o;

	out_open(&o, STDOUT_FILENO);
	for (size_t i = 0; i < n; i++) {
		code = report_worse(code, verify_source(sources[i], opt, &o));
		source_close(sources[i]);
	}
	return command_end(&o, code);
}

static int verify_run(int argc, char **argv)
{
	return command_run(&cmd_verify, argc, argv, verify);
}

const struct command cmd_verify = {
	.name = "verify",
	.args = "[options] [FILE...]",
	.summary = "check every rule that a capture has to keep",
	.options = OPTIONS_JSON | OPTIONS_ENDING,
	.notes = ": checksums, every column of\n"
		 "every event, counts, statistics, places. Each fault is a line on standard\n"
		 "output, with its offset; exits with 3 when there was one. A recording that was\n"
		 "killed has no fault, and is told not to be ended. FILE of - is standard input;\n"
		 "without FILE it is trace.etz. What is whole of a faulty capture: exectrace recover",
	.unread = true,
	.run = verify_run,
};
