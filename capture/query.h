/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query.h - record --status: what a recorder that runs says of itself.
 */
#ifndef EXECTRACE_QUERY_H
#define EXECTRACE_QUERY_H

struct options;

/* Prints it to standard output. The exit code. */
int query_status(const struct options *opt);

#endif
