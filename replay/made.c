/* SPDX-License-Identifier: BSD-2-Clause */
#include "made.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox.h"

/* What is told of the captures as each was read. */
struct told {
	const struct options *opt;
	int code;
	bool progress; /* there is a line of it on the terminal */
};

static void on_progress(void *ctx, uint64_t done, uint64_t all)
{
	struct told *t = ctx;

	t->progress = true;
	fprintf(stderr, "\r%3u%%", all ? (unsigned)((double)done / (double)all * 100) : 0);
}

static void end_progress(struct told *t)
{
	if (t->progress)
		fputs("\r    \r", stderr);
	t->progress = false;
}

static void on_read(void *ctx, const struct source *s)
{
	struct told *t = ctx;
	struct options quiet = *t->opt;

	/* What is complete is told of all together. */
	quiet.quiet = true;
	end_progress(t);
	t->code = report_worse(t->code, report_source(s, &quiet));
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void tell(const struct rewrite_result *res, const struct dest *dest,
		 const struct rewrite_options *opt)
{
	unsigned long long kept = res->kept, events = res->events;
	char what[160], besides[64] = "";

	if (res->ancestors)
		snprintf(besides, sizeof(besides), " and %llu row%s of their ancestors",
			 (unsigned long long)res->ancestors, plural(res->ancestors));
	if (opt->filter)
		snprintf(what, sizeof(what), "%llu of %llu event%s%s", kept, events,
			 plural(events), besides);
	else
		snprintf(what, sizeof(what), "%llu event%s", kept, plural(kept));
	say("%s: %s in %u segment%s; %llu bytes, from %llu", dest_name(dest), what,
	    res->segments, plural(res->segments), (unsigned long long)res->bytes_out,
	    (unsigned long long)res->bytes_in);
}

static int usage(const char *why)
{
	say("%s (see --help)", why);
	return EXIT_USAGE;
}

/* The captures named, else the default. Negative, or the exit code. */
static int name_captures(const struct command *c, const struct options *opt,
			 struct rewrite_options *rewrite)
{
	static char fallback[] = COMMAND_FILE;
	static char *const one[] = { fallback };

	rewrite->names = opt->n_files ? opt->files : one;
	rewrite->n = opt->n_files ? opt->n_files : 1;
	if (!opt->output)
		return usage("which file to write? -o FILE says");
	if (c == &cmd_merge && !opt->n_files)
		return usage("which captures to merge?");
	if (c == &cmd_compact && opt->n_files > 1)
		return usage("one capture at a time; exectrace merge makes one of several");
	if (!opt->n_files && access(COMMAND_FILE, F_OK))
		return usage("which capture? There is no " COMMAND_FILE " here");
	return -1;
}

static int on_opened(void *ctx, struct reason *why)
{
	(void)ctx;
	return sandbox_enter(0, -1, why);
}

struct making {
	const struct rewrite_options *rewrite;
	const struct options *opt;
	struct dest *dest;
	struct told *told;
};

/* All but giving the file its name. Returns the exit code. */
static int make_inside(void *ctx)
{
	struct making *m = ctx;
	struct rewrite_result res = { 0 };
	struct reason why;
	int r;

	dest_lend();
	r = rewrite(m->rewrite, m->dest, &res, &why);
	end_progress(m->told);
	for (unsigned i = 0; i < res.n_dropped && !r; i++)
		say("left out, as only a later version knows it: %s", res.dropped[i]);
	for (unsigned i = 0; i < res.n_gone && !r; i++)
		say("incomplete: not there: %s", res.gone[i]);
	if (res.n_gone && m->opt->fail_on_loss)
		m->told->code = report_worse(m->told->code, EXIT_DAMAGED);
	if (r)
		say("%s", why.text);
	else if (!m->opt->quiet)
		tell(&res, m->dest, m->rewrite);
	rewrite_free(&res);
	return r ? MADE_NOTHING + (int)why.code : m->told->code;
}

int made_keep(struct dest *dest, int (*inside)(void *ctx), void *ctx)
{
	struct reason why = { .code = EXIT_FAILED };
	int code = sandbox_run(inside, ctx, &why), r = code < 0;

	if (!r && code < MADE_NOTHING)
		r = dest_keep(dest, &why);
	if (r)
		say("%s", why.text);
	dest_close(dest);
	return r ? (int)why.code : code % MADE_NOTHING;
}

static int make(const struct rewrite_options *rewrite_opt, const struct options *opt,
		struct told *told)
{
	struct making m = { .rewrite = rewrite_opt, .opt = opt, .told = told };
	struct reason why;

	if (!dest_open(opt->output, opt->force, &m.dest, &why))
		return made_keep(m.dest, make_inside, &m);
	say("%s", why.text);
	return why.code;
}

int made_run(const struct command *c, int argc, char **argv, made_fn *fill)
{
	struct options opt;
	struct told told = { .opt = &opt };
	struct rewrite_options rewrite_opt = {
		.level = 3,
		.chunk_rows = 16384,
		.program = "exectrace " EXECTRACE_VERSION,
		.opened = on_opened,
		.read = on_read,
		.ctx = &told,
	};
	int code = command_begin(c, argc, argv, &opt);

	if (code < 0)
		code = name_captures(c, &opt, &rewrite_opt);
	if (code < 0) {
		rewrite_opt.utc = opt.utc;
		rewrite_opt.drop_unknown = opt.drop_unknown;
		if (!opt.quiet && isatty(STDERR_FILENO))
			rewrite_opt.progress = on_progress;
		fill(&opt, &rewrite_opt);
		code = make(&rewrite_opt, &opt, &told);
	}
	options_free(&opt);
	return code;
}
