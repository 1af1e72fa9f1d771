/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - the table of all options, and what each does with its value. */
#include "optionspec.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "template.h"
#include "tempo.h"
#include "timeline.h"

static set_fn set_flag, set_numbers, set_glob, set_match, set_where, set_columns, set_kinds, set_outcome, set_since,
	set_until, set_descendants, set_rooted, set_depth, set_limit, set_top, set_record, set_output, set_control, set_level, set_chunk_rows;
static set_fn set_format, set_sort, set_tail, set_speed, set_time, set_color, set_jobs, set_by, set_order;
static set_fn set_compiler, set_export, set_weight, set_width;

#define FLAG(member) set_flag, offsetof(struct options, member)

/* clang-format off */
const struct option_spec option_specs[] = {
{ OPTIONS_RECORD, "pid", 0, "LIST", "of these processes and all that descend from them", set_record, 0 },
{ OPTIONS_RECORD, "cgroup", 0, "PATH", "of processes in this cgroup or below it", set_record, 0 },
{ OPTIONS_TREE, "pid", 0, "LIST", "begin at these processes: they and all that descend from them", set_rooted, 0 },
{ OPTIONS_FILTER, "uid", 0, "LIST", "of these users: numbers, or names as the capture has them", set_numbers, FILTER_UID },
{ OPTIONS_FILTER, "gid", 0, "LIST", "of these groups", set_numbers, FILTER_GID },
{ OPTIONS_FILTER, "pid", 0, "LIST", "about these processes", set_numbers, FILTER_PID },
{ OPTIONS_FILTER, "ppid", 0, "LIST", "about children of these processes", set_numbers, FILTER_PPID },
{ OPTIONS_FILTER, "descendants-of", 0, "LIST", "of these processes and all that descend from them", set_descendants, 0 },
{ OPTIONS_FILTER, "comm", 0, "GLOB", "of processes of this name", set_glob, FILTER_COMM },
{ OPTIONS_FILTER, "exe", 0, "GLOB", "of this executable; without a / the last part of its path", set_glob, FILTER_EXE },
{ OPTIONS_FILTER, "arg", 0, "GLOB", "with an argument like this", set_glob, FILTER_ARG },
{ OPTIONS_FILTER, "match", 0, "FIELD=LIST", "of which this field is one of these; any field that JSON shows", set_match, 0 },
{ OPTIONS_FILTER, "where", 0, "EXPR", "for which this holds; see exectrace help expressions", set_where, 0 },
{ OPTIONS_FILTER, "kind", 0, "LIST", "of these kinds: exec, fail, fork, exit, proc, lost", set_kinds, 0 },
{ OPTIONS_FILTER, "failed", 0, NULL, "execs that failed", set_outcome, OPERAND_FAILED },
{ OPTIONS_FILTER, "ok", 0, NULL, "execs that succeeded", set_outcome, OPERAND_OK },
{ OPTIONS_FILTER, "exit-code", 0, "LIST", "exits with one of these codes", set_numbers, FILTER_EXIT_CODE },
{ OPTIONS_FILTER, "since", 0, "TIME", "at this time or later", set_since, 0 },
{ OPTIONS_FILTER, "until", 0, "TIME", "before this time", set_until, 0 },
{ OPTIONS_SHOW | OPTIONS_JSON, "json", 0, NULL, "print JSON", FLAG(json) },
{ OPTIONS_EVENTS, "csv", 0, NULL, "print CSV", FLAG(csv) },
{ OPTIONS_EVENTS, "format", 0, "FORMAT", "text, json, csv, sh (for shells), or a template such as '{pid} {command}'", set_format, 0 },
{ OPTIONS_EVENTS, "count", 0, NULL, "print only how many events there are", FLAG(count) },
{ OPTIONS_EVENTS, "limit", 0, "N", "stop after N events", set_limit, 0 },
{ OPTIONS_ORDER, "tail", 0, "N", "only the last N events", set_tail, 0 },
{ OPTIONS_ORDER, "sort", 0, "LIST", "sort by these columns; -COLUMN: what is largest first", set_sort, 0 },
{ OPTIONS_ORDER, "reverse", 0, NULL, "the last line first", FLAG(reverse) },
{ OPTIONS_ORDER, "speed", 0, "N", "wait as long as it was between events; 10x: a tenth of that", set_speed, 0 },
{ OPTIONS_TOP, "by", 0, "LIST", "a table of groups by these fields; --by help lists all", set_by, 0 },
{ OPTIONS_TOP, "sort", 0, "COLUMN", "the order of that table; events by default", set_order, 0 },
{ OPTIONS_TOP, "csv", 0, NULL, "print that table as CSV", FLAG(csv) },
{ OPTIONS_TOP, "top", 0, "N", "lines of each ranking, 0 for all; 20 by default, 5 of the overview", set_top, 0 },
{ OPTIONS_MAKE, "output", 'o', "FILE", "the capture to make; - is standard output", set_output, 0 },
{ OPTIONS_MAKE, "force", 'f', NULL, "replace FILE if it exists", FLAG(force) },
{ OPTIONS_COMPILE, "compiler", 0, "GLOB", "programs of this name are compilers too", set_compiler, 0 },
{ OPTIONS_COMPILE, "probes", 0, NULL, "also the files by which configure scripts try the compiler", FLAG(probes) },
{ OPTIONS_EXPORT, "format", 0, "NAME", "perfetto: a trace to look at; folded: stacks for flame graphs", set_export, 0 },
{ OPTIONS_EXPORT, "weight", 0, "NAME", "of a stack: cpu (the default) or wall, in us, or count, of execs", set_weight, 0 },
{ OPTIONS_TIMELINE, "top", 0, "N", "so many lines; as many as the terminal has by default, 0 for all", set_top, 0 },
{ OPTIONS_TIMELINE, "by-command", 0, NULL, "a line for each command, and how many of it ran at once", FLAG(by_command) },
{ OPTIONS_TIMELINE, "longest", 0, NULL, "the longest first", FLAG(longest) },
{ OPTIONS_TIMELINE, "width", 0, "N", "columns of a line; those of the terminal by default, or 100", set_width, 0 },
{ OPTIONS_TIMELINE, "no-header", 0, NULL, "neither what is drawn nor a ruler", FLAG(no_header) },
{ OPTIONS_TEXT, "output", 'o', "FILE", "write this file; standard output without it", set_output, 0 },
{ OPTIONS_TEXT, "force", 'f', NULL, "replace FILE if it exists", FLAG(force) },
{ OPTIONS_SLICE, "no-ancestors", 0, NULL, "not the rows that say who an event's ancestors were", FLAG(no_ancestors) },
{ OPTIONS_COMPACT, "level", 0, "N", "of zstd, 1 to 19; 19 by default", set_level, 0 },
{ OPTIONS_COMPACT, "chunk-rows", 0, "N", "events a chunk, 1 to 262144; 65536 by default", set_chunk_rows, 0 },
{ OPTIONS_REWRITE, "drop-unknown", 0, NULL, "leave out what a later version has recorded", FLAG(drop_unknown) },
{ OPTIONS_SHOW | OPTIONS_SLICE | OPTIONS_TEXT | OPTIONS_TIMELINE, "utc", 0, NULL, "times in UTC, not in the zone of the recorded machine", FLAG(utc) },
{ OPTIONS_EVENTS, "date", 0, NULL, "the date in every line", FLAG(date) },
{ OPTIONS_EVENTS, "columns", 0, "LIST", "a table of these columns, or CSV; --columns help lists all", set_columns, 0 },
{ OPTIONS_EVENTS, "time", 0, "HOW", "absolute, relative to the first line, delta to the one before, iso, unix", set_time, 0 },
{ OPTIONS_TREE, "depth", 0, "N", "so many levels; what is below is counted", set_depth, 0 },
{ OPTIONS_TREE, "no-fold", 0, NULL, "each process in a line of its own", FLAG(no_fold) },
{ OPTIONS_TREE, "no-header", 0, NULL, "neither column titles nor totals", FLAG(no_header) },
{ OPTIONS_EVENTS, "no-header", 0, NULL, "neither column titles nor lines for a new day", FLAG(no_header) },
{ OPTIONS_EVENTS | OPTIONS_TREE, "wide", 0, NULL, "do not cut lines at the width of the terminal", FLAG(wide) },
{ OPTIONS_EVENTS, "color", 0, "WHEN", "auto, always or never colour the table; auto: on a terminal", set_color, 0 },
{ OPTIONS_ORDER, "no-pager", 0, NULL, "do not show what is printed on a terminal in a pager", FLAG(no_pager) },
{ OPTIONS_INFO, "exes", 0, NULL, "list the executables that ran, with what is known of each", FLAG(exes) },
{ OPTIONS_INFO, "losses", 0, NULL, "list each loss and each gap, however many there are", FLAG(losses) },
{ OPTIONS_RECORD, "all", 0, NULL, "everything, although COMMAND is given", set_record, 0 },
{ OPTIONS_RECORD, "user", 0, "NAME", "run COMMAND as this user", set_record, 0 },
{ OPTIONS_RECORD, "duration", 0, "TIME", "end after TIME", set_record, 0 },
{ OPTIONS_RECORD, "no-failed", 0, NULL, "leave out execs that failed", set_record, 0 },
{ OPTIONS_RECORD, "no-fork", 0, NULL, "leave out forks", set_record, 0 },
{ OPTIONS_RECORD, "exec-duration", 0, NULL, "say how long each exec took", set_record, 0 },
{ OPTIONS_RECORD, "max-args", 0, "SIZE", "keep at most SIZE bytes of arguments of an exec", set_record, 0 },
{ OPTIONS_RECORD, "max-rate", 0, "N", "take at most N events a second", set_record, 0 },
{ OPTIONS_RECORD, "ring-size", 0, "SIZE", "size of the buffer in the kernel", set_record, 0 },
{ OPTIONS_RECORD, "btf", 0, "FILE", "types of a kernel that has none itself", set_record, 0 },
{ OPTIONS_CONTROL, "control", 0, "PATH", "the socket it listens at; /run/exectrace/control by default", set_control, 0 },
{ OPTIONS_FOLLOW, "follow", 0, NULL, "go on when FILE grows or is replaced, until interrupted", FLAG(follow) },
{ OPTIONS_JOBS, "jobs", 'j', "N", "threads to read with, 1 to 64; by default one for each CPU it may use", set_jobs, 0 },
{ OPTIONS_ENDING, "fail-on-loss", 0, NULL, "exit with 3 when the capture may lack events", FLAG(fail_on_loss) },
{ OPTIONS_ENDING, "quiet", 'q', NULL, "say nothing at the end when the capture is complete", FLAG(quiet) },
{ ~0u, "help", 'h', NULL, "this text", FLAG(help) },
{ ~0u, "version", 0, NULL, "the version", FLAG(version) },
};
/* clang-format on */

