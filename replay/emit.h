/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emit.h - what the commands have in common that make a text of captures: it goes to
 * standard output or, with -o, into a file that is there when it is whole.
 */
#ifndef EXECTRACE_EMIT_H
#define EXECTRACE_EMIT_H

#include "command.h"
#include "made.h"

/*
 * Writes the text. Takes over the sources, not the array. Returns the exit code, with
 * MADE_NOTHING added when nothing of it is worth keeping.
 */
typedef int emit_fn(struct source **sources, size_t n, struct options *opt, struct out *o,
		    void *ctx);
/* Opens the captures that the options name and calls fn in the sandbox. The exit code. */
int emit_run(const struct command *c, struct options *opt, emit_fn *fn, void *ctx);

#endif
