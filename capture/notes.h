/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notes.h - what one thread has to tell the user, for the thread that speaks.
 */
#ifndef EXECTRACE_NOTES_H
#define EXECTRACE_NOTES_H

#include <pthread.h>
#include <stdbool.h>

#define NOTE_SIZE 1024	/* bytes, with its NUL */
#define NOTES 4		/* that wait at most: what comes then is dropped */

struct notes {
	pthread_mutex_t lock;
	unsigned n;
	char text[NOTES][NOTE_SIZE];
};

void notes_init(struct notes *n);
void notes_free(struct notes *n);
void notes_put(struct notes *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool notes_any(struct notes *n);
/* The oldest. False: there is none. */
bool notes_take(struct notes *n, char text[NOTE_SIZE]);

#endif
