/* SPDX-License-Identifier: BSD-2-Clause */
#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "options.h"
#include "progress.h"
#include "say.h"
#include "servant.h"
#include "sockfile.h"
#include "status.h"

void service_begin(struct service *sv)
{
	int error = notify_open(&sv->notify);

	if (error)
		say_at(SAY_WARNING, "cannot reach the service manager at $NOTIFY_SOCKET: %s",
		       strerror(error));
	sv->directory = getcwd(NULL, 0);
}

int service_start_servants(struct service *sv, const struct options *opt)
{
	int error = 0;

	sv->metrics.interval = opt->metrics_interval;
	if (opt->metrics)
		error = servant_start("exectrace-stats", 0, metrics_serve, &sv->metrics.servant);
	if (!error && opt->control)
		error = servant_start("exectrace-sock", SOCKFILE_PRIVILEGE, sockfile_serve, &sv->remover);
	return error;
}

void service_servants(const struct service *sv, pid_t out[SERVICE_SERVANTS])
{
	out[0] = sv->metrics.servant ? servant_pid(sv->metrics.servant) : 0;
	out[1] = sv->remover ? servant_pid(sv->remover) : 0;
}

bool service_open(struct service *sv, const struct options *opt)
{
	struct control_error err;
	int error;

	sv->control_path = opt->control_path ? opt->control_path : ASK_PATH;
	if (opt->control && !control_open(sv->control_path, servant_fd(sv->remover), &sv->control, &err)) {
		say("%s", err.text);
		return false;
	}
	sv->metrics.path = opt->metrics;
	error = opt->metrics ? metrics_open(&sv->metrics) : 0;
	if (!error)
		return true;
	/* There is nothing to remove. */
	sv->metrics.path = NULL;
	say("--metrics: cannot write '%s': %s%s", opt->metrics, strerror(error),
	    error == EACCES ? "; its directory has to be one that the recorder's user may write to, "
			      "without capabilities" : "");
	return false;
}

void service_ready(struct service *sv, const char *name)
{
	notify_ready(&sv->notify, "recording to %s", name);
	sv->metrics.due = 0;
}

int service_fd(const struct service *sv)
{
	return sv->control ? control_fd(sv->control) : -1;
}

struct asking {
	struct service *service;
	const struct service_calls *calls;
};

static void on_request(void *ctx, uint64_t client, enum control_request request)
{
	const struct asking *a = ctx;
	const struct service_calls *calls = a->calls;
	struct status st;
	char *text;

	if (request == CONTROL_TRIGGER) {
		calls->trigger(calls->ctx, client);
	} else if (request == CONTROL_ROTATE) {
		calls->rotate(calls->ctx, client);
	} else {
		calls->status(calls->ctx, &st);
		text = request == CONTROL_STATUS ? status_json(&st) : status_lines(&st);
		control_answer(a->service->control, client, text, text ? text : "no memory");
		free(text);
	}
}

static void write_metrics(struct service *sv, const struct service_calls *calls, uint64_t now)
{
	struct status st;
	char *text;
	int error;

	calls->status(calls->ctx, &st);
	text = status_metrics(&st);
	error = metrics_write(&sv->metrics, text ? text : "", now);
	free(text);
	/* Once: a full disk would be told every time. */
	if (error && error != sv->metrics_error) {
		progress_clear(sv->progress);
		say_at(SAY_WARNING, "cannot write %s: %s; recording goes on", sv->metrics.path,
		       strerror(error));
	}
	sv->metrics_error = error;
}

uint64_t service_turn(struct service *sv, const struct service_calls *calls, uint64_t now)
{
	struct asking a = { sv, calls };
	uint64_t due;

	notify_alive(&sv->notify, now);
	due = notify_due(&sv->notify);
	if (metrics_due(&sv->metrics) <= now)
		write_metrics(sv, calls, now);
	if (metrics_due(&sv->metrics) < due)
		due = metrics_due(&sv->metrics);
	if (sv->control) {
		control_serve(sv->control, now, on_request, &a);
		if (control_due(sv->control) < due)
			due = control_due(sv->control);
	}
	return due;
}

void service_answer(struct service *sv, uint64_t client, bool ok, const char *text)
{
	char path[4096];

	if (!sv->control)
		return;
	if (ok && *text != '/' && sv->directory) {
		snprintf(path, sizeof(path), "%s/%s", sv->directory, text);
		text = path;
	}
	control_answer(sv->control, client, ok, text);
}

void service_end(struct service *sv)
{
	int error = sv->metrics.path ? metrics_remove(&sv->metrics) : 0;

	if (error)
		say_at(SAY_WARNING, "cannot remove %s: %s", sv->metrics.path, strerror(error));
	sv->metrics.path = NULL;
	if (!sv->control)
		return;
	control_close(sv->control);
	sv->control = NULL;
	error = sockfile_remove(servant_fd(sv->remover));
	if (error)
		say_at(SAY_WARNING, "cannot remove %s: %s", sv->control_path, strerror(error));
}

void service_close(struct service *sv)
{
	service_end(sv);
	notify_close(&sv->notify);
	servant_close(sv->metrics.servant);
	sv->metrics.servant = NULL;
	servant_close(sv->remover);
	sv->remover = NULL;
	free(sv->directory);
	sv->directory = NULL;
}
