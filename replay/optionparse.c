/* SPDX-License-Identifier: BSD-2-Clause */
/* optionparse.c - command lines read by the table of options, and the help printed from it. */
#include "optionspec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"

/* The recorder's come first: what it can leave out need not be left out again. */
static const struct option_spec *find(unsigned groups, const char *name, size_t len)
{
	for (size_t i = 0; i < n_option_specs; i++)
		if ((option_specs[i].group & groups) && strlen(option_specs[i].name) == len &&
		    !memcmp(option_specs[i].name, name, len))
			return &option_specs[i];
	return NULL;
}

static const struct option_spec *find_letter(unsigned groups, char letter)
{
	for (size_t i = 0; i < n_option_specs; i++)
		if ((option_specs[i].group & groups) && option_specs[i].letter == letter)
			return &option_specs[i];
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

static int parse_letters(struct options *o, unsigned groups, char **argv, int *i,
			 struct reason *why)
{
	for (char *letters = argv[*i] + 1; *letters; letters++) {
		const struct option_spec *spec = find_letter(groups, *letters);
		char *value = NULL;
		int r;

		if (!spec)
			return reason_set(why, EXIT_USAGE, "unknown option -%c (see --help)",
					  *letters);
		if (spec->arg)
			value = letters[1] ? letters + 1 : argv[++*i];
		if (spec->arg && !value)
			return reason_set(why, EXIT_USAGE, "-%c needs a value: %s", *letters,
					  spec->arg);
		r = spec->set(o, spec, value, why);
		if (r || spec->arg)
			return r;
	}
	return 0;
}

int options_parse(struct options *o, unsigned groups, int argc, char **argv,
		  struct reason *why)
{
	*o = (struct options){ .limit = UINT64_MAX, .tail = UINT64_MAX, .temp = -1 };
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
			r = parse_letters(o, groups, argv, &i, why);
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
	template_free(o->template);
	for (size_t i = 0; i < o->n_record; i++)
		free(o->record[i]);
	free(o->record);
	free(o->files);
}

/* ---- Help ------------------------------------------------------------------------ */

static void help_group(struct out *o, unsigned groups, unsigned within, const char *title)
{
	bool any = false;

	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *s = &option_specs[i];
		char head[64];
		int n;

		if (!(s->group & groups & within) ||
		    (s->group == ~0u && !(within & OPTIONS_ENDING)) ||
		    find(groups, s->name, strlen(s->name)) != s)
			continue;
		if (!any)
			out_printf(o, "\n%s:\n", title);
		any = true;
		n = snprintf(head, sizeof(head), "  %c%c%c --%s%s%s", s->letter ? '-' : ' ',
			     s->letter ? s->letter : ' ', s->letter ? ',' : ' ', s->name,
			     s->arg ? " " : "", s->arg ? s->arg : "");
		out_text(o, head);
		out_pad(o, 28 - n);
		out_printf(o, "%s\n", s->help);
	}
}

void options_help(struct out *o, unsigned groups)
{
	help_group(o, groups, OPTIONS_FILTER, "Which events (all of these have to hold)");
	help_group(o, groups, OPTIONS_RECORD, "Recording");
	help_group(o, groups, OPTIONS_MAKE | OPTIONS_SLICE | OPTIONS_COMPACT | OPTIONS_REWRITE,
		   "The capture that is made");
	help_group(o, groups,
		   OPTIONS_SHOW | OPTIONS_JSON | OPTIONS_EVENTS | OPTIONS_TOP | OPTIONS_ORDER |
			   OPTIONS_FOLLOW | OPTIONS_INFO | OPTIONS_TREE,
		   "Output");
	help_group(o, groups, OPTIONS_CONTROL, "The recorder that is asked");
	help_group(o, groups, OPTIONS_ENDING | OPTIONS_JOBS, "Other");
	if (groups & OPTIONS_EVENTS)
		out_text(o, "\n"
			    "A template is text with columns in braces, by the names that --columns "
			    "help lists:\n"
			    "'{time} {pid:>7} {command:.80}'. Behind a colon < ^ or > say where the "
			    "column stands\n"
			    "in its width, and a dot how wide it may be; {{ }} \\n \\t \\\\ are signs.\n");
	if (groups & OPTIONS_FILTER)
		out_text(o, "\n"
			    "LIST is values between commas, GLOB a pattern of * ? [a-z]; an "
			    "option given\n"
			    "again adds to its values, but --match and --where one condition "
			    "more. FIELD is\n"
			    "a name that --columns help lists; its values are globs, numbers "
			    "and LOW..HIGH, as\n"
			    "in 1ms..2s, 64M.., 8:1, ENOENT, ann. TIME is 09:00[:00[.5]] on "
			    "the day the capture\n"
			    "begins, '2026-11-20 09:00', each with Z or +02:00 behind it or else "
			    "in the zone of\n"
			    "the recorded machine, +1m30s after the beginning, or @SECONDS since "
			    "1970.\n");
}
