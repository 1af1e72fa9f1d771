/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * say.h - lines to the user on stderr. Only main.c, report.c and cmd_*.c speak;
 * what lies below them returns its reason in a struct reason.
 */
#ifndef EXECTRACE_SAY_H
#define EXECTRACE_SAY_H

/* Exit codes of every command. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DAMAGED = 3, /* damaged, cut off, or losses with --fail-on-loss */
};

/* Why something failed: one clause, and the exit code it deserves. */
struct reason {
	enum exit_code code;
	char text[512];
	char line[80], caret[80]; /* what was read, and a caret below where it is wrong; or empty */
};

/* Fills *why, without lines below, and returns -1. */
int reason_set(struct reason *why, enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The word behind "exectrace" in every line; NULL: none. Borrowed. */
void say_as(const char *command);
/* "exectrace replay: TEXT" and a newline, with every unsafe byte escaped. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
