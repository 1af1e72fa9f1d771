/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct unit *unit_new(void)
{
	return calloc(1, sizeof(struct unit));
}

uint64_t unit_cost(const struct unit *u)
{
	return et_chunk_memory(u->chunk) + (u->shared->renders ? u->shared->text_max : 0);
}

void unit_free(struct unit *u)
{
	if (!u)
		return;
	et_chunk_free(u->chunk);
	free(u->selected);
	if (u->rendered)
		out_close(&u->text);
	free(u->ends);
	free(u->comms);
	free(u);
}

static int fail_nomem(struct et_error *err)
{
	*err = (struct et_error){ ET_NOMEM, 0, 0, "out of memory" };
	return ET_NOMEM;
}

static int select_rows(struct unit *u, struct worker *w)
{
	uint32_t rows = et_chunk_rows(u->chunk), n = 0;
	int r = ET_OK;

	u->selected = malloc((size_t)rows + 1);
	if (!u->selected)
		return fail_nomem(&u->error);
	if (u->all)
		memset(u->selected, 1, rows);
	else
		r = scope_select(u->scope, &w->scratch, &u->step.rec, u->chunk, u->selected,
				 &u->error);
	for (uint32_t i = 0; !r && i < rows; i++)
		n += u->selected[i];
	u->n_selected = n;
	return r;
}

static int hand_on(struct unit *u, struct worker *w)
{
	const struct scan_calls *calls = u->shared->calls;
	const struct scan_chunk c = {
		.source = u->source,
		.rec = &u->step.rec,
		.chunk = u->chunk,
		.selected = u->selected,
		.n_selected = u->n_selected,
	};

	if (!w->state)
		w->state = calls->begin(calls->ctx);
	return w->state && !calls->chunk(calls->ctx, w->state, &c) ? ET_OK : fail_nomem(&u->error);
}

/* Of a chunk all columns of which can be read. */
static void render(struct unit *u)
{
	const struct input_options *opt = u->shared->opt;
	uint32_t rows = et_chunk_rows(u->chunk), i;
	struct input_row row = { .source = u->source, .chunk = u->chunk };
	const uint64_t *ts;

	if (et_chunk_uints(u->chunk, ET_F_TS, &ts, NULL))
		return;
	u->rendered = true;
	out_open(&u->text, -1);
	u->ends = malloc(rows * sizeof(*u->ends));
	for (i = 0; u->ends && i < rows && u->text.len <= u->shared->text_max; i++) {
		u->ends[i] = (uint32_t)u->text.len;
		if (!u->selected[i] && !opt->all)
			continue;
		row.row = i;
		row.wall = et_chunk_wall(u->chunk, ts[i]);
		row.matches = u->selected[i];
		if (et_chunk_event(u->chunk, i, &row.ev, NULL))
			break;
		opt->render(opt->ctx, &row, &u->text);
		/* Longer than all the room there is: the feed makes it when it is its turn. */
		if (u->text.error || u->text.len > u->shared->text_max)
			break;
		u->ends[i] = (uint32_t)u->text.len;
	}
	u->n_text = u->ends ? i : 0;
	out_cut(&u->text, u->n_text ? u->ends[u->n_text - 1] : 0);
}

static void make(struct unit *u, struct worker *w)
{
	const struct scan_calls *calls = u->shared->calls;

	u->code = select_rows(u, w);
	if (u->code || (!u->n_selected && !u->shared->opt->all))
		return;
	if (!calls)
		u->columns_code = event_check(u->source, u->chunk, 0, &u->left_out,
					      &u->columns_error);
	else if (calls->fields)
		u->code = event_check(u->source, u->chunk, calls->fields, &u->left_out,
				      &u->error);
	if (!u->code && calls && calls->chunk)
		u->code = hand_on(u, w);
	if (u->shared->renders && !calls && !u->columns_code)
		render(u);
}

void unit_load(struct unit *u)
{
	u->unread = false;
	u->loaded = !et_chunk_load(u->chunk, NULL);
}

void unit_make(struct unit *u, struct worker *w)
{
	u->made = true;
	if (!w->decoder)
		w->decoder = et_decoder_new();
	et_chunk_lend(u->chunk, w->decoder);
	make(u, w);
	et_chunk_lend(u->chunk, NULL);
}

void unit_run(void *arg, unsigned worker)
{
	struct unit *u = arg;

	unit_load(u);
	if (u->loaded && !u->check)
		unit_make(u, &u->shared->workers[worker]);
}

const char *unit_text(const struct unit *u, uint32_t row, size_t *len)
{
	uint32_t start;

	*len = 0;
	if (row >= u->n_text)
		return NULL;
	start = row ? u->ends[row - 1] : 0;
	*len = u->ends[row] - start;
	return u->text.buf + start;
}