const size_t n_option_specs = sizeof(option_specs) / sizeof(option_specs[0]);

/* ---- Values ---------------------------------------------------------------------- */

static int set_flag(struct options *o, const struct option_spec *spec, char *value,
		    struct reason *why)
{
	(void)value, (void)why;
	*(bool *)((char *)o + spec->param) = true;
	return 0;
}

static int set_numbers(struct options *o, const struct option_spec *spec, char *value,
		       struct reason *why)
{
	return filter_add_numbers(&o->filter, (enum filter_option)spec->param, value, why);
}

static int set_glob(struct options *o, const struct option_spec *spec, char *value,
		    struct reason *why)
{
	return filter_add_glob(&o->filter, (enum filter_option)spec->param, value, why);
}

static int set_match(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	(void)spec;
	return filter_add_match(&o->filter, value, why);
}

static int set_where(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	(void)spec;
	return filter_add_where(&o->filter, value, why);
}

static int set_columns(struct options *o, const struct option_spec *spec, char *value,
		       struct reason *why)
{
	(void)spec;
	o->help_columns |= !strcmp(value, "help");
	return o->help_columns ? 0 : columns_parse(&o->columns, value, why);
}

static int set_by(struct options *o, const struct option_spec *spec, char *value,
		  struct reason *why)
{
	(void)spec;
	o->help_by |= !strcmp(value, "help");
	return o->help_by ? 0 : keys_parse(&o->by, value, why);
}

