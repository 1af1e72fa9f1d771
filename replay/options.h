/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - the options that the commands share, each spelled once: the table
 * is what parses them and what help prints.
 */
#ifndef EXECTRACE_OPTIONS_H
#define EXECTRACE_OPTIONS_H

#include <sys/types.h>

#include "color.h"
#include "columns.h"
#include "filter.h"
#include "folded.h"
#include "keys.h"
#include "out.h"
#include "say.h"
#include "sort.h"
#include "when.h"

/* Groups of options; a command takes some of them. */
enum option_group {
	OPTIONS_FILTER = 1,	/* which events */
	OPTIONS_EVENTS = 2,	/* how events are shown */
	OPTIONS_SHOW = 4,	/* how anything is shown */
	OPTIONS_TOP = 8,	/* how much of a ranking */
	OPTIONS_RECORD = 16,	/* for the recorder, passed on */
	OPTIONS_ENDING = 32,	/* what is said, and returned, at the end */
	OPTIONS_MAKE = 64,	/* the capture that is made */
	OPTIONS_REWRITE = 128,	/* of what an older one holds */
	OPTIONS_SLICE = 256,
	OPTIONS_COMPACT = 512,
	OPTIONS_FOLLOW = 2048,	/* whether there is an end */
	OPTIONS_JSON = 1024,	/* of OPTIONS_SHOW only that */
	OPTIONS_INFO = 4096,	/* what is told of a capture */
	OPTIONS_CONTROL = 8192,	/* the recorder that is asked */
	OPTIONS_ORDER = 16384,	/* which events come first, and how soon */
	OPTIONS_TREE = 32768,	/* how processes are shown */
	OPTIONS_JOBS = 65536,	/* threads that read */
	OPTIONS_TEXT = 1 << 20,	/* where a text goes that is made */
	OPTIONS_COMPILE = 1 << 21, /* which compilers are looked for */
	OPTIONS_EXPORT = 1 << 22, /* what for */
	OPTIONS_TIMELINE = 1 << 23, /* how it is drawn */
};

enum export_format { EXPORT_NONE, EXPORT_PERFETTO, EXPORT_FOLDED };

/* How events are printed. */
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_SH, FORMAT_TEMPLATE };

struct template;

struct options {
	struct filter filter;
	uint64_t limit;		/* UINT64_MAX: none */
	unsigned top;		/* UINT32_MAX: all; 0: not given */
	struct keys by;
	char *order;		/* what --sort says; argv's, or NULL */
	unsigned jobs;		/* threads to read with */
	bool progress;		/* there is a terminal to tell it on; no option */
	bool json, count, utc, no_header, date, wide, quiet, fail_on_loss, follow, exes, losses;
	bool csv, sh, reverse, no_pager;
	struct template *template; /* owned; NULL: not given */
	struct sort sort;
	uint64_t tail;		/* UINT64_MAX: none */
	double speed;		/* of the recording; 0: as fast as can be */
	enum when_way time;
	enum color_choice color;

	/* Not options, but what they come to where the command runs. */
	bool endless;		/* the input does not end by itself */
	bool colored;		/* the table */
	size_t screen;		/* columns of the terminal; 0: output goes elsewhere */
	int temp, temp_error;	/* a file for what is to be sorted; or -1, and why */
	pid_t pager;		/* 0: none */
	bool help, version, help_columns, help_by;
	struct columns columns;
	char *output;		/* argv's; NULL: not given */
	char *control;		/* the same */
	char **compilers;	/* --compiler; the same, but for the array */
	size_t n_compilers;
	bool probes;
	enum export_format export;
	enum folded_weight weight;
	unsigned width;		/* of lines; 0: not given */
	bool by_command, longest;
	bool force, drop_unknown, no_ancestors;
	unsigned level, chunk_rows; /* 0: not given */
	unsigned depth;		/* of a tree; 0: all */
	bool no_fold;
	bool rooted;		/* a tree begins at filter.descendants */
	bool descended;		/* --descendants-of was given */
	char **files;		/* operands; argv's strings */
	size_t n_files;
	char **record;		/* words for the recorder; owned */
	size_t n_record;
	char **command;		/* behind "--" with OPTIONS_RECORD; argv's, or NULL */
};

/* groups: of enum option_group. -1 fills *why; options_free is due in any case. */
int options_parse(struct options *o, unsigned groups, int argc, char **argv, struct reason *why);
void options_free(struct options *o);
/* What of it does not go together, and why: a clause; NULL: all does. */
const char *options_conflict(const struct options *o);
enum format options_format(const struct options *o);
/* Whether lines wait until the last event is known. */
bool options_ordered(const struct options *o);
/* The options of these groups, a line or two each. */
void options_help(struct out *o, unsigned groups);

#endif
