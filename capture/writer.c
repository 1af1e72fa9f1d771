/* SPDX-License-Identifier: BSD-2-Clause */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ids.h"
#include "names.h"
#include "output.h"
#include "queue.h"

/* As in drain.c: where a PROC record is closed. */
#define PROC_ROWS 16384u
#define PROC_BYTES (1u << 20)

struct writer {
	struct writer_setup setup;
	pthread_t thread;
	int event;
	_Atomic int state;
	_Atomic uint64_t bytes;

	/* The thread's own. */
	struct et_writer *out;
	struct names *names;
	uint64_t whole;			/* bytes up to the last whole record */
	struct writer_report report;	/* the caller's when the state is DONE */
	struct et_batch *procs;
	struct id_set proc_seen[ID_KINDS];
	struct id_list proc_ids;

	/* Set before the queue is closed, read after it. */
	uint64_t end_ts;
	uint64_t end_lost[ET_CAUSE_END];
	const char *end_reason;
};

static void set_state(struct writer *w, enum writer_state state)
{
	const uint64_t one = 1;

	atomic_store(&w->state, state);
	/* Fails only when the counter is full, and then it is readable anyway. */
	if (write(w->event, &one, sizeof(one)) < 0)
		return;
}

/* After each call into the format library: notes how far the file is whole. */
static bool wrote(struct writer *w, int code)
{
	struct et_writer_stats stats;

	if (code != ET_OK)
		return false;
	et_writer_stats(w->out, &stats);
	w->whole = stats.bytes;
	atomic_store(&w->bytes, stats.bytes);
	return true;
}

static bool write_procs(struct writer *w)
{
	static const uint64_t nothing_lost[ET_CAUSE_END];
	struct et_error *err = &w->report.error;
	bool ok;

	ok = wrote(w, names_write(w->names, w->out, &w->proc_ids, err)) &&
	     wrote(w, et_writer_batch(w->out, ET_REC_PROC, w->procs, nothing_lost,
				      w->setup.clock.offset, err));
	et_batch_reset(w->procs);
	w->proc_ids.n = 0;
	return ok;
}

/* Negative: the file failed; positive: an errno. */
static int take_proc(void *ctx, const struct et_event *ev)
{
	struct writer *w = ctx;
	struct et_error err;
	int code = et_batch_add(w->procs, ev, &err);

	if (code == ET_LIMIT) {
		if (!write_procs(w))
			return -1;
		code = et_batch_add(w->procs, ev, &err);
	}
	if (code == ET_NOMEM) {
		w->report.error = err;
		return -1;
	}
	/* One that could not be read back (a name in /proc over a limit) is left out. */
	if (code != ET_OK)
		return 0;
	ids_note(ev, w->proc_seen, &w->proc_ids);
	if (et_batch_rows(w->procs) >= PROC_ROWS || et_batch_bytes(w->procs) >= PROC_BYTES)
		return write_procs(w) ? 0 : -1;
	return 0;
}

static bool write_snapshot(struct writer *w)
{
	int ret;

	w->procs = et_batch_new();
	if (!w->procs) {
		w->report.error = (struct et_error){ .code = ET_NOMEM, .what = "no memory" };
		return false;
	}
	ret = snapshot_scan(&w->setup.snapshot, take_proc, w);
	if (ret > 0)
		w->report.snapshot_error = ret;
	return ret >= 0 && write_procs(w);
}

/* What a capture begins with. */
static bool begin(struct writer *w)
{
	const struct writer_setup *s = &w->setup;
	struct et_error *err = &w->report.error;
	struct et_io io;

	output_io(s->output, &io);
	return et_writer_open(&io, &s->options, &w->out, err) == ET_OK && wrote(w, ET_OK) &&
	       wrote(w, et_writer_host(w->out, s->pairs, s->n_pairs, err)) &&
	       wrote(w, et_writer_clock(w->out, &s->clock, 1, err)) &&
	       (!s->with_snapshot || write_snapshot(w));
}

static bool write_parcel(struct writer *w, const struct parcel *p)
{
	struct et_error *err = &w->report.error;

	if (p->n_clocks && !wrote(w, et_writer_clock(w->out, p->clocks, p->n_clocks, err)))
		goto fail;
	if (!wrote(w, names_write(w->names, w->out, &p->ids, err)) ||
	    !wrote(w, et_writer_batch(w->out, ET_REC_CHUNK, p->rows, p->lost, p->realtime, err)))
		goto fail;
	return wrote(w, et_writer_batch(w->out, ET_REC_LOST, p->losses, p->lost, p->realtime,
					err));
fail:
	w->report.unwritten += et_batch_rows(p->rows);
	return false;
}

/* The file stays readable up to its last whole record. */
static void give_up(struct writer *w)
{
	w->report.trim_error = output_trim(w->setup.output, w->whole);
	atomic_store(&w->bytes, w->whole);
	set_state(w, WRITER_FAILED);
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	bool ok = begin(w);
	struct parcel *p;

	if (ok)
		set_state(w, WRITER_RUNNING);
	else
		give_up(w);
	while ((p = queue_get(w->setup.queue))) {
		if (!ok) {
			w->report.unwritten += et_batch_rows(p->rows);
		} else if (!write_parcel(w, p)) {
			ok = false;
			give_up(w);
		}
		queue_return(w->setup.queue, p);
	}
	if (ok && !wrote(w, et_writer_end(w->out, w->end_ts, w->end_lost, w->end_reason,
					  &w->report.error)))
		give_up(w);
	if (w->out)
		et_writer_stats(w->out, &w->report.stats);
	w->report.stats.bytes = w->whole;
	et_writer_close(w->out);
	set_state(w, WRITER_DONE);
	return NULL;
}

int writer_start(const struct writer_setup *setup, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));
	int ret = ENOMEM;

	*out = NULL;
	if (!w)
		return ret;
	w->setup = *setup;
	w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->event < 0) {
		ret = errno;
		goto fail;
	}
	w->names = names_new(setup->snapshot.cgroup_mount);
	if (!w->names)
		goto fail;
	ret = pthread_create(&w->thread, NULL, writer_main, w);
	if (ret)
		goto fail;
	*out = w;
	return 0;
fail:
	names_free(w->names);
	if (w->event >= 0)
		close(w->event);
	free(w);
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

void writer_set_end(struct writer *w, uint64_t ts, const uint64_t lost[ET_CAUSE_END],
		    const char *reason)
{
	w->end_ts = ts;
	memcpy(w->end_lost, lost, sizeof(w->end_lost));
	w->end_reason = reason;
}

void writer_report(const struct writer *w, struct writer_report *out)
{
	*out = w->report;
}

void writer_close(struct writer *w)
{
	if (!w)
		return;
	pthread_join(w->thread, NULL);
	names_free(w->names);
	et_batch_free(w->procs);
	for (unsigned i = 0; i < ID_KINDS; i++)
		id_set_free(&w->proc_seen[i]);
	id_list_free(&w->proc_ids);
	close(w->event);
	free(w);
}
