/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - the last words of a recording: what failed, what was lost, and one line
 * that sums it up.
 */
#ifndef EXECTRACE_REPORT_H
#define EXECTRACE_REPORT_H

#include <exectrace.h>

#include "writer.h"

struct options;
struct output;

struct report {
	const struct options *options;
	struct output *output;
	struct writer_report writer;
	uint64_t lost[ET_CAUSE_END];	/* before the writer */
	uint64_t elapsed;		/* ns */
};

struct dump;

/* What was in memory was written to a file, or was not. */
void report_dump(const struct options *opt, const struct dump *dump);

/* Closes the output's file and says how it went. EXIT_DONE or EXIT_FAILED. */
int report_say(const struct report *r);

#endif
