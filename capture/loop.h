/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - the recording itself: the one thread that empties the ring, and that
 * signals, the clock, the writer and the command's end come to.
 *
 * When nothing is executed it sleeps without a timer. It always ends in order: the
 * programs are detached, the ring is emptied, the queue is closed, and the writer
 * has ended the file. Privilege is dropped when the capture has got its name, before
 * the command is let go.
 */
#ifndef EXECTRACE_LOOP_H
#define EXECTRACE_LOOP_H

#include <exectrace.h>
#include <sys/types.h>

struct command;
struct drain;
struct options;
struct output;
struct probe;
struct progress;
struct queue;
struct service;
struct writer;

#define LOOP_SERVANTS 5

/* All borrowed. */
struct loop {
	const struct options *options;
	struct probe *probe;
	struct drain *drain;
	struct queue *queue;
	struct writer *writer;
	struct output *output;
	struct progress *progress;
	struct command *command;	/* NULL: none */
	struct service *service;
	int signals;			/* signalfd */
	pid_t servants[LOOP_SERVANTS];	/* 0: none */
};

struct loop_result {
	uint64_t began, ended;	/* ns of the boot clock */
	int signo;		/* that ended it although the command runs; else 0 */
	int release_error;	/* errno: the command could not be let go */
	int hurry_error;	/* errno: --nice or --realtime could not be */
	int keep_error;		/* errno: the capture could not get its name */
	int drop_error;		/* errno: privilege could not be dropped */
	bool dump_failed;	/* not all that was in memory could be written */
};

/*
 * Returns 0 when the writer is done, whether it could write or not; an errno when
 * the loop could not be set up, with nothing recorded. The queue is closed then.
 */
int loop_run(const struct loop *l, struct loop_result *result);

/*
 * When the recording is over and the command is not: waits for its end, passing
 * signals on as before. False: a signal asked not to wait any longer, *signo.
 */
bool loop_wait_command(const struct loop *l, int *signo);

#endif
