/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service.h - what a recording that always runs has for those around it: the control
 * socket, the service manager, the file of figures. The loop goes round through it.
 */
#ifndef EXECTRACE_SERVICE_H
#define EXECTRACE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control.h"
#include "metrics.h"
#include "notify.h"

struct options;
struct progress;
struct servant;
struct status;

struct service {
	struct control *control;	/* NULL: nobody asks */
	const char *control_path;
	struct notify notify;
	struct servant *remover;	/* of the control socket */
	struct metrics metrics;
	struct progress *progress;	/* borrowed; cleared before anything is said */
	char *directory;		/* where we were started; NULL: not known */
	int metrics_error;		/* the one that was told last */
};

/* What the loop does for those who ask. trigger and rotate answer client, now or later. */
struct service_calls {
	void (*status)(void *ctx, struct status *st);
	void (*trigger)(void *ctx, uint64_t client);
	void (*rotate)(void *ctx, uint64_t client);
	void *ctx;
};

/* First of all: what the service manager has said to us goes no further. */
void service_begin(struct service *sv);
/* Those for --metrics and --control, where these were asked for. 0 or an errno. */
int service_start_servants(struct service *sv, const struct options *opt);
#define SERVICE_SERVANTS 2
/* 0: was not started. */
void service_servants(const struct service *sv, pid_t out[SERVICE_SERVANTS]);
/* Before the capture is begun. False: it was said why not. */
bool service_open(struct service *sv, const struct options *opt);

/* The recording has begun; it goes to what is called name. */
void service_ready(struct service *sv, const char *name);

/* Readable when service_turn has something to do; -1: never. */
int service_fd(const struct service *sv);
/*
 * Once each time that the loop goes round: does what is due, and never waits. Returns when to
 * come again at the latest, ns of the boot clock; UINT64_MAX: when service_fd is readable.
 */
uint64_t service_turn(struct service *sv, const struct service_calls *calls, uint64_t now);
/* ok: text is the path of a file, relative to where we were started or absolute; else why not. */
void service_answer(struct service *sv, uint64_t client, bool ok, const char *text);

/* The recording is over: nobody is served any more, and socket and file of figures are removed. */
void service_end(struct service *sv);
/* The same, and frees what is left. */
void service_close(struct service *sv);

#endif
