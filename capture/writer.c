/* SPDX-License-Identifier: BSD-2-Clause */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "binaries.h"
#include "ids.h"
#include "names.h"
#include "output.h"
#include "privilege.h"
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
	uint64_t told[ET_CAUSE_END];	/* losses whose rows are in the file */
	uint64_t first;			/* ts of the first row that was not written */
	struct et_batch *procs;
	struct ids proc_ids;

	/* Set before the queue is closed, read after it. */
	struct et_clock ended;
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

/* The same after a record that may hold rows. */
static bool wrote_rows(struct writer *w, int code)
{
	if (!wrote(w, code))
		return false;
	output_sync_rows(w->setup.output);
	return true;
}

static bool write_procs(struct writer *w)
{
	static const uint64_t nothing_lost[ET_CAUSE_END];
	struct et_error *err = &w->report.error;
	bool ok;

	ok = wrote(w, names_write(w->names, w->out, &w->proc_ids, err)) &&
	     wrote(w, binaries_write(w->setup.binaries, &w->proc_ids, w->out, err)) &&
	     wrote(w, et_writer_batch(w->out, ET_REC_PROC, w->procs, nothing_lost, err));
	et_batch_reset(w->procs);
	ids_clear(&w->proc_ids);
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
	ids_note(&w->proc_ids, ev);
	binaries_note(w->setup.binaries, &w->proc_ids, ev, NULL);
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

/* From here on it writes what is open. */
static bool drop(struct writer *w)
{
	int error = privilege_drop(0);

	if (error)
		w->report.error = (struct et_error){ ET_IO, error, w->whole, "cannot drop privilege" };
	return !error;
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
	       (!s->with_snapshot || write_snapshot(w)) && drop(w);
}

static void note_first(struct writer *w, const struct et_batch *b)
{
	uint64_t first, last;

	if (et_batch_times(b, &first, &last) && first < w->first)
		w->first = first;
}

static void drop_parcel(struct writer *w, const struct parcel *p)
{
	note_first(w, p->rows);
	note_first(w, p->losses);
	w->report.unwritten += et_batch_rows(p->rows);
}

static bool write_parcel(struct writer *w, const struct parcel *p)
{
	struct et_error *err = &w->report.error;

	if (!wrote(w, names_write(w->names, w->out, &p->ids, err)) ||
	    !wrote(w, binaries_write(w->setup.binaries, &p->ids, w->out, err)) ||
	    !wrote_rows(w, et_writer_batch(w->out, ET_REC_CHUNK, p->rows, p->lost, err)))
		goto fail;
	if (!wrote_rows(w, et_writer_batch(w->out, ET_REC_LOST, p->losses, p->lost, err))) {
		note_first(w, p->losses);
		return false;
	}
	memcpy(w->told, p->lost, sizeof(w->told));
	return true;
fail:
	drop_parcel(w, p);
	return false;
}

/* Cuts the file back to its last whole record. */
static void cut_back(struct writer *w)
{
	struct et_writer_stats stats;

	if (w->out) {
		et_writer_stats(w->out, &stats);
		w->whole = stats.bytes;
	}
	w->report.trim_error = output_trim(w->setup.output, w->whole);
	atomic_store(&w->bytes, w->whole);
}

/* The file stays readable up to its last whole record. */
static void give_up(struct writer *w)
{
	cut_back(w);
	set_state(w, WRITER_FAILED);
}

/* END, and what makes looking things up faster behind it. */
static bool write_end(struct writer *w, struct et_error *err)
{
	struct et_writer_stats stats;
	uint64_t before = w->whole;
	int code = et_writer_end(w->out, w->ended, w->end_lost, w->end_reason, err);

	et_writer_stats(w->out, &stats);
	w->report.ended = stats.bytes > before;
	return wrote(w, code);
}

/* Executables that were still looked at when the last rows were written. */
static bool write_rest(struct writer *w)
{
	return wrote(w, binaries_write_rest(w->setup.binaries, 2000, w->out, &w->report.error));
}

/* Where the losses are: those of the events that were not written, and of rows lost with them. */
static bool write_losses(struct writer *w)
{
	struct et_batch *b = et_batch_new();
	bool ok = b;

	for (unsigned cause = 1; ok && cause < ET_CAUSE_END; cause++) {
		uint64_t count = w->end_lost[cause] - w->told[cause];
		struct et_event ev = { .realtime = w->ended.offset };

		if (!count)
			continue;
		et_set_uint(&ev, ET_F_KIND, ET_LOST);
		et_set_uint(&ev, ET_F_TS, w->first < w->ended.ts ? w->first : w->ended.ts);
		et_set_uint(&ev, ET_F_UNTIL, w->ended.ts);
		et_set_uint(&ev, ET_F_COUNT, count);
		et_set_uint(&ev, ET_F_CAUSE, cause);
		ok = et_batch_add(b, &ev, NULL) == ET_OK;
	}
	ok = ok && wrote_rows(w, et_writer_batch(w->out, ET_REC_LOST, b, w->end_lost, NULL));
	et_batch_free(b);
	return ok;
}

/*
 * After a write that failed: the file is whole up to there, and what the system had
 * taken of that record before is room again, which nearly always suffices to say what
 * is not in the file and why.
 */
static void end_short(struct writer *w)
{
	if (w->report.trim_error || !output_is_file(w->setup.output))
		return;
	w->end_lost[ET_CAUSE_WRITE_FAILED] += w->report.unwritten;
	et_writer_resume(w->out);
	if (!write_losses(w)) {
		/* END has the numbers as well, and is smaller. */
		cut_back(w);
		et_writer_resume(w->out);
	}
	if (!w->report.trim_error && !write_end(w, NULL))
		cut_back(w);
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	bool begun = begin(w), ok = begun;
	struct parcel *p;

	if (ok) {
		output_sync_begun(w->setup.output);
		set_state(w, WRITER_RUNNING);
	} else {
		give_up(w);
	}
	while ((p = queue_get(w->setup.queue))) {
		if (!ok) {
			drop_parcel(w, p);
		} else if (!write_parcel(w, p)) {
			ok = false;
			give_up(w);
		}
		queue_return(w->setup.queue, p);
	}
	if (ok && !(write_rest(w) && write_end(w, &w->report.error)))
		give_up(w);
	else if (begun && !ok)
		end_short(w);
	output_sync_end(w->setup.output);
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
	w->first = UINT64_MAX;
	w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->event < 0) {
		ret = errno;
		goto fail;
	}
	w->names = names_new(setup->names, false);
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

void writer_set_end(struct writer *w, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		    const char *reason)
{
	w->ended = ended;
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
	ids_free(&w->proc_ids);
	close(w->event);
	free(w);
}
