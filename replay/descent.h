/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * descent.h - which rows are about certain processes, or about any that descends from
 * them (--descendants-of).
 */
#ifndef EXECTRACE_DESCENT_H
#define EXECTRACE_DESCENT_H

#include "pids.h"
#include "processes.h"

struct descent;

/* roots: borrowed; every process that has one of these pids, at whatever time. NULL: no memory. */
struct descent *descent_new(const struct pids *roots);
void descent_free(struct descent *d);
/*
 * The next row of all, as for processes_take, and whether it is about one of them. Rows of
 * kind lost are: whose events are lost nobody knows. ET_OK or ET_NOMEM.
 */
int descent_take(struct descent *d, const struct input_row *row, bool *within);

#endif
