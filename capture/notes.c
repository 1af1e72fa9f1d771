/* SPDX-License-Identifier: BSD-2-Clause */
#include "notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void notes_init(struct notes *n)
{
	pthread_mutex_init(&n->lock, NULL);
	n->n = 0;
}

void notes_free(struct notes *n)
{
	pthread_mutex_destroy(&n->lock);
}

void notes_put(struct notes *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&n->lock);
	if (n->n < NOTES)
		vsnprintf(n->text[n->n++], NOTE_SIZE, fmt, ap);
	pthread_mutex_unlock(&n->lock);
	va_end(ap);
}

bool notes_any(struct notes *n)
{
	bool any;

	pthread_mutex_lock(&n->lock);
	any = n->n;
	pthread_mutex_unlock(&n->lock);
	return any;
}

bool notes_take(struct notes *n, char text[NOTE_SIZE])
{
	bool any;

	pthread_mutex_lock(&n->lock);
	any = n->n;
	if (any) {
		memcpy(text, n->text[0], NOTE_SIZE);
		memmove(n->text[0], n->text[1], --n->n * sizeof(n->text[0]));
	}
	pthread_mutex_unlock(&n->lock);
	return any;
}
