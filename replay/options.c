/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option_spec;
typedef int set_fn(struct options *o, const struct option_spec *spec, char *value,
		   struct reason *why);

struct option_spec {
	unsigned group;
	const char *name;
	char letter;
	const char *arg; /* NULL: takes none */
	const char *help;
	set_fn *set;
	size_t param; /* of set: an offset in struct options, or a test of the filter */
};

static set_fn set_flag, set_numbers, set_glob, set_kinds, set_failed, set_ok, set_since,
	set_until, set_limit, set_top, set_record;

#define FLAG(member) set_flag, offsetof(struct options, member)

/* clang-format off */
static const struct option_spec specs[] = {
{ OPTIONS_FILTER, "uid", 0, "LIST", "of these users: numbers, or names as the capture has them", set_numbers, FILTER_UID },
{ OPTIONS_FILTER, "gid", 0, "LIST", "of these groups", set_numbers, FILTER_GID },
{ OPTIONS_FILTER, "pid", 0, "LIST", "about these processes", set_numbers, FILTER_PID },
{ OPTIONS_FILTER, "ppid", 0, "LIST", "about children of these processes", set_numbers, FILTER_PPID },
{ OPTIONS_FILTER, "comm", 0, "GLOB", "of processes of this name", set_glob, FILTER_COMM },
{ OPTIONS_FILTER, "exe", 0, "GLOB", "of this executable; without a / the last part of its path", set_glob, FILTER_EXE },
{ OPTIONS_FILTER, "arg", 0, "GLOB", "with an argument like this", set_glob, FILTER_ARG },
{ OPTIONS_FILTER, "kind", 0, "LIST", "of these kinds: exec, fail, fork, exit, proc, lost", set_kinds, 0 },
{ OPTIONS_FILTER, "failed", 0, NULL, "execs that failed", set_failed, 0 },
{ OPTIONS_FILTER, "ok", 0, NULL, "execs that succeeded", set_ok, 0 },
{ OPTIONS_FILTER, "exit-code", 0, "LIST", "exits with one of these codes", set_numbers, FILTER_EXIT_CODE },
{ OPTIONS_FILTER, "since", 0, "TIME", "at this time or later", set_since, 0 },
{ OPTIONS_FILTER, "until", 0, "TIME", "before this time", set_until, 0 },
{ OPTIONS_SHOW, "json", 0, NULL, "print JSON", FLAG(json) },
{ OPTIONS_EVENTS, "count", 0, NULL, "print only how many events there are", FLAG(count) },
{ OPTIONS_EVENTS, "limit", 0, "N", "stop after N events", set_limit, 0 },
{ OPTIONS_TOP, "top", 0, "N", "lines of each ranking; 20 by default, 0 for all", set_top, 0 },
{ OPTIONS_SHOW, "utc", 0, NULL, "times in UTC, not in the zone of the recorded machine", FLAG(utc) },
{ OPTIONS_EVENTS, "date", 0, NULL, "the date in every line", FLAG(date) },
{ OPTIONS_EVENTS, "no-header", 0, NULL, "neither column titles nor lines for a new day", FLAG(no_header) },
{ OPTIONS_EVENTS, "wide", 0, NULL, "do not cut lines at the width of the terminal", FLAG(wide) },
{ OPTIONS_RECORD, "all", 0, NULL, "everything, although COMMAND is given", set_record, 0 },
{ OPTIONS_RECORD, "user", 0, "NAME", "run COMMAND as this user", set_record, 0 },
{ OPTIONS_RECORD, "duration", 0, "TIME", "end after TIME", set_record, 0 },
{ OPTIONS_RECORD, "no-failed", 0, NULL, "leave out execs that failed", set_record, 0 },
{ OPTIONS_RECORD, "no-fork", 0, NULL, "leave out forks", set_record, 0 },
{ OPTIONS_RECORD, "max-args", 0, "SIZE", "keep at most SIZE bytes of arguments of an exec", set_record, 0 },
{ OPTIONS_RECORD, "ring-size", 0, "SIZE", "size of the buffer in the kernel", set_record, 0 },
{ OPTIONS_ENDING, "fail-on-loss", 0, NULL, "exit with 3 when the capture may lack events", FLAG(fail_on_loss) },
{ OPTIONS_ENDING, "quiet", 'q', NULL, "say nothing at the end when the capture is complete", FLAG(quiet) },
{ ~0u, "help", 'h', NULL, "this text", FLAG(help) },
{ ~0u, "version", 0, NULL, "the version", FLAG(version) },
};
/* clang-format on */

#define N_SPECS (sizeof(specs) / sizeof(specs[0]))

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
	return filter_add_numbers(&o->filter, (enum filter_number)spec->param, value, why);
}

static int set_glob(struct options *o, const struct option_spec *spec, char *value,
		    struct reason *why)
{
	return filter_add_glob(&o->filter, (enum filter_glob)spec->param, value, why);
}

static int set_kinds(struct options *o, const struct option_spec *spec, char *value,
		     struct reason *why)
{
	(void)spec;
	return filter_add_kinds(&o->filter, value, why);
}

static int set_failed(struct options *o, const struct option_spec *spec, char *value,
		      struct reason *why)
{
	(void)spec, (void)value, (void)why;
	o->filter.outcomes |= ET_KIND_BIT(ET_FAIL);
	return 0;
}

