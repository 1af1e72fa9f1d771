/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - the recorder's command line: what it may say and what it means.
 */
#ifndef EXECTRACE_OPTIONS_H
#define EXECTRACE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Exit codes, as all of exectrace uses them. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* Strings are borrowed from argv. */
struct options {
	const char *output;	/* "-": standard output */
	bool force;
	char **command;		/* NULL-terminated; NULL: no command, record everything */
	int command_at;		/* where in argv it begins; argc without one */
	bool all;		/* everything, although there is a command */
	const char *user;	/* who runs the command; NULL: the caller */
	uint64_t duration;	/* ns; 0: no limit */
	uint64_t flush_interval;	/* ns an event may wait for its chunk */
	uint32_t ring_size;	/* bytes, a power of two */
	uint32_t max_args;	/* bytes of argv kept */
	int level;		/* zstd, 1..19 */
	bool no_failed;
	bool no_fork;
	bool quiet;
	bool verbose;
};

/*
 * Fills opt. Returns -1 to go on, or the exit code to end with: help and version
 * were printed to standard output, or one line about the mistake to stderr.
 */
int options_parse(int argc, char **argv, struct options *opt);

/* Only processes of the command are recorded. */
static inline bool options_follow(const struct options *opt)
{
	return opt->command && !opt->all;
}

#endif
