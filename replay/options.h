/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - the options that the commands share, each spelled once: the table
 * is what parses them and what help prints.
 */
#ifndef EXECTRACE_OPTIONS_H
#define EXECTRACE_OPTIONS_H

#include "filter.h"
#include "out.h"
#include "say.h"

/* Groups of options; a command takes some of them. */
enum option_group {
	OPTIONS_FILTER = 1,	/* which events */
	OPTIONS_EVENTS = 2,	/* how events are shown */
	OPTIONS_SHOW = 4,	/* how anything is shown */
	OPTIONS_TOP = 8,	/* how much of a ranking */
	OPTIONS_RECORD = 16,	/* for the recorder, passed on */
	OPTIONS_ENDING = 32,	/* what is said, and returned, at the end */
};

struct options {
	struct filter filter;
	uint64_t limit;		/* UINT64_MAX: none */
	unsigned top;
	bool json, count, utc, no_header, date, wide, quiet, fail_on_loss;
	bool help, version;
	char **files;		/* operands; argv's strings */
	size_t n_files;
	char **record;		/* words for the recorder; owned */
	size_t n_record;
	char **command;		/* behind "--" with OPTIONS_RECORD; argv's, or NULL */
};

/* groups: of enum option_group. -1 fills *why; options_free is due in any case. */
int options_parse(struct options *o, unsigned groups, int argc, char **argv, struct reason *why);
void options_free(struct options *o);
/* The options of these groups, a line or two each. */
void options_help(struct out *o, unsigned groups);

#endif
