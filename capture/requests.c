/* SPDX-License-Identifier: BSD-2-Clause */
#include "requests.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "dumper.h"
#include "output.h"
#include "progress.h"
#include "report.h"
#include "service.h"

static void ask(struct askers *a, uint64_t client)
{
	/* Those who have gone have left their numbers here. */
	if (a->n == CONTROL_CLIENTS) {
		a->n--;
		memmove(a->clients, a->clients + 1, a->n * sizeof(a->clients[0]));
	}
	a->clients[a->n++] = client;
}

static void answer(const struct requests *r, struct askers *a, bool ok, const char *text)
{
	while (a->n)
		service_answer(r->service, a->clients[--a->n], ok, text);
}

/* The next file begins, whatever is in this one. */
static void cut(struct requests *r)
{
	char path[4096];

	r->cut_files = output_now(r->rotation.output, path, sizeof(path));
	rotation_cut(&r->rotation);
}

/* NULL: it can be done. */
static const char *obstacle(const struct requests *r, bool possible, const char *why_not)
{
	if (!possible)
		return why_not;
	return r->rotation.runs ? NULL : "the recording has not begun, or ends";
}

void requests_trigger(struct requests *r, uint64_t client)
{
	const char *no = obstacle(r, output_dumps(r->rotation.output),
				  "this recording has no flight recorder");

	if (no) {
		service_answer(r->service, client, false, no);
		return;
	}
	ask(r->rotation.dumping ? &r->again : &r->now, client);
	rotation_dump(&r->rotation);
}

void requests_rotate(struct requests *r, uint64_t client)
{
	const struct output *o = r->rotation.output;
	const char *no = obstacle(r, output_is_series(o) && !output_dumps(o),
				  "this recording is not one of several files");

	if (no) {
		service_answer(r->service, client, false, no);
		return;
	}
	ask(&r->cutting, client);
	cut(r);
}

bool requests_signal(struct requests *r, const struct signalfd_siginfo *si)
{
	const struct output *o = r->rotation.output;

	if (si->ssi_signo == SIGUSR1) {
		rotation_dump(&r->rotation);
		return true;
	}
	/* The kernel sends it when the terminal is gone. */
	if (si->ssi_signo != SIGHUP || si->ssi_code == SI_KERNEL || !output_is_series(o))
		return false;
	/* What is in memory has no file that could begin. */
	if (output_dumps(o)) {
		rotation_cut(&r->rotation);
	} else if (r->rotation.runs) {
		if (!r->reloading)
			notify_reloading(&r->service->notify);
		r->reloading = true;
		cut(r);
	}
	return true;
}

void requests_dumped(struct requests *r)
{
	struct dump done;

	while (dumper_take(output_dumps(r->rotation.output), &done)) {
		bool ok = !done.error && done.path;

		progress_clear(r->service->progress);
		report_dump(r->rotation.options, &done);
		r->dump_failed |= done.error;
		r->dumps += done.bytes > 0;
		answer(r, &r->now, ok, ok ? done.path : strerror(done.error ? done.error : ENOMEM));
		free(done.path);
		r->now = r->again;
		r->again.n = 0;
		rotation_dumped(&r->rotation);
	}
}

void requests_answer(struct requests *r)
{
	char path[4096];

	if ((!r->cutting.n && !r->reloading) ||
	    output_now(r->rotation.output, path, sizeof(path)) <= r->cut_files)
		return;
	answer(r, &r->cutting, true, path);
	if (r->reloading)
		notify_ready(&r->service->notify, "recording to %s", path);
	r->reloading = false;
}
