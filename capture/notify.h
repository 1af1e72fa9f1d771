/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.h - what a service manager is told: that the recording has begun, that it goes
 * on, that it ends. The protocol of sd_notify(3), which is stable and documented there: a
 * datagram of assignments to the socket that $NOTIFY_SOCKET names. libsystemd would bring
 * with it a library, and what that is linked to, for these few bytes.
 *
 * Nothing is told, and nothing is due, where nobody asked for it.
 */
#ifndef EXECTRACE_NOTIFY_H
#define EXECTRACE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;			/* -1: nobody is told */
	uint64_t every;		/* ns between signs of life; 0: none are asked for */
	uint64_t due;		/* the next one, ns of the boot clock */
};

/*
 * Takes what concerns us out of the environment, so that no child believes to be meant,
 * and connects. 0, or an errno: there is such a socket, but it cannot be reached.
 */
int notify_open(struct notify *n);

/* fmt: how it goes, in words. */
void notify_ready(const struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void notify_status(const struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What was asked for by a signal begins; notify_ready follows when it is done. */
void notify_reloading(const struct notify *n);
void notify_stopping(const struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* When a sign of life is to be given at the latest; UINT64_MAX: never. */
uint64_t notify_due(const struct notify *n);
/* Gives it, if it is due: to be called by what must not hang. */
void notify_alive(struct notify *n, uint64_t now);

/* fd may be -1. */
void notify_close(struct notify *n);

#endif
