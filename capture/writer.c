/* SPDX-License-Identifier: BSD-2-Clause */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "binaries.h"
#include "clock.h"
#include "living.h"
#include "names.h"
#include "output.h"
#include "privilege.h"
#include "queue.h"
#include "segment.h"

/* What is still looked at when a file ends is waited for: ms. */
#define PATIENCE_CUT 50u
#define PATIENCE_END 2000u
/* After a failure of one of several files it is tried again so often, ns. */
#define RETRY_EVERY 1000000000ull
/*
 * A new segment begins so long before the last event that was seen, ns: programs on
 * different CPUs take the time of an event before they put it into the ring, so that what
 * comes later may be earlier.
 */
#define OVERLAP 10000000ull

struct writer {
	struct writer_setup setup;
	pthread_t thread;
	int event;
	_Atomic int state;
	_Atomic uint64_t bytes;
	struct notes notes;

	/* The thread's own. */
	struct segment_setup common;
	struct segment segment;
	struct names *names;
	struct writer_report report;	/* the caller's when the state is DONE */
	bool begun;			/* recording is under way */
	bool failed;			/* nothing can be written now */
	bool removed;			/* and the file at hand is no more */
	bool stays;			/* the next file could not be made; it was told */
	uint64_t retry_at;		/* ns: either is tried again */
	struct et_clock started;	/* the segment */
	uint64_t closed_bytes;		/* of the files before this one */
	uint64_t lost[ET_CAUSE_END];	/* so far, in all */
	uint64_t told[ET_CAUSE_END];	/* of these, those of which rows in some file tell */
	uint64_t first;			/* ts of the first row that was not written */
	struct et_clock latest;		/* everything up to there was seen */

	/* Of a recording of several segments: who lives. */
	struct living *living;		/* NULL: it is of one */
	struct et_walk *walk;
	uint64_t swept[ET_CAUSE_END];	/* lost by the last time it was looked who does not */

	/* Set before the queue is closed, read after it. */
	struct et_clock ended;
	uint64_t end_lost[ET_CAUSE_END];
	const char *end_reason;
};

static void wake(const struct writer *w)
{
	const uint64_t one = 1;

	/* Fails only when the counter is full, and then it is readable anyway. */
	if (write(w->event, &one, sizeof(one)) < 0)
		return;
}

static void set_state(struct writer *w, enum writer_state state)
{
	atomic_store(&w->state, state);
	wake(w);
}

/* Size of the output's capture, with all of its segments. */
static uint64_t size(const struct writer *w)
{
	return w->segment.at + w->segment.whole;
}

static void count_bytes(struct writer *w)
{
	atomic_store(&w->bytes, w->closed_bytes + size(w));
}

/* ---- Who lives ------------------------------------------------------------------ */

struct taker {
	struct writer *w;
	segment_proc_fn *fn;
	void *ctx;
};

static int take_first(void *ctx, const struct et_event *ev)
{
	struct taker *t = ctx;

	if (t->w->living)
		living_take(t->w->living, ev);
	return t->fn(t->ctx, ev);
}

/* When recording begins: as /proc has it. */
static int each_first(void *ctx, segment_proc_fn *fn, void *fn_ctx)
{
	struct writer *w = ctx;
	struct taker t = { w, fn, fn_ctx };

	return snapshot_scan(&w->setup.snapshot, take_first, &t);
}

