/* SPDX-License-Identifier: BSD-2-Clause */
#include "segment.h"

#include <stdlib.h>
#include <string.h>

#include "binaries.h"
#include "names.h"
#include "output.h"
#include "queue.h"

/* As in drain.c: where a PROC record is closed. */
#define PROC_ROWS 16384u
#define PROC_BYTES (1u << 20)

/* After each call into the format library: notes how far the output is whole. */
static bool wrote(struct segment *s, int code)
{
	struct et_writer_stats stats;

	if (code != ET_OK)
		return false;
	et_writer_stats(s->out, &stats);
	s->whole = stats.bytes;
	return true;
}

/* The same after a record that may hold rows. */
static bool wrote_rows(struct segment *s, int code)
{
	if (!wrote(s, code))
		return false;
	output_sync_rows(s->setup->output);
	return true;
}

/* Lost since it began. */
static void since(const struct segment *s, const uint64_t lost[ET_CAUSE_END],
		  uint64_t out[ET_CAUSE_END])
{
	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		out[i] = lost[i] - s->before[i];
}

/* Names come before the rows; executables when they have been looked at, with events. */
static bool explain(struct segment *s, const struct ids *ids)
{
	binaries_want(s->setup->binaries, ids);
	return wrote(s, names_write(s->setup->names, s->out, ids, &s->error));
}

static bool write_procs(struct segment *s)
{
	static const uint64_t nothing_lost[ET_CAUSE_END];
	bool ok = explain(s, &s->proc_ids) &&
		  wrote(s, et_writer_batch(s->out, ET_REC_PROC, s->procs, nothing_lost, &s->error));

	et_batch_reset(s->procs);
	ids_clear(&s->proc_ids);
	return ok;
}

/* Negative: the output failed. */
static int take_proc(void *ctx, const struct et_event *ev)
{
	struct segment *s = ctx;
	struct et_error err;
	int code = et_batch_add(s->procs, ev, &err);

	if (code == ET_LIMIT) {
		if (!write_procs(s))
			return -1;
		code = et_batch_add(s->procs, ev, &err);
	}
	if (code == ET_NOMEM) {
		s->error = err;
		return -1;
	}
	/* One that could not be read back (a name in /proc over a limit) is left out. */
	if (code != ET_OK)
		return 0;
	ids_note(&s->proc_ids, ev);
	binaries_note(s->setup->binaries, &s->proc_ids, ev, NULL);
	if (et_batch_rows(s->procs) >= PROC_ROWS || et_batch_bytes(s->procs) >= PROC_BYTES)
		return write_procs(s) ? 0 : -1;
	return 0;
}

static bool tell_procs(struct segment *s, const struct segment_procs *procs)
{
	int ret;

	if (!s->procs)
		s->procs = et_batch_new();
	if (!s->procs) {
		s->error = (struct et_error){ .code = ET_NOMEM, .what = "no memory" };
		return false;
	}
	/* What a beginning that failed has left. */
	et_batch_reset(s->procs);
	ids_clear(&s->proc_ids);
	ret = procs->each(procs->ctx, take_proc, s);
	if (ret > 0)
		s->proc_error = ret;
	return ret >= 0 && write_procs(s);
}

bool segment_begin(struct segment *s, struct et_clock started, uint64_t at,
		   const uint64_t lost[ET_CAUSE_END], const struct segment_procs *procs)
{
	const struct segment_setup *setup = s->setup;
	struct et_writer_options options = setup->options;
	struct et_io io;

	options.started = started;
	options.number = s->number;
	memcpy(s->before, lost, sizeof(s->before));
	s->at = at;
	s->whole = 0;
	s->has_rows = s->ended = false;
	s->error = (struct et_error){ .code = ET_OK };
	output_io(setup->output, &io);
	return et_writer_open(&io, &options, &s->out, &s->error) == ET_OK && wrote(s, ET_OK) &&
	       wrote(s, et_writer_host(s->out, setup->pairs, setup->n_pairs, &s->error)) &&
	       (!procs || tell_procs(s, procs));
}

