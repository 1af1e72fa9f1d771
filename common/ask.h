/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.h - a question to a running recorder, through its control socket.
 *
 * The socket is a UNIX one of type SOCK_SEQPACKET. A connection carries one question and
 * its answer, a packet each. The question is one word. The answer is "ok" or "error", a
 * space, and text:
 *
 *	status	one JSON object: what there is to tell of the recording
 *	show	the same as lines to read
 *	trigger	later: the name of the file that the flight recorder has written
 *	rotate	later: the name of the file that begins
 */
#ifndef EXECTRACE_ASK_H
#define EXECTRACE_ASK_H

#include <stdbool.h>
#include <stddef.h>

/* Where a recorder listens that was told no other place. */
#define ASK_PATH "/run/exectrace/control"

#define ASK_QUESTION 32u  /* bytes of a question at most */
#define ASK_ANSWER 16384u /* of an answer at most */

struct ask_answer {
	bool ok;
	size_t len;
	char text[ASK_ANSWER + 1]; /* NUL-terminated */
};

/*
 * patience_ms: how long to wait for the answer; -1: as long as the recorder lives. Returns
 * 0, or an errno value for ask_failure.
 */
int ask(const char *path, const char *question, int patience_ms, struct ask_answer *out);

/* One clause about what went wrong, and what to do. */
void ask_failure(int error, const char *path, char *text, size_t size);

#endif
