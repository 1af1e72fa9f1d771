/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perfetto.h - executions as the JSON trace that ui.perfetto.dev and chrome://tracing
 * open (the Trace Event Format), written as rows come.
 *
 * Each process has a track. Each execution is a slice on it, from its exec to the next one
 * or the end of the process, and so is what a process did that was forked and executed
 * nothing. Failed execs are instants, flows lead from a slice to those that it forked, and
 * lost events are slices on tracks of their own. Times are microseconds with three
 * decimals since the first row, by the boot clock.
 *
 * Memory is that of the processes that live, and 8 MiB at most for the pids that had been
 * used before.
 */
#ifndef EXECTRACE_PERFETTO_H
#define EXECTRACE_PERFETTO_H

#include "input.h"
#include "out.h"

struct perfetto;

/* o is borrowed, also by the other calls. NULL: no memory. */
struct perfetto *perfetto_new(struct out *o);
/* A row in the order of time; it is shown if it matches. ET_OK or ET_NOMEM. */
int perfetto_row(struct perfetto *t, const struct input_row *row);
/* There are no more: ends what still ran, and the trace. */
void perfetto_end(struct perfetto *t);
void perfetto_free(struct perfetto *t);

#endif
