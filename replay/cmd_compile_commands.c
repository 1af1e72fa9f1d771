/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_compile_commands.c - a compilation database out of what a build executed. */
#include "command.h"

#include <string.h>

#include "compilations.h"
#include "emit.h"
#include "location.h"

/* Why a compiler's command is not in the database. */
enum left_out { CUT, UNREADABLE, NOWHERE, HIDDEN, BYTES, PROBE, LEFT_OUT };

static const struct {
	const char *one, *many; /* behind their number, and what to do */
} reasons[LEFT_OUT] = {
	[CUT] = { "command left out, whose arguments are cut (record with a larger --max-args)",
		  "commands left out, whose arguments are cut (record with a larger --max-args)" },
	[UNREADABLE] = { "command left out, whose arguments could not be read",
			 "commands left out, whose arguments could not be read" },
	[NOWHERE] = { "command left out, whose working directory is not known",
		      "commands left out, whose working directory is not known" },
	[HIDDEN] = { "command left out, whose files only a response file names (@FILE), which no "
		     "capture holds",
		     "commands left out, whose files only response files name (@FILE), which no "
		     "capture holds" },
	[BYTES] = { "command left out that is not UTF-8, which JSON cannot hold",
		    "commands left out that are not UTF-8, which JSON cannot hold" },
	[PROBE] = { "file left out by which a configure script tried the compiler (--probes "
		    "keeps it)",
		    "files left out by which configure scripts tried the compiler (--probes "
		    "keeps them)" },
};

struct work {
	struct compilations *compilations;
	struct driver driver;
	struct out file, output; /* scratch: absolute paths */
	uint64_t left_out[LEFT_OUT];
	uint64_t again;
};

static struct et_str text_of(const struct out *o)
{
	return (struct et_str){ o->buf, (uint32_t)o->len };
}

static bool has(struct et_str s, const char *part)
{
	return s.len && memmem(s.ptr, s.len, part, strlen(part));
}

/*
 * Whether it is what Autoconf, CMake or Meson write, compile and remove in order to learn
 * what the compiler can do.
 */
