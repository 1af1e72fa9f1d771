/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - the recorder's command line: what it may say and what it means.
 */
#ifndef EXECTRACE_OPTIONS_H
#define EXECTRACE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "filters.h"
#include "schedule.h"

struct expr;

/* Exit codes, as all of exectrace uses them. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* Strings are borrowed from argv, but filters and trigger are its own: options_free. */
struct options {
	const char *output;	/* "-": standard output */
	bool force;
	uint64_t sync;		/* when, as in syncer.h */
	uint64_t rotate_size;	/* bytes of a file; 0: no bound */
	uint64_t rotate_time;	/* ns of a file; 0: no bound */
	uint64_t keep_files;	/* at most; 0: all */
	uint64_t keep_bytes;	/* of all files together; 0: no bound */
	uint64_t flight_bytes;	/* of memory, and no file until it is asked for; 0: not so */
	uint64_t flight_age;	/* ns that are kept there; UINT64_MAX: no bound */
	struct expr *trigger;	/* events that ask for it; its own, NULL: none */
	uint64_t trigger_interval;	/* ns between two times that they do */
	struct filters filters;	/* not resolved yet */
	char **command;		/* NULL-terminated; NULL: no command */
	int command_at;		/* where in argv it begins; argc without one */
	bool all;		/* everything, although there is a command */
	const char *user;	/* who runs the command; NULL: the caller */
	uint64_t duration;	/* ns; 0: no limit */
	uint64_t flush_interval;	/* ns an event may wait for its chunk */
	const char *btf;	/* file that stands in for the kernel's BTF; NULL: none */
	uint32_t ring_size;	/* bytes, a power of two */
	bool ring_chosen;	/* by the machine's size: ringsize.h */
	bool has_cpus;		/* the recorder runs on these alone */
	struct schedule_cpus cpus;
	bool has_nice;		/* the ring is emptied at nice */
	int nice;
	bool realtime;
	uint32_t max_args;	/* bytes of argv kept */
	const char *env;	/* what is kept of environments, as in envnames.h; NULL: nothing */
	uint32_t max_env;	/* bytes looked at of one */
	uint64_t max_rate;	/* events a second; 0: no limit */
	int level;		/* zstd, 1..19 */
	unsigned threads;	/* that compress, at most */
	bool no_failed;
	bool no_fork;
	bool exec_duration;
	bool control;		/* listen at control_path */
	const char *control_path;	/* NULL: the usual one */
	const char *metrics;	/* file of figures; NULL: none */
	uint64_t metrics_interval;	/* ns */
	bool status;		/* ask a running recorder, and record nothing */
	bool json;		/* its answer as it is */
	bool check;		/* say what can be recorded, and record nothing */
	bool quiet;
	bool verbose;
};

/*
 * Fills opt, to be freed in any case. Returns -1 to go on, or the exit code to end with: help and version
 * were printed to standard output, or one line about the mistake to stderr.
 */
int options_parse(int argc, char **argv, struct options *opt);

void options_free(struct options *opt);

/* Only processes of the command, and those of --pid, are recorded. */
static inline bool options_follow(const struct options *opt)
{
	return (opt->command && !opt->all) || filters_count(&opt->filters, FILTERS_PID);
}

/* It goes into several files, or some part of it, when asked for. */
static inline bool options_several(const struct options *opt)
{
	return opt->rotate_size || opt->rotate_time || opt->flight_bytes;
}

/* What is recorded is not everything. */
static inline bool options_select(const struct options *opt)
{
	bool any = options_follow(opt);

	for (unsigned kind = 0; kind < FILTERS_KINDS; kind++)
		any |= filters_count(&opt->filters, (enum filters_kind)kind) > 0;
	return any;
}

#endif
