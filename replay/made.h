/* SPDX-License-Identifier: BSD-2-Clause */
/* made.h - what the commands that make a capture from captures have in common. */
#ifndef EXECTRACE_MADE_H
#define EXECTRACE_MADE_H

#include "command.h"
#include "rewrite.h"

/* Fills in what is the command's own; names, output and the like are there. */
typedef void made_fn(struct options *opt, struct rewrite_options *rewrite);
/* Added to an exit code: there is nothing to keep. */
#define MADE_NOTHING 64

/*
 * Calls inside, which writes dest, in a process of its own, and gives the file its name
 * unless that returns an exit code with MADE_NOTHING. Closes dest. Returns the exit code.
 */
int made_keep(struct dest *dest, int (*inside)(void *ctx), void *ctx);
/* Runs the command: parses options, makes the capture, says what came of it. */
int made_run(const struct command *c, int argc, char **argv, made_fn *fill);

#endif