static int set_ok(struct options *o, const struct option_spec *spec, char *value,
		  struct reason *why)
{
	(void)spec, (void)value, (void)why;
	o->filter.outcomes |= ET_KIND_BIT(ET_EXEC);
	return 0;
}

static int parse_point(const struct option_spec *spec, const char *value,
		       struct times_point *point, struct reason *why)
{
	if (times_parse(value, point))
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

/* ---- Parsing --------------------------------------------------------------------- */

static const struct option_spec *find(unsigned groups, const char *name, size_t len)
{
	for (size_t i = 0; i < N_SPECS; i++)
		if ((specs[i].group & groups) && strlen(specs[i].name) == len &&
		    !memcmp(specs[i].name, name, len))
			return &specs[i];
	return NULL;
}

static const struct option_spec *find_letter(unsigned groups, char letter)
{
	for (size_t i = 0; i < N_SPECS; i++)
		if ((specs[i].group & groups) && specs[i].letter == letter)
			return &specs[i];
	return NULL;
}

static int parse_long(struct options *o, unsigned groups, char **argv, int *i,
		      struct reason *why)
{
	char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct option_spec *spec = find(groups, name, len);

	if (!spec)
		return reason_set(why, EXIT_USAGE, "unknown option --%.*s (see --help)",
				  (int)len, name);
	if (value && !spec->arg)
		return reason_set(why, EXIT_USAGE, "--%s takes no value", spec->name);
	if (value)
		value++;
	else if (spec->arg)
		value = argv[++*i];
	if (spec->arg && !value)
		return reason_set(why, EXIT_USAGE, "--%s needs a value: %s", spec->name,
				  spec->arg);
	return spec->set(o, spec, value, why);
}

static int parse_letters(struct options *o, unsigned groups, const char *letters,
			 struct reason *why)
{
	for (; *letters; letters++) {
		const struct option_spec *spec = find_letter(groups, *letters);

		if (!spec)
			return reason_set(why, EXIT_USAGE, "unknown option -%c (see --help)",
					  *letters);
		spec->set(o, spec, NULL, why);
	}
	return 0;
}

int options_parse(struct options *o, unsigned groups, int argc, char **argv,
		  struct reason *why)
{
	*o = (struct options){ .limit = UINT64_MAX, .top = 20 };
	o->files = calloc((size_t)argc + 1, sizeof(*o->files));
	o->record = calloc((size_t)argc + 1, sizeof(*o->record));
	if (!o->files || !o->record)
		return reason_set(why, EXIT_FAILED, "out of memory");
	for (int i = 1; i < argc; i++) {
		char *word = argv[i];
		int r = 0;

		if (!strcmp(word, "--")) {
			if (groups & OPTIONS_RECORD) {
				o->command = argv + i + 1;
				break;
			}
			while (++i < argc)
				o->files[o->n_files++] = argv[i];
		} else if (word[0] == '-' && word[1] == '-') {
			r = parse_long(o, groups, argv, &i, why);
		} else if (word[0] == '-' && word[1]) {
			r = parse_letters(o, groups, word + 1, why);
		} else {
			o->files[o->n_files++] = word;
		}
		if (r)
			return r;
	}
	return 0;
}

void options_free(struct options *o)
{
	filter_free(&o->filter);
	for (size_t i = 0; i < o->n_record; i++)
		free(o->record[i]);
	free(o->record);
	free(o->files);
}

/* ---- Help ------------------------------------------------------------------------ */

static void help_group(struct out *o, unsigned groups, unsigned within, const char *title)
{
	bool any = false;

	for (size_t i = 0; i < N_SPECS; i++) {
		const struct option_spec *s = &specs[i];
		char head[64];
		int n;

		if (!(s->group & groups & within) ||
		    (s->group == ~0u && within != OPTIONS_ENDING))
			continue;
		if (!any)
			out_printf(o, "\n%s:\n", title);
		any = true;
		n = snprintf(head, sizeof(head), "  %c%c%c --%s%s%s", s->letter ? '-' : ' ',
			     s->letter ? s->letter : ' ', s->letter ? ',' : ' ', s->name,
			     s->arg ? " " : "", s->arg ? s->arg : "");
		out_text(o, head);
		out_pad(o, 27 - n);
		out_printf(o, "%s\n", s->help);
	}
}

void options_help(struct out *o, unsigned groups)
{
	help_group(o, groups, OPTIONS_FILTER, "Which events (all of these have to hold)");
	help_group(o, groups, OPTIONS_RECORD, "Recording");
	help_group(o, groups, OPTIONS_SHOW | OPTIONS_EVENTS | OPTIONS_TOP, "Output");
	help_group(o, groups, OPTIONS_ENDING, "Other");
	if (groups & OPTIONS_FILTER)
		out_text(o, "\n"
			    "LIST is values between commas, GLOB a pattern of * ? [a-z]; an "
			    "option given\n"
			    "again adds to its values. TIME is 09:00[:00[.5]] on the day the "
			    "capture begins,\n"
			    "'2026-11-20 09:00', each with Z or +02:00 behind it or else in "
			    "the zone of the\n"
			    "recorded machine, +1m30s after the beginning, or @SECONDS since "
			    "1970.\n");
}
