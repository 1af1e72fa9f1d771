/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - the control socket of a recording: who may, asks how it goes, or for
 * something to be done. What is said there: common/ask.h.
 *
 * Served by the loop, which never waits for a client: one that does not ask at once, asks
 * in another way, or does not take its answer, is dropped. A few are served at a time,
 * each is looked at once and then not for some hundredths of a second, so that whoever asks
 * without end has no part in how often the loop goes round.
 */
#ifndef EXECTRACE_CONTROL_H
#define EXECTRACE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;

#define CONTROL_CLIENTS 8u /* that are served at a time */

/* What is asked for. */
enum control_request {
	CONTROL_STATUS,
	CONTROL_SHOW,
	CONTROL_TRIGGER,
	CONTROL_ROTATE,
	CONTROL_REQUESTS,
};

/* One clause about what went wrong. */
struct control_error {
	char text[512];
};

/*
 * Listens at path, which is borrowed until then. What a recorder that is gone has left
 * there is replaced; a living one is an error. The directory of the usual place (ask.h) is
 * made by root. Before privilege is dropped. remover: where sockfile_serve answers,
 * which is to remove the socket in the end; -1: nobody does.
 */
bool control_open(const char *path, int remover, struct control **out, struct control_error *err);

/* Readable when there is something to do, or when control_due has come. */
int control_fd(const struct control *c);
/* ns of the boot clock; UINT64_MAX: nothing is due. */
uint64_t control_due(const struct control *c);

/*
 * client: to be answered once, in the call or later; a number never used again, so that
 * one that has gone meanwhile can be answered all the same.
 */
typedef void control_fn(void *ctx, uint64_t client, enum control_request request);
void control_serve(struct control *c, uint64_t now, control_fn *fn, void *ctx);

/* ok: text is the answer; else why there is none. */
void control_answer(struct control *c, uint64_t client, bool ok, const char *text);

/* Nobody is answered any more. The socket stays until its remover is asked. NULL is fine. */
void control_close(struct control *c);

#endif
