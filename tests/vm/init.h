/* SPDX-License-Identifier: BSD-2-Clause */
/* init.h - the parts of init.c, which says what it is for. */
#ifndef INIT_H
#define INIT_H

#include <stdbool.h>

struct step {
	const char *name, *settings;
	int seconds;
	char **argv;
};

/* A line on the console. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Unless ok, says what and errno and ends: the step, or where nothing can be said of any,
 * the guest. The host sees that no result came.
 */
void need(bool ok, const char *what);

/* What the step is to lack or to have, in its process before it executes. */
void apply_settings(const struct step *step);

/* Sends the files of /out through the terminal that the kernel's command line names:
 * results=PATH. */
void ship_results(void);

#endif
