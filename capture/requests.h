/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests.h - what others ask of a recording that goes on: the next file, or what is in
 * memory, by a signal or through the control socket. Who asked is told when it is done.
 *
 * Used by the loop's thread.
 */
#ifndef EXECTRACE_REQUESTS_H
#define EXECTRACE_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "control.h"
#include "rotation.h"

struct service;

/* Who has asked for a file, and gets its name when there is one. */
struct askers {
	uint64_t clients[CONTROL_CLIENTS];
	unsigned n;
};

struct requests {
	struct rotation rotation;
	struct service *service;	/* borrowed; whose progress line is cleared first */
	struct askers now, again;	/* for what is in memory */
	uint64_t dumps;			/* files that came of it */
	bool dump_failed;		/* some of them, or a part */
	struct askers cutting;		/* for the next file, */
	bool reloading;			/* and the service manager, too, */
	uint64_t cut_files, cut_failures;	/* when either is more than that */
};

/* Answered now, or when it is done. */
void requests_trigger(struct requests *r, uint64_t client);
void requests_rotate(struct requests *r, uint64_t client);
/* True: the signal was not for the recording's end. */
bool requests_signal(struct requests *r, const struct signalfd_siginfo *si);
/* A dumper has done something: tells the user and who asked. */
void requests_dumped(struct requests *r);
/* Tells who waits for the next file, if that has begun or cannot. */
void requests_answer(struct requests *r);

#endif