static int set_order(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	(void)spec, (void)why;
	o->order = value;
	return 0;
}

static int set_kinds(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	(void)spec;
	return filter_add_kinds(&o->filter, value, why);
}

static int set_outcome(struct options *o, const struct option_spec *spec, char *value,
		       struct reason *why)
{
	(void)value;
	return filter_add_outcome(&o->filter, (unsigned)spec->param, why);
}

static int parse_point(const struct option_spec *spec, const char *value,
		       struct moment *point, struct reason *why)
{
	if (moment_parse(value, point))
		return 0;
	return reason_set(why, EXIT_USAGE,
			  "--%s: '%s' is not a time such as 09:00, '2026-11-20 09:00:00', "
			  "2026-11-20T08:00Z or +1m30s",
			  spec->name, value);
}

static int set_since(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	o->filter.has_since = true;
	return parse_point(spec, value, &o->filter.since, why);
}

static int set_until(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	o->filter.has_until = true;
	return parse_point(spec, value, &o->filter.until, why);
}

static int set_descendants(struct options *o, const struct option_spec *spec, char *value,
			   struct reason *why)
{
	o->descended = true;
	return pids_add(&o->filter.descendants, spec->name, value, why);
}

static int set_rooted(struct options *o, const struct option_spec *spec, char *value,
		      struct reason *why)
{
	o->rooted = true;
	return pids_add(&o->filter.descendants, spec->name, value, why);
}

