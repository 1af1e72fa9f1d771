/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * color.h - the few ways in which text of the table can stand out, and when it does.
 * These are all the escape sequences that this program ever writes.
 */
#ifndef EXECTRACE_COLOR_H
#define EXECTRACE_COLOR_H

#include <stdbool.h>

#include "out.h"

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum color {
	COLOR_NONE,
	COLOR_DIM,	/* what is there in every line */
	COLOR_NAME,	/* of a process */
	COLOR_WARN,	/* an exit code that is not 0 */
	COLOR_BAD,	/* an exec that failed */
	COLOR_FATAL,	/* a signal, a loss */
};

bool color_parse(const char *name, enum color_choice *choice);
/* Whether there is to be any, on standard output as it is now and by the environment. */
bool color_wanted(enum color_choice choice);
void color_begin(struct out *o, enum color color);
void color_end(struct out *o, enum color color);

#endif
