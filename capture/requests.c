/* SPDX-License-Identifier: BSD-2-Clause */
#include "requests.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dumper.h"
#include "output.h"
#include "progress.h"
#include "report.h"
#include "series.h"
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
	struct output_now now;

	output_now(r->rotation.output, &now);
	r->cut_files = now.files;
	r->cut_failures = now.failures;
	rotation_cut(&r->rotation);
}

/* NULL: it can be done. */
static const char *obstacle(const struct requests *r, bool possible, const char *why_not)
{
	if (!possible)
		return why_not;
	return r->rotation.phase == ROTATION_OVER ? "the recording ends" : NULL;
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
		return true;
	}
	/* Before, it is told that the recording has begun. */
	if (r->rotation.phase == ROTATION_RUNS && !r->reloading) {
		notify_reloading(&r->service->notify);
		r->reloading = true;
	}
	cut(r);
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
		answer(r, &r->now, ok, ok ? done.path : series_why(done.error ? done.error : ENOMEM));
		free(done.path);
		r->now = r->again;
		r->again.n = 0;
		rotation_dumped(&r->rotation);
	}
}

void requests_answer(struct requests *r)
{
	struct output_now now;
	char why_not[160];
	bool ok;

	if (!r->cutting.n && !r->reloading)
		return;
	output_now(r->rotation.output, &now);
	ok = now.files > r->cut_files;
	if (!ok && now.failures == r->cut_failures)
		return;
	snprintf(why_not, sizeof(why_not), "cannot begin the next file: %s", now.why_not);
	answer(r, &r->cutting, ok, ok ? now.path : why_not);
	if (r->reloading)
		notify_ready(&r->service->notify, ok ? "recording to %s" : "%s", ok ? now.path : why_not);
	r->reloading = false;
}