static int parse_count(const struct option_spec *spec, const char *value, uint64_t max,
		       uint64_t *out, struct reason *why)
{
	*out = 0;
	for (const char *p = value; *p || p == value; p++) {
		if (*p < '0' || *p > '9' || *out > (max - (uint64_t)(*p - '0')) / 10)
			return reason_set(why, EXIT_USAGE,
					  "--%s: '%s' is not a number that it takes",
					  spec->name, value);
		*out = *out * 10 + (uint64_t)(*p - '0');
	}
	return 0;
}

static int set_limit(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	return parse_count(spec, value, UINT64_MAX - 1, &o->limit, why);
}

static int set_tail(struct options *o, const struct option_spec *spec, char *value,
		    struct reason *why)
{
	return parse_count(spec, value, UINT64_MAX - 1, &o->tail, why);
}

static int set_format(struct options *o, const struct option_spec *spec, char *value,
		      struct reason *why)
{
	(void)spec;
	o->json |= !strcmp(value, "json");
	o->csv |= !strcmp(value, "csv");
	o->sh |= !strcmp(value, "sh");
	if (!strcmp(value, "text") || !strcmp(value, "json") || !strcmp(value, "csv") ||
	    !strcmp(value, "sh"))
		return 0;
	if (!strchr(value, '{'))
		return reason_set(why, EXIT_USAGE,
				  "--format: there is no format '%s': it is text, json, csv, sh or a "
				  "template such as '{time} {command}'",
				  value);
	template_free(o->template);
	o->template = template_parse(value, why);
	return o->template ? 0 : -1;
}

static int set_sort(struct options *o, const struct option_spec *spec, char *value,
		    struct reason *why)
{
	(void)spec;
	return sort_parse(&o->sort, value, why);
}

static int set_speed(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	if (tempo_parse(value, &o->speed))
		return 0;
	return reason_set(why, EXIT_USAGE,
			  "--%s: '%s' is not a speed such as 1x, 10x or 0.5x, from 0.001 to 1000000",
			  spec->name, value);
}

static int set_time(struct options *o, const struct option_spec *spec, char *value,
		    struct reason *why)
{
	if (when_parse(value, &o->time))
		return 0;
	return reason_set(why, EXIT_USAGE,
			  "--%s: '%s' is not absolute, relative, delta, iso or unix", spec->name,
			  value);
}

static int set_color(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	if (color_parse(value, &o->color))
		return 0;
	return reason_set(why, EXIT_USAGE, "--%s: '%s' is not auto, always or never", spec->name,
			  value);
}

static int set_output(struct options *o, const struct option_spec *spec, char *value,
		      struct reason *why)
{
	(void)spec, (void)why;
	o->output = value;
	return 0;
}

