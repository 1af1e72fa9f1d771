/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

#include <string.h>
#include <unistd.h>

#include "drain.h"
#include "loop.h"
#include "options.h"
#include "output.h"
#include "probe.h"
#include "queue.h"
#include "service.h"
#include "writer.h"

void status_take(struct status *st, const struct loop *l)
{
	struct output_now now;

	st->mode = options_follow(l->options)   ? STATUS_FOLLOWING
		   : options_select(l->options) ? STATUS_FILTERED
						: STATUS_EVERYTHING;
	st->pid = (uint32_t)getpid();
	memcpy(st->events, drain_counts(l->drain), sizeof(st->events));
	drain_lost(l->drain, st->lost);
	st->bytes = writer_bytes(l->writer);
	st->directory = l->service->directory;
	if (output_is_series(l->output)) {
		output_now(l->output, &now);
		st->files = now.files;
		memcpy(st->path, now.path, sizeof(st->path));
		st->file = *st->path ? st->path : NULL;
	} else {
		st->files = 1;
		st->file = output_is_pipe(l->output) ? NULL : output_name(l->output);
	}
	st->ring_size = l->options->ring_size;
	probe_ring_fill(l->probe, &st->ring_used, &st->ring_peak);
	queue_fill(l->queue, &st->parcels, &st->parcels_full);
}