static bool lives(uint32_t pid)
{
	return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* Later: as the events before tell. */
static int each_later(void *ctx, segment_proc_fn *fn, void *fn_ctx)
{
	struct writer *w = ctx;

	/* In another pid namespace the numbers would be others'. */
	if (w->setup.with_snapshot && memcmp(w->swept, w->lost, sizeof(w->swept)) != 0)
		living_sweep(w->living, lives);
	memcpy(w->swept, w->lost, sizeof(w->swept));
	return living_each(w->living, w->latest, fn, fn_ctx);
}

static void follow(struct writer *w, const struct parcel *p)
{
	struct et_event ev;

	if (!w->living)
		return;
	et_walk_begin(w->walk, p->rows);
	while (et_walk_next(w->walk, LIVING_KINDS, &ev))
		living_take(w->living, &ev);
}

/* ---- Segments ------------------------------------------------------------------- */

/* From here on it writes what is open. */
static bool drop(struct writer *w)
{
	int error = privilege_drop(0);

	if (error)
		w->segment.error = (struct et_error){ ET_IO, error, size(w), "cannot drop privilege" };
	return !error;
}

/* What a recording begins with. */
static bool begin(struct writer *w)
{
	const struct segment_procs procs = { each_first, w };
	bool ok;

	w->report.segments++;
	ok = segment_begin(&w->segment, w->started, 0, w->told,
			   w->setup.with_snapshot ? &procs : NULL);
	w->report.snapshot_error = w->segment.proc_error;
	count_bytes(w);
	return ok && drop(w);
}

/* What is lost and no row tells of, up to the latest event. */
static bool tell_losses(struct writer *w)
{
	uint64_t counts[ET_CAUSE_END], any = 0;

	for (unsigned i = 0; i < ET_CAUSE_END; i++) {
		counts[i] = w->lost[i] - w->told[i];
		any |= counts[i];
	}
	if (any && !segment_losses(&w->segment, counts, w->first, w->latest, w->lost))
		return false;
	memcpy(w->told, w->lost, sizeof(w->told));
	w->first = UINT64_MAX;
	return true;
}

/* Behind what is in the output, or in the next file. */
static bool begin_later(struct writer *w, uint64_t at)
{
	const struct segment_procs procs = { each_later, w };

	w->started = w->latest;
	w->started.ts -= w->latest.ts < OVERLAP ? w->latest.ts : OVERLAP;
	if (!segment_begin(&w->segment, w->started, at, w->told, &procs) || !tell_losses(w))
		return false;
	w->report.segments++;
	count_bytes(w);
	return true;
}

static void close_segment(struct writer *w)
{
	segment_stats(&w->segment, &w->report.stats);
	segment_close(&w->segment);
}

static void go_to_next(struct writer *w)
{
	w->closed_bytes += size(w);
	output_next(w->setup.output, w->latest.ts);
	w->removed = false;
}

/* ---- When it cannot be written -------------------------------------------------------- */

static void note_error(struct writer *w)
{
	w->failed = true;
	w->report.error = w->segment.error;
	w->report.error.at += w->segment.at;
}

static void block(struct writer *w)
{
	const struct et_error *e = &w->report.error;

	w->retry_at = clock_boot() + RETRY_EVERY;
	notes_put(&w->notes, "cannot write %s: %s; what is executed from now on is lost, and "
		  "counted, until it can be written again", output_path(w->setup.output),
		  e->code == ET_IO ? strerror(e->sys) : e->what);
	set_state(w, WRITER_BLOCKED);
}

/* Where the losses are, or, in less room, how many they are; and END. */
static void end_short(struct writer *w, struct et_clock ended, const char *reason)
{
	struct segment *s = &w->segment;

	w->latest = ended;
	if (!tell_losses(w))
		w->report.trim_error = segment_cut(s);
	if (w->report.trim_error)
		return;
	if (segment_end_short(s, ended, w->lost, reason))
		memcpy(w->told, w->lost, sizeof(w->told));
	else
		w->report.trim_error = segment_cut(s);
}

/*
 * The file stays readable up to its last whole record. What the system had taken of the
 * record that failed is room again, which nearly always suffices to say what is not in the
 * file and why: at once where another one may follow, else when it is known.
 */
static void give_up(struct writer *w)
{
	note_error(w);
	w->report.trim_error = segment_cut(&w->segment);
	if (!w->living) {
		count_bytes(w);
		set_state(w, WRITER_FAILED);
		return;
	}
	if (!w->report.trim_error)
		end_short(w, w->latest, "error: cannot write");
	close_segment(w);
	count_bytes(w);
	block(w);
}

static void undo(struct writer *w)
{
	note_error(w);
	segment_undo(&w->segment);
	/* A file in which there is nothing is of no use. */
	w->removed = !w->segment.at;
	if (w->removed)
		output_abandon(w->setup.output);
	count_bytes(w);
}

/* Whether it can be written again: to the next file, or else behind what is there. */
static bool resume(struct writer *w)
{
	uint64_t lost = w->lost[ET_CAUSE_WRITE_FAILED] - w->told[ET_CAUSE_WRITE_FAILED];
	uint64_t now = clock_boot();

	if (now < w->retry_at)
		return false;
	w->retry_at = now + RETRY_EVERY;
	if (output_make_next(w->setup.output) == 0) {
		go_to_next(w);
		w->segment.at = 0;
	} else if (w->removed) {
		return false;
	}
	if (!begin_later(w, w->segment.at)) {
		undo(w);
		return false;
	}
	w->failed = false;
	notes_put(&w->notes, "goes on in %s; %llu events could not be written",
		  output_path(w->setup.output), (unsigned long long)lost);
	set_state(w, WRITER_RUNNING);
	return true;
}

/* ---- Parcels ---------------------------------------------------------------------------- */

/* Ends this segment and begins the next one, in another file or another part of memory. */
static void cut(struct writer *w)
{
	int error = output_make_next(w->setup.output);

	if (error) {
		w->retry_at = clock_boot() + RETRY_EVERY;
		if (!w->stays)
			notes_put(&w->notes, "cannot begin the next file: %s%s; recording goes on in %s",
				  strerror(error),
				  error == ENOENT ? " (its directory was removed)" : "",
				  output_path(w->setup.output));
		w->stays = true;
		wake(w);
		return;
	}
	w->stays = false;
	if (!segment_end(&w->segment, w->latest, w->lost, "the next file goes on", PATIENCE_CUT)) {
		give_up(w);
		return;
	}
	close_segment(w);
	go_to_next(w);
	if (!begin_later(w, 0)) {
		undo(w);
		block(w);
	}
}

/* It is large enough, or old enough. */
static bool is_full(const struct writer *w)
{
	if (!w->segment.has_rows || (w->stays && clock_boot() < w->retry_at))
		return false;
	return (w->setup.cut_bytes && size(w) >= w->setup.cut_bytes) ||
	       (w->setup.cut_age && w->latest.ts - w->started.ts >= w->setup.cut_age);
}

static void note_first(struct writer *w, const struct et_batch *b)
{
	uint64_t first, last;

	if (et_batch_times(b, &first, &last) && first < w->first)
		w->first = first;
}

/* Its events are lost; those that it says were lost before are told with them. */
static void drop_parcel(struct writer *w, const struct parcel *p)
{
	note_first(w, p->rows);
	w->report.unwritten += et_batch_rows(p->rows);
	w->lost[ET_CAUSE_WRITE_FAILED] += et_batch_rows(p->rows);
}

/* What it says of how far everything was seen, and of what was lost up to there. */
static void look_at(struct writer *w, const struct parcel *p)
{
	uint64_t first, last;

	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		w->lost[i] = p->lost[i];
	w->lost[ET_CAUSE_WRITE_FAILED] += w->report.unwritten;
	w->latest.offset = p->handed.offset;
	if (et_batch_times(p->rows, &first, &last) && last > w->latest.ts)
		w->latest.ts = last;
	if (p->quiet && p->handed.ts > w->latest.ts)
		w->latest.ts = p->handed.ts;
}

static void write_parcel(struct writer *w, const struct parcel *p)
{
	bool rows, ok = segment_parcel(&w->segment, p, w->lost, &rows);

	count_bytes(w);
	if (ok) {
		memcpy(w->told, w->lost, sizeof(w->told));
		return;
	}
	note_first(w, p->losses);
	if (!rows)
		drop_parcel(w, p);
	give_up(w);
}

static void take(struct writer *w, const struct parcel *p)
{
	/* Another segment begins with what was known before the parcel that is in it. */
	bool writes = !w->failed || (w->living && w->begun && resume(w));

	look_at(w, p);
	if (writes) {
		write_parcel(w, p);
	} else {
		note_first(w, p->losses);
		drop_parcel(w, p);
	}
	follow(w, p);
	if (!w->failed && w->living && (p->marks || is_full(w)))
		cut(w);
	if (p->marks & PARCEL_DUMP)
		output_dump(w->setup.output);
}

/* ---- The end ---------------------------------------------------------------------------- */

static void finish(struct writer *w)
{
	memcpy(w->lost, w->end_lost, sizeof(w->lost));
	w->lost[ET_CAUSE_WRITE_FAILED] += w->report.unwritten;
	w->retry_at = 0;
	if (w->failed && w->living)
		resume(w);
	if (!w->failed && !segment_end(&w->segment, w->ended, w->lost, w->end_reason, PATIENCE_END)) {
		note_error(w);
		w->report.trim_error = segment_cut(&w->segment);
	} else if (w->failed && !w->living && !w->report.trim_error &&
		   output_is_file(w->setup.output)) {
		end_short(w, w->ended, w->end_reason);
	}
	w->report.ended = w->segment.ended;
	if (!w->failed)
		w->report.error = (struct et_error){ .code = ET_OK };
	/* All of it goes to a file. */
	if (output_dumps(w->setup.output)) {
		close_segment(w);
		if (output_make_next(w->setup.output) == 0)
			output_next(w->setup.output, w->ended.ts);
		output_dump(w->setup.output);
		dumper_finish(output_dumps(w->setup.output));
	}
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct parcel *p;

	w->begun = begin(w);
	if (w->begun) {
		output_sync_begun(w->setup.output);
		set_state(w, WRITER_RUNNING);
	} else {
		note_error(w);
		w->report.trim_error = segment_cut(&w->segment);
		count_bytes(w);
		set_state(w, WRITER_FAILED);
	}
	while ((p = queue_get(w->setup.queue))) {
		take(w, p);
		queue_return(w->setup.queue, p);
	}
	if (w->begun)
		finish(w);
	count_bytes(w);
	output_sync_end(w->setup.output);
	segment_stats(&w->segment, &w->report.stats);
	set_state(w, WRITER_DONE);
	return NULL;
}

static bool prepare(struct writer *w)
{
	const struct writer_setup *s = &w->setup;

	w->names = names_new(s->names, s->several);
	w->common = (struct segment_setup){
		.output = s->output,
		.binaries = s->binaries,
		.names = w->names,
		.options = s->options,
		.pairs = s->pairs,
		.n_pairs = s->n_pairs,
	};
	w->segment.setup = &w->common;
	if (!s->several)
		return w->names;
	w->living = living_new(s->everything);
	w->walk = et_walk_new();
	/* All zero means that there is no series: it is not, but once in 2^64 times. */
	return w->names && w->living && w->walk &&
	       getrandom(w->common.options.series, sizeof(w->common.options.series), 0) ==
		       sizeof(w->common.options.series);
}

static void writer_free(struct writer *w)
{
	segment_free(&w->segment);
	names_free(w->names);
	living_free(w->living);
	et_walk_free(w->walk);
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
	w->first = UINT64_MAX;
	w->started = w->latest = setup->options.started;
	w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->event < 0)
		ret = errno;
	else if (prepare(w))
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
	*out = w->report;
}

void writer_close(struct writer *w)
{
	if (!w)
		return;
	pthread_join(w->thread, NULL);
	writer_free(w);
}