static int set_compiler(struct options *o, const struct option_spec *spec, char *value,
			struct reason *why)
{
	char **more = reallocarray(o->compilers, o->n_compilers + 1, sizeof(*more));

	(void)spec;
	if (!more)
		return reason_set(why, EXIT_FAILED, "out of memory");
	o->compilers = more;
	more[o->n_compilers++] = value;
	return 0;
}

static int set_width(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	uint64_t n = 0;

	if (parse_count(spec, value, 1000, &n, why))
		return -1;
	if (n < TIMELINE_WIDTH_MIN)
		return reason_set(why, EXIT_USAGE, "--width: '%s' is not a number from %u to 1000",
				  value, TIMELINE_WIDTH_MIN);
	o->width = (unsigned)n;
	return 0;
}

/* One of a few words; *out is which. */
static int set_word(const struct option_spec *spec, const char *value,
		    const char *const *words, size_t n, unsigned *out, struct reason *why)
{
	for (*out = 0; *out < n; ++*out)
		if (!strcmp(words[*out], value))
			return 0;
	return reason_set(why, EXIT_USAGE, "--%s: there is no '%s' (see --help)", spec->name,
			  value);
}

static int set_export(struct options *o, const struct option_spec *spec, char *value,
		      struct reason *why)
{
	static const char *const words[] = { "perfetto", "folded" };
	unsigned which;
	int r = set_word(spec, value, words, 2, &which, why);

	o->export = which ? EXPORT_FOLDED : EXPORT_PERFETTO;
	return r;
}

static int set_weight(struct options *o, const struct option_spec *spec, char *value,
		      struct reason *why)
{
	static const char *const words[] = {
		[FOLDED_CPU] = "cpu", [FOLDED_WALL] = "wall", [FOLDED_COUNT] = "count"
	};
	unsigned which;
	int r = set_word(spec, value, words, 3, &which, why);

	o->weight = (enum folded_weight)which;
	return r;
}

static int set_control(struct options *o, const struct option_spec *spec, char *value,
		       struct reason *why)
{
	(void)spec, (void)why;
	o->control = value;
	return 0;
}

/* A number from 1 to max. */
static int set_from_one(const struct option_spec *spec, const char *value, unsigned max,
			unsigned *out, struct reason *why)
{
	uint64_t n = 0;

	if (parse_count(spec, value, UINT32_MAX, &n, why))
		return -1;
	if (!n || n > max)
		return reason_set(why, EXIT_USAGE, "--%s: '%s' is not a number from 1 to %u",
				  spec->name, value, max);
	*out = (unsigned)n;
	return 0;
}

static int set_depth(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	return set_from_one(spec, value, 1024, &o->depth, why);
}

static int set_level(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	return set_from_one(spec, value, 19, &o->level, why);
}

static int set_chunk_rows(struct options *o, const struct option_spec *spec, char *value,
			  struct reason *why)
{
	return set_from_one(spec, value, 262144, &o->chunk_rows, why);
}

static int set_jobs(struct options *o, const struct option_spec *spec, char *value,
		    struct reason *why)
{
	return set_from_one(spec, value, CREW_MAX, &o->jobs, why);
}

static int set_top(struct options *o, const struct option_spec *spec, char *value,
		   struct reason *why)
{
	uint64_t n = 0;
	int r = parse_count(spec, value, 1000000, &n, why);

	o->top = n ? (unsigned)n : UINT32_MAX;
	return r;
}

/* The name of an option as a word for the recorder: two dashes and the name. */
static int add_word(struct options *o, char *word, struct reason *why)
{
	if (!word)
		return reason_set(why, EXIT_FAILED, "out of memory");
	o->record[o->n_record++] = word;
	return 0;
}

static int set_record(struct options *o, const struct option_spec *spec, char *value,
		      struct reason *why)
{
	size_t size = strlen(spec->name) + (value ? strlen(value) : 0) + 4;
	char *word = malloc(size);

	if (word) {
		strcpy(word, "--");
		strcat(word, spec->name);
		if (value) {
			strcat(word, "=");
			strcat(word, value);
		}
	}
	return add_word(o, word, why);
}
