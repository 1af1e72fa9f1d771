/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - a command of exectrace as it describes itself, and what all of
 * them do first and last.
 */
#ifndef EXECTRACE_COMMAND_H
#define EXECTRACE_COMMAND_H

#include "input.h"
#include "options.h"
#include "source.h"

struct command {
	const char *name;
	const char *args;
	const char *summary;	/* one line, no full stop */
	unsigned options;	/* of enum option_group */
	const char *notes;	/* more for help; NULL: none */
	bool unread;		/* run gets its sources without source_begin */
	bool own_help;		/* run with --help prints it, where there is a recorder */
	void (*prepare)(struct options *opt); /* before the sandbox is entered; NULL: nothing */
	int (*run)(int argc, char **argv); /* argv[0]: the name; returns the exit code */
};

/* The capture that is read where none is named. */
#define COMMAND_FILE "trace.etz"

extern const struct command cmd_record, cmd_live, cmd_replay, cmd_summary, cmd_info, cmd_verify,
	cmd_recover, cmd_slice, cmd_merge, cmd_compact, cmd_trigger, cmd_tree;

/*
 * Parses options. Returns -1 to go on, or the exit code when that is all: help
 * was printed, or a mistake told. options_free is due in any case.
 */
int command_begin(const struct command *c, int argc, char **argv, struct options *opt);
void command_help(const struct command *c, struct out *o);
int command_version(void);
/* From now on a write into a closed pipe is an error, not a death. */
void command_begin_output(void);
/* For a program that is about to be executed: SIGPIPE as it was. */
void command_end_output(void);

/*
 * Parses options, opens the files they name, else trace.etz, enters the sandbox and hands them to
 * fn, which takes the sources over, but not the array. Returns the exit code.
 */
typedef int command_fn(struct source **sources, size_t n, struct options *opt);
int command_run(const struct command *c, int argc, char **argv, command_fn *fn);

/*
 * Ends the output: a reader that went away is no failure. code: the exit code
 * so far; returns the one that is due now.
 */
int command_end(struct out *o, int code);

/*
 * Tells on stderr what is wrong with a capture, or that it is complete; nothing
 * when it was not read to its end. Returns EXIT_DONE, _FAILED or _DAMAGED.
 */
int report_source(const struct source *s, const struct options *opt);
/* What a capture lacks, in clauses; nothing when it is whole. unreadable: rows not decoded. */
void report_lacks(struct out *o, const struct et_reader_stats *st, uint64_t unreadable);
/* Tells which names of users and groups no capture knows. */
void report_names(const struct options *opt, struct source *const *sources, size_t n);
/* The worse of two exit codes. */
int report_worse(int a, int b);

/* Whether it was read to its end, nothing is lost, and it was ended cleanly. */
bool report_complete(const struct source *s);
/* A capture's state in words, for info: "complete", or what it lacks. */
void report_state(struct out *o, const struct source *s, bool utc);
/*
 * Once all is read: notes in each source which segments of its recording are missing
 * behind its own, as far as none of the ledger's is one of them.
 */
void report_series(const struct ledger *l, struct source *const *sources, size_t n);
/* Of captures that are told of one by one: tells which segments are missing between them. */
int report_between(const struct ledger *l, const struct options *opt);

#endif
