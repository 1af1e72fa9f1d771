/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_summary.c - what happened in captures, counted. */
#include "command.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grouping.h"
#include "overview.h"
#include "parentage.h"
#include "print.h"
#include "ranking.h"
#include "terminal.h"

/* Lines of each ranking: of the overview, which is to fit on a screen; of all else. */
#define TOP_OVERVIEW 5
#define TOP 20
/* Of a line, where it does not go to a terminal. */
#define WIDTH 80

struct summary {
	const struct options *opt;
	struct ranking_order order;
	/* What all threads have found. Threads add to it also before they end. */
	pthread_mutex_t lock;
	struct overview *overview;
	struct grouping *grouping;
	uint32_t longest;
};

/* ---- Threads ---------------------------------------------------------------------- */

static void *overview_begin(void *ctx)
{
	const struct summary *s = ctx;

	return overview_new(s->longest);
}

static int add_overview(struct summary *s, const struct overview *v)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = overview_merge(s->overview, v);
	pthread_mutex_unlock(&s->lock);
	return r;
}

static int overview_chunk(void *ctx, void *state, const struct scan_chunk *c)
{
	struct summary *s = ctx;
	struct overview *v = state;

	if (overview_take(v, c))
		return -1;
	if (!overview_large(v))
		return 0;
	if (add_overview(s, v))
		return -1;
	overview_clear(v);
	return 0;
}

static int overview_ended(void *ctx, void *state)
{
	int r = add_overview(ctx, state);

	overview_free(state);
	return r;
}

static void *grouping_begin(void *ctx)
{
	(void)ctx;
	return grouping_new();
}

static int add_grouping(struct summary *s, const struct grouping *g)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = groups_merge(&s->grouping->groups, &g->groups);
	pthread_mutex_unlock(&s->lock);
	return r;
}

static int grouping_chunk(void *ctx, void *state, const struct scan_chunk *c)
{
	struct summary *s = ctx;
	struct grouping *g = state;

	if (grouping_take(g, &s->opt->by, c, s->opt->utc))
		return -1;
	if (!grouping_large(g))
		return 0;
	if (add_grouping(s, g))
		return -1;
	groups_free(&g->groups);
	return 0;
}

static int grouping_ended(void *ctx, void *state)
{
	int r = add_grouping(ctx, state);

	grouping_free(state);
	return r;
}

/*
 * Who the parents are, and who descends from whom, takes rows in the order of time, and
 * those that are left out as well.
 */
static bool needs_order(const struct options *opt)
{
	return keys_have(&opt->by, KEY_PARENT) || opt->filter.descendants.n;
}

static int take_row(struct summary *s, struct parentage *kin, const struct input_row *row)
{
	struct picked p = { .source = row->source, .chunk = row->chunk, .rows = &row->row, .n = 1,
			    .utc = s->opt->utc };

	if (parentage_take(kin, row, &p.parent))
		return -1;
	if (!row->matches)
		return 0;
	return s->opt->by.n ? grouping_add(s->grouping, &s->opt->by, &p)
			    : overview_row(s->overview, row);
}

static int take_rows(struct summary *s, struct input *in)
{
	struct parentage *kin = parentage_new();
	struct input_row row;
	int r = kin ? ET_OK : ET_NOMEM;

	while (!r) {
		r = input_next(in, &row);
		if (!r && take_row(s, kin, &row))
			r = ET_NOMEM;
	}
	parentage_free(kin);
	return r == ET_EOF ? ET_OK : r;
}

static int scan(struct summary *s, struct input *in)
{
	struct scan_calls calls = { .ctx = s };

	if (s->opt->by.n) {
		calls.fields = groups_fields | keys_fields(&s->opt->by);
		calls.begin = grouping_begin;
		calls.chunk = grouping_chunk;
		calls.end = grouping_ended;
	} else {
		calls.fields = overview_fields();
		calls.begin = overview_begin;
		calls.chunk = overview_chunk;
		calls.end = overview_ended;
	}
	return input_scan(in, &calls);
}

static int take(struct summary *s, struct input *in)
{
	int r = needs_order(s->opt) ? take_rows(s, in) : scan(s, in);

	return r || s->opt->by.n || !overview_end(s->overview) ? r : ET_NOMEM;
}

/* ---- Output ----------------------------------------------------------------------- */

static void learn_context(struct overview_context *ctx, struct source **sources, size_t n,
			  const struct input *in, const struct options *opt)
{
	size_t lines;

	*ctx = (struct overview_context){ .ledger = input_ledger(in), .complete = true };
	ledger_stats(ctx->ledger, &ctx->stats);
	for (unsigned c = 0; c < ET_CAUSE_END; c++)
		ctx->lost += ctx->stats.lost[c];
	ctx->lost += ctx->stats.lost_other;
	for (size_t i = 0; i < n; i++)
		ctx->complete &= report_complete(sources[i]);
	for (size_t i = n; i-- > 0 && !opt->utc;)
		ctx->offset = sources[i]->rows ? sources[i]->offset : ctx->offset;
	ctx->top = opt->top ? opt->top : opt->json ? TOP : TOP_OVERVIEW;
	terminal_size(&ctx->width, &lines);
	ctx->unicode = terminal_utf8();
}

