/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * say.h - one line to standard error, in the recorder's name. Only main.c and the
 * parts that speak to the user call it; always from the main thread.
 *
 * Where standard error is the journal (JOURNAL_STREAM, systemd.exec(5)), a line begins with
 * its level (sd-daemon(3)) and not with the name, which the journal shows itself.
 */
#ifndef EXECTRACE_SAY_H
#define EXECTRACE_SAY_H

#include <stddef.h>

/* As syslog numbers them. */
enum say_level {
	SAY_ERROR = 3,		/* it ends the recording, or keeps it from beginning */
	SAY_WARNING = 4,	/* the recording has less than it should: losses, failed syncs */
	SAY_NOTICE = 5,		/* how it ended */
	SAY_INFO = 6,		/* what --verbose tells */
};

/*
 * Prints "exectrace record: ", the text and a newline, in one write. The text may
 * name files and commands: what a terminal would obey, or would not show, and what
 * is not UTF-8, comes out as bytes in octal ("\033"). Text over 4 KiB is cut.
 */
void say_at(enum say_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An error. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The text as say prints it, to somewhere else: to has room for 4 times its length and a
 * NUL. Returns its length.
 */
size_t say_shown(char *to, const char *text);

#endif