static bool is_probe(struct et_str directory, struct et_str file)
{
	static const char *const places[] = { "/conftest.", "/CMakeFiles/CMakeTmp/",
					      "/CMakeFiles/CMakeScratch/", "/meson-private/" };
	static const char *const inside[] = { "/CMakeFiles/CMakeTmp",
					      "/CMakeFiles/CMakeScratch" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (has(file, places[i]))
			return true;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (has(directory, inside[i]))
			return true;
	return has(file, "/CMakeFiles/") && has(file, "/CompilerId");
}

static bool is_set(const struct et_event *ev, enum et_field_id flag)
{
	return ET_HAS(ev, flag) && ev->v[flag].u;
}

/* Every source of a command that can be taken as it is. */
static int add_sources(struct work *w, const struct et_event *ev, const struct options *opt,
		       struct reason *why)
{
	const struct driver *d = &w->driver;
	struct compilation c = { .directory = ev->v[ET_F_CWD].s, .driver = d };
	enum compilations_added added;

	if (d->output.ptr) {
		w->output.len = 0;
		location_put(&w->output, c.directory, d->output);
		c.output = text_of(&w->output);
	}
	for (uint32_t i = 0; i < d->n_sources; i++) {
		w->file.len = 0;
		location_put(&w->file, c.directory, d->argv[d->sources[i]]);
		c.file = text_of(&w->file);
		c.source = d->sources[i];
		if (w->file.error || w->output.error)
			return reason_set(why, EXIT_FAILED, "out of memory");
		if (!opt->probes && is_probe(c.directory, c.file)) {
			w->left_out[PROBE]++;
			continue;
		}
		if (compilations_add(w->compilations, &c, &added, why))
			return -1;
		w->left_out[BYTES] += added == COMPILATIONS_BYTES;
		w->again += added == COMPILATIONS_AGAIN;
	}
	return 0;
}

static int take_row(struct work *w, const struct et_event *ev, const struct options *opt,
		    struct reason *why)
{
	const struct driver_globs globs = { opt->compilers, opt->n_compilers };
	enum driver_task task;

	if (driver_read(&w->driver, ev, &globs, &task))
		return reason_set(why, EXIT_FAILED, "out of memory");
	if (task == DRIVER_OTHER)
		return 0;
	if (is_set(ev, ET_F_ARGV_TRUNCATED))
		w->left_out[CUT]++;
	else if (is_set(ev, ET_F_ARGV_UNREADABLE))
		w->left_out[UNREADABLE]++;
	else if (!ET_HAS(ev, ET_F_CWD) || !ev->v[ET_F_CWD].s.len)
		w->left_out[NOWHERE]++;
	else if (task == DRIVER_HIDDEN)
		w->left_out[HIDDEN]++;
	else
		return add_sources(w, ev, opt, why);
	return 0;
}

static void tell(const struct work *w)
{
	for (int i = 0; i < LEFT_OUT; i++)
		if (w->left_out[i])
			say("%llu %s", (unsigned long long)w->left_out[i],
			    w->left_out[i] == 1 ? reasons[i].one : reasons[i].many);
}

static void tell_result(const struct work *w)
{
	size_t n = compilations_count(w->compilations);

	say("%zu file%s%s", n, n == 1 ? "" : "s",
	    w->again ? ", some compiled more than once: the last time counts" : "");
}

/* ET_OK, or why not is told. */
static int read_all(struct input *in, struct work *w, const struct options *opt)
{
	struct reason why;
	struct input_row row;
	int r;

	while ((r = input_next(in, &row)) == ET_OK) {
		if (!take_row(w, &row.ev, opt, &why))
			continue;
		say("%s", why.text);
		return ET_IO;
	}
	if (r == ET_NOMEM)
		say("out of memory");
	return r == ET_EOF ? ET_OK : r;
}

static int compile_commands(struct source **sources, size_t n, struct options *opt,
			    struct out *o, void *ctx)
{
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.jobs = opt->jobs,
		.progress = opt->progress,
	};
	struct work *w = ctx;
	struct reason why;
	struct input *in;
	int code = EXIT_DONE;

	/* What ran already may have been a compiler at work. */
	opt->filter.unasked |= ~(ET_KIND_BIT(ET_EXEC) | ET_KIND_BIT(ET_PROC));
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return MADE_NOTHING + EXIT_FAILED;
	}
	if (read_all(in, w, opt)) {
		code = MADE_NOTHING + EXIT_FAILED;
	} else if (compilations_write(w->compilations, o, &why)) {
		say("%s", why.text);
		code = MADE_NOTHING + (int)why.code;
	} else {
		tell(w);
		if (!opt->quiet)
			tell_result(w);
	}
	return report_input(in, sources, n, opt, code);
}

static int compile_commands_run(int argc, char **argv)
{
	struct work w = { 0 };
	struct options opt;
	struct reason why;
	int code = command_begin(&cmd_compile_commands, argc, argv, &opt);

	if (code < 0 && compilations_open(&w.compilations, &why)) {
		say("%s", why.text);
		code = why.code;
	}
	if (code < 0) {
		out_open(&w.file, -1);
		out_open(&w.output, -1);
		code = emit_run(&cmd_compile_commands, &opt, compile_commands, &w);
		out_close(&w.file);
		out_close(&w.output);
	}
	driver_free(&w.driver);
	compilations_close(w.compilations);
	options_free(&opt);
	return code;
}

const struct command cmd_compile_commands = {
	.name = "compile-commands",
	.args = "[options] [FILE...]",
	.summary = "make a compile_commands.json of what a build executed",
	.options = OPTIONS_FILTER | OPTIONS_COMPILE | OPTIONS_TEXT | OPTIONS_JOBS |
		   OPTIONS_ENDING,
	.notes = ", for clangd,\n"
		 "clang-tidy and others: for each source file that gcc, g++, cc, c++, clang or\n"
		 "clang++ compiled, also of another name as in aarch64-linux-gnu-gcc-12 and behind\n"
		 "ccache or distcc, where and with which arguments. A file that was compiled more\n"
		 "than once into the same output is there as it was the last time. FILE of - is\n"
		 "standard input, and without FILE it is trace.etz",
	.run = compile_commands_run,
};