bool segment_parcel(struct segment *s, const struct parcel *p, const uint64_t lost[ET_CAUSE_END],
		    bool *rows)
{
	uint64_t here[ET_CAUSE_END];

	*rows = false;
	since(s, lost, here);
	if (!explain(s, &p->ids) ||
	    !wrote(s, binaries_write(s->setup->binaries, s->out, &s->error)) ||
	    !wrote_rows(s, et_writer_packed(s->out, p->packed, here, &s->error)))
		return false;
	*rows = true;
	s->has_rows |= et_batch_rows(p->rows) || et_batch_rows(p->losses);
	return wrote_rows(s, et_writer_batch(s->out, ET_REC_LOST, p->losses, here, &s->error));
}

bool segment_losses(struct segment *s, const uint64_t counts[ET_CAUSE_END], uint64_t first,
		    struct et_clock last, const uint64_t lost[ET_CAUSE_END])
{
	struct et_batch *b = et_batch_new();
	uint64_t here[ET_CAUSE_END];
	bool ok = b;

	since(s, lost, here);
	for (unsigned cause = 1; ok && cause < ET_CAUSE_END; cause++) {
		struct et_event ev = { .realtime = last.offset };

		if (!counts[cause])
			continue;
		et_set_uint(&ev, ET_F_KIND, ET_LOST);
		et_set_uint(&ev, ET_F_TS, first < last.ts ? first : last.ts);
		et_set_uint(&ev, ET_F_UNTIL, last.ts);
		et_set_uint(&ev, ET_F_COUNT, counts[cause]);
		et_set_uint(&ev, ET_F_CAUSE, cause);
		ok = et_batch_add(b, &ev, NULL) == ET_OK;
	}
	ok = ok && wrote_rows(s, et_writer_batch(s->out, ET_REC_LOST, b, here, &s->error));
	et_batch_free(b);
	return ok;
}

bool segment_end(struct segment *s, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		 const char *reason, unsigned patience)
{
	return wrote(s, binaries_write_rest(s->setup->binaries, patience, s->out, &s->error)) &&
	       segment_end_short(s, ended, lost, reason);
}

bool segment_end_short(struct segment *s, struct et_clock ended,
		       const uint64_t lost[ET_CAUSE_END], const char *reason)
{
	uint64_t before = s->whole, here[ET_CAUSE_END];
	struct et_writer_stats stats;
	int code;

	since(s, lost, here);
	code = et_writer_end(s->out, ended, here, reason, &s->error);
	et_writer_stats(s->out, &stats);
	/* It may be there although the rest failed. */
	s->ended = stats.bytes > before;
	return wrote(s, code);
}

int segment_cut(struct segment *s)
{
	struct et_writer_stats stats;
	int error;

	if (s->out) {
		et_writer_stats(s->out, &stats);
		s->whole = stats.bytes;
	}
	error = output_trim(s->setup->output, s->at + s->whole);
	if (!error && s->out)
		et_writer_resume(s->out);
	return error;
}

void segment_stats(const struct segment *s, struct et_writer_stats *out)
{
	struct et_writer_stats stats;

	out->bytes += s->whole;
	if (!s->out)
		return;
	et_writer_stats(s->out, &stats);
	for (unsigned i = 0; i < ET_KIND_END; i++)
		out->rows[i] += stats.rows[i];
	out->chunks += stats.chunks;
}

static void close_writer(struct segment *s)
{
	et_writer_close(s->out);
	s->out = NULL;
	s->whole = 0;
	names_restart(s->setup->names);
	binaries_restart(s->setup->binaries);
}

void segment_close(struct segment *s)
{
	s->at += s->whole;
	s->number++;
	close_writer(s);
}

void segment_undo(struct segment *s)
{
	close_writer(s);
	output_trim(s->setup->output, s->at);
}

void segment_free(struct segment *s)
{
	et_writer_close(s->out);
	et_batch_free(s->procs);
	ids_free(&s->proc_ids);
}
