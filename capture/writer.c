/* SPDX-License-Identifier: BSD-2-Clause */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "chain.h"
#include "output.h"
#include "privilege.h"
#include "queue.h"

struct writer {
	struct writer_setup setup;
	pthread_t thread;
	int event;
	_Atomic int state;
	_Atomic uint64_t bytes;
	struct notes notes;
	struct chain chain;		/* the thread's, and the caller's when the state is DONE */
	uint64_t outcomes;	/* of the chain, when it was looked at last */

	/* Set before the queue is closed, read after it. */
	struct et_clock ended;
	uint64_t end_lost[ET_CAUSE_END];
	const char *end_reason;
};

static void set_state(struct writer *w, enum writer_state state)
{
	const uint64_t one = 1;

	atomic_store(&w->bytes, chain_bytes(&w->chain));
	atomic_store(&w->state, state);
	/* Fails only when the counter is full, and then it is readable anyway. */
	if (write(w->event, &one, sizeof(one)) < 0)
		return;
}

/* What the chain has come to; tells the other thread if that, a note or a file is new, or there is none. */
static void show(struct writer *w)
{
	enum writer_state state = !w->chain.failed ? WRITER_RUNNING
				  : w->chain.living && w->chain.begun ? WRITER_BLOCKED
								      : WRITER_FAILED;

	if (state != writer_state(w) || notes_any(&w->notes) ||
	    w->outcomes != w->chain.outcomes)
		set_state(w, state);
	else
		atomic_store(&w->bytes, chain_bytes(&w->chain));
	w->outcomes = w->chain.outcomes;
}

/* From here on it writes what is open. */
static bool drop(struct writer *w)
{
	int error = privilege_drop(0);

	if (!error)
		return true;
	w->chain.failed = true;
	w->chain.begun = false;
	w->chain.report.error = (struct et_error){ ET_IO, error, 0, "cannot drop privilege" };
	return false;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct parcel *p;

	if (chain_begin(&w->chain) && drop(w))
		output_begun(w->setup.output);
	show(w);
	while ((p = queue_get(w->setup.queue))) {
		chain_take(&w->chain, p);
		queue_return(w->setup.queue, p);
		show(w);
	}
	chain_finish(&w->chain, w->ended, w->end_lost, w->end_reason);
	output_sync_end(w->setup.output);
	set_state(w, WRITER_DONE);
	return NULL;
}

static void writer_free(struct writer *w)
{
	chain_free(&w->chain);
	notes_free(&w->notes);
	if (w->event >= 0)
		close(w->event);
	free(w);
}

int writer_start(const struct writer_setup *setup, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));
	int ret = ENOMEM;

	*out = NULL;
	if (!w)
		return ret;
	notes_init(&w->notes);
	w->setup = *setup;
	w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!chain_init(&w->chain, &w->setup, &w->notes))
		ret = ENOMEM;
	else if (w->event < 0)
		ret = errno;
	else
		ret = pthread_create(&w->thread, NULL, writer_main, w);
	if (ret)
		writer_free(w);
	else
		*out = w;
	return ret;
}

enum writer_state writer_state(const struct writer *w)
{
	return (enum writer_state)atomic_load(&w->state);
}

int writer_fd(const struct writer *w)
{
	return w->event;
}

void writer_fd_clear(struct writer *w)
{
	uint64_t n;

	while (read(w->event, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

uint64_t writer_bytes(const struct writer *w)
{
	return atomic_load(&w->bytes);
}

bool writer_take_note(struct writer *w, char note[NOTE_SIZE])
{
	return notes_take(&w->notes, note);
}

void writer_set_end(struct writer *w, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		    const char *reason)
{
	w->ended = ended;
	memcpy(w->end_lost, lost, sizeof(w->end_lost));
	w->end_reason = reason;
}

void writer_report(const struct writer *w, struct writer_report *out)
{
	*out = w->chain.report;
}

void writer_close(struct writer *w)
{
	if (!w)
		return;
	pthread_join(w->thread, NULL);
	writer_free(w);
}