static void put_by_json(struct out *o, struct ranking *r, const struct overview_context *ctx)
{
	const struct keys *by = r->keys;
	uint64_t events = group_figure(&r->rest, FIGURE_EVENTS);

	for (uint32_t i = 0; i < r->shown; i++)
		events += group_figure(&r->groups->v[r->numbers[i]], FIGURE_EVENTS);
	out_text(o, "{\"by\":[");
	for (unsigned i = 0; i < by->n; i++)
		out_printf(o, "%s\"%s\"", i ? "," : "", key_name(by->ids[i]));
	out_char(o, ']');
	json_uint(o, ",", "events", events);
	ranking_json(r, o);
	json_losses(o, ctx->stats.lost, ctx->stats.lost_other);
	json_uint(o, ",", "missing", ctx->stats.missing);
	out_printf(o, ",\"complete\":%s}\n", ctx->complete ? "true" : "false");
}

static int put_by(struct out *o, struct summary *s, const struct overview_context *ctx)
{
	uint32_t top = s->opt->top ? s->opt->top : s->opt->csv ? UINT32_MAX : TOP;
	struct ranking r;
	int code = ranking_open(&r, &s->grouping->groups, &s->opt->by, s->order, top);

	if (!code && s->opt->json)
		put_by_json(o, &r, ctx);
	else if (!code && s->opt->csv)
		ranking_csv(&r, o);
	else if (!code)
		ranking_text(&r, o, ctx->width);
	if (!code && s->opt->csv && s->grouping->groups.any_other)
		say("only %u groups are told apart; the events of all others are left out",
		    KEYSET_KEYS);
	ranking_close(&r);
	return code;
}

static int put(struct out *o, struct summary *s, struct overview_context *ctx)
{
	if (s->opt->by.n)
		return put_by(o, s, ctx);
	if (s->opt->json) {
		overview_json(s->overview, ctx, o);
	} else {
		ctx->width = ctx->width ? ctx->width : WIDTH;
		overview_text(s->overview, ctx, o);
	}
	return 0;
}

/* ---- The command ------------------------------------------------------------------ */

static int check(struct summary *s)
{
	const struct options *opt = s->opt;
	struct reason why;

	if ((opt->order || opt->csv) && !opt->by.n) {
		say("--%s is for the table that --by makes", opt->order ? "sort" : "csv");
		return -1;
	}
	if (ranking_parse(&s->order, opt->order ? opt->order : "events", &opt->by, &why)) {
		say("%s", why.text);
		return -1;
	}
	return 0;
}

static int summarize(struct source **sources, size_t n, struct options *opt)
{
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.jobs = opt->jobs,
		.progress = opt->progress,
	};
	struct summary s = { .opt = opt, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct overview_context ctx;
	int code = EXIT_DONE, r = ET_NOMEM;
	struct input *in;
	struct out o;

	if (check(&s)) {
		for (size_t i = 0; i < n; i++)
			source_close(sources[i]);
		return EXIT_USAGE;
	}
	if (needs_order(opt)) {
		io.all = true;
		io.fields = parentage_fields | groups_fields | keys_fields(&opt->by) | overview_fields();
	}
	s.longest = opt->top ? opt->top : TOP;
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return EXIT_FAILED;
	}
	s.overview = overview_new(s.longest);
	s.grouping = grouping_new();
	out_open(&o, STDOUT_FILENO);
	if (s.overview && s.grouping)
		r = take(&s, in);
	report_series(input_ledger(in), sources, n);
	learn_context(&ctx, sources, n, in, opt);
	if (r || put(&o, &s, &ctx)) {
		say("out of memory");
		code = EXIT_FAILED;
	}
	code = command_end(&o, code);
	for (size_t i = 0; i < n; i++)
		code = report_worse(code, report_source(sources[i], opt));
	report_names(opt, sources, n);
	overview_free(s.overview);
	grouping_free(s.grouping);
	input_close(in);
	return code;
}

static int summary_run(int argc, char **argv)
{
	return command_run(&cmd_summary, argc, argv, summarize);
}

const struct command cmd_summary = {
	.name = "summary",
	.args = "[options] [FILE...]",
	.summary = "count what happened: by kind, command, user, status, error, or any field",
	.options = OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_TOP | OPTIONS_ENDING |
		   OPTIONS_JOBS,
	.notes = ".\n"
		 "Several files are counted together, FILE of - is standard input, and "
		 "without FILE\n"
		 "it is trace.etz. With --by FIELD[,FIELD...] it is a table of groups: their events,\n"
		 "execs, failed execs, exits, total and mean duration, percentiles, CPU time, memory\n"
		 "and disk I/O",
	.run = summary_run,
};
