/* SPDX-License-Identifier: BSD-2-Clause */
#include "emit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dest.h"

struct emission {
	const struct command *command;
	struct options *opt;
	struct source **sources;
	size_t n;
	struct dest *dest;
	emit_fn *fn;
	void *ctx;
};

static int to_stdout(const struct emission *e)
{
	int code = command_enter(e->command, e->opt, e->sources, e->n);
	struct out o;

	if (code != EXIT_DONE)
		return code;
	out_open(&o, STDOUT_FILENO);
	code = e->fn(e->sources, e->n, e->opt, &o, e->ctx) % MADE_NOTHING;
	free(e->sources);
	return command_end(&o, code);
}

/* In a process of its own. Returns the exit code, with MADE_NOTHING. */
static int to_file(void *ctx)
{
	const struct emission *e = ctx;
	struct out o;
	int code, error;

	dest_lend();
	code = command_enter(e->command, e->opt, e->sources, e->n);
	if (code != EXIT_DONE)
		return MADE_NOTHING + code;
	out_open(&o, dest_fd(e->dest));
	code = e->fn(e->sources, e->n, e->opt, &o, e->ctx);
	free(e->sources);
	error = out_close(&o);
	if (!error)
		return code;
	say("cannot write %s: %s", dest_name(e->dest), strerror(error));
	return MADE_NOTHING + EXIT_FAILED;
}

int emit_run(const struct command *c, struct options *opt, emit_fn *fn, void *ctx)
{
	struct emission e = { .command = c, .opt = opt, .fn = fn, .ctx = ctx };
	struct reason why;
	int code = command_open(opt, &e.sources, &e.n);

	if (code != EXIT_DONE)
		return code;
	if (!opt->output || !strcmp(opt->output, "-"))
		return to_stdout(&e);
	if (dest_open(opt->output, opt->force, &e.dest, &why)) {
		say("%s", why.text);
		code = why.code;
	} else {
		code = made_keep(e.dest, to_file, &e);
	}
	command_close(e.sources, e.n);
	return code;
}
