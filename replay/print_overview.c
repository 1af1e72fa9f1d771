/* SPDX-License-Identifier: BSD-2-Clause */
/* print_overview.c - the text and the JSON of an overview. */
#include "overview.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "keyvalue.h"
#include "print.h"
#include "times.h"

static const struct {
	const char *title; /* of the text; NULL: only JSON has it */
	const char *list, *keys[2]; /* in JSON */
	const char *noun;  /* what is left out, in the plural */
} rankings[OVERVIEW_RANKINGS] = {
	[OVERVIEW_COMMANDS] = { "Execs by command", "commands", { "command" }, "commands" },
	[OVERVIEW_USERS] = { "Execs by user", "users", { "user" }, "users" },
	[OVERVIEW_EXITS] = { "Exits by status", "exits", { "status" }, "statuses" },
	[OVERVIEW_ERRORS] = { NULL, "errors", { "error" }, NULL },
	[OVERVIEW_PATHS] = { NULL, "failed_paths", { "filename" }, NULL },
	[OVERVIEW_FAILING] = { "Failed execs by command and error", "failing",
			       { "command", "error" }, "cases" },
};

/* ---- Text ------------------------------------------------------------------------- */

static void put_key(struct out *o, struct et_str key, const char *between)
{
	for (bool first = true; key.len; first = false) {
		struct key_value v = key_next(&key);

		if (!first)
			out_text(o, between);
		if (v.type == KEY_TEXT)
			escape_name(o, v.text.ptr, v.text.len);
		else
			out_char(o, '?');
	}
}

static void put_share(struct out *o, uint64_t n, uint64_t total)
{
	out_printf(o, "%12llu  %5.1f%%  ", (unsigned long long)n, 100.0 * (double)n / (double)total);
}

static void text_ranking(struct out *o, const struct tally *t, const char *title,
			 const char *noun, const char *between, uint32_t top)
{
	uint32_t *v = tally_ranking(t);
	uint32_t n = t->keys.n < top ? t->keys.n : top;
	uint64_t rest = t->total;

	if (!v)
		return;
	out_printf(o, "\n%s\n", title);
	for (uint32_t i = 0; i < n; i++) {
		put_share(o, t->counts[v[i]], t->total);
		put_key(o, keyset_get(&t->keys, v[i]), between);
		out_char(o, '\n');
		rest -= t->counts[v[i]];
	}
	if (rest)
		put_share(o, rest, t->total);
	/* Of those that the tally does not keep apart nobody knows how many they are. */
	if (rest && t->other)
		out_printf(o, "in many other %s\n", noun);
	else if (rest)
		out_printf(o, "in %u other %s\n", t->keys.n - n, noun);
	free(v);
}

static void text_span(struct out *o, const struct overview *v, int32_t offset)
{
	if (!v->any)
		return;
	times_moment(o, v->first, offset);
	out_text(o, " to ");
	if (times_day(v->first, offset) != times_day(v->last, offset)) {
		times_date(o, v->last, offset);
		out_char(o, ' ');
	}
	times_clock(o, v->last, offset);
	out_char(o, ' ');
	times_zone(o, offset);
	out_text(o, ", ");
	times_duration(o, (uint64_t)v->last - (uint64_t)v->first);
	if (overview_rate(v) > 0)
		out_printf(o, ", %.*f events a second", overview_rate(v) < 100 ? 1 : 0,
			   overview_rate(v));
}

static void text_kinds(struct out *o, const struct overview *v, uint64_t lost)
{
	for (unsigned k = 1; k < ET_KIND_END; k++)
		if (k != ET_LOST && v->kinds[k])
			out_printf(o, "%llu %s, ", (unsigned long long)v->kinds[k],
				   et_kind_name(k));
	if (v->other_kinds)
		out_printf(o, "%llu of a later version's kinds, ",
			   (unsigned long long)v->other_kinds);
	out_printf(o, "%llu lost\n", (unsigned long long)lost);
}

static void put_time(struct out *o, uint64_t ns, int width)
{
	size_t begin = o->len;

	if (ns == ET_NONE)
		out_char(o, '-');
	else
		times_duration(o, ns);
	width -= (int)(o->len - begin);
	out_pad(o, width);
	if (width > 0 && !o->error) {
		memmove(o->buf + begin + width, o->buf + begin, o->len - begin - (size_t)width);
		memset(o->buf + begin, ' ', (size_t)width);
	}
}

static void text_longest(struct out *o, const struct longest *l, uint32_t top)
{
	struct out line;

	if (!l->n)
		return;
	out_text(o, "\nLongest running: duration, CPU time, pid\n");
	out_open(&line, -1);
	for (uint32_t i = 0; i < l->n && i < top; i++) {
		struct et_str key = { l->v[i].key, l->v[i].len };

		line.len = 0;
		put_time(&line, l->v[i].duration, 12);
		put_time(&line, l->v[i].cpu_time, 9);
		out_char(&line, ' ');
		out_uint_right(&line, l->v[i].pid, 7);
		out_pad(&line, 2);
		put_key(&line, key, ", ");
		out_char(&line, '\n');
		out_bytes(o, line.buf, line.len);
	}
	if (line.error)
		o->error = line.error;
	out_close(&line);
}

static void text_lineage(struct out *o, const struct lineage *l, const struct overview_context *ctx)
{
	const struct tally *t = &l->pairs;

	text_ranking(o, t, "Execs by parent and name", "pairs",
		     ctx->unicode ? " → " : " -> ", ctx->top);
	if (t->total && l->unknown)
		out_printf(o, "%12llu  of which the fork is not in the capture\n",
			   (unsigned long long)l->unknown);
}

static void text_lacks(struct out *o, const struct overview_context *ctx)
{
	struct out gaps;
	uint64_t told;

	if (ctx->lost)
		out_text(o, "\nLost\n");
	/* A line for each cause and CPU. */
	told = certificate_losses(o, ctx->ledger, 1, CERTIFICATE_LINES, ctx->offset);
	if (told < ctx->lost)
		out_printf(o, "%12llu  outside of these times\n",
			   (unsigned long long)(ctx->lost - told));
	out_open(&gaps, -1);
	certificate_gaps(&gaps, ctx->ledger, false, CERTIFICATE_LINES, ctx->offset);
	if (gaps.len)
		out_text(o, "\nMissing\n");
	out_bytes(o, gaps.buf, gaps.len);
	out_close(&gaps);
}

void overview_text(const struct overview *v, const struct overview_context *ctx, struct out *o)
{
	out_printf(o, "%llu events", (unsigned long long)overview_events(v));
	out_text(o, v->any ? ", " : "");
	text_span(o, v, ctx->offset);
	out_char(o, '\n');
	text_kinds(o, v, ctx->lost);
	chart_text(&v->chart, o, ctx->offset, ctx->width, ctx->unicode);
	for (unsigned i = 0; i < OVERVIEW_RANKINGS; i++)
		if (rankings[i].title)
			text_ranking(o, &v->tallies[i], rankings[i].title, rankings[i].noun, ", ",
				     ctx->top);
	text_lineage(o, &v->lineage, ctx);
	text_longest(o, &v->longest, ctx->top);
	text_lacks(o, ctx);
}

/* ---- JSON ------------------------------------------------------------------------- */

static void json_key(struct out *o, const char *before, const char *const *names,
		     struct et_str key)
{
	for (unsigned i = 0; key.len; i++, before = ",") {
		struct key_value v = key_next(&key);

		if (v.type == KEY_TEXT)
			json_text(o, before, names[i], v.text.ptr, v.text.len);
		else
			json_text(o, before, names[i], "?", 1);
	}
}

static void json_ranking(struct out *o, const struct tally *t, const char *list,
			 const char *const *names, uint32_t top)
{
	uint32_t *v = tally_ranking(t);
	uint64_t rest = t->total;

	out_printf(o, ",\"%s\":[", list);
	for (uint32_t i = 0; v && i < t->keys.n && i < top; i++) {
		json_key(o, i ? ",{" : "{", names, keyset_get(&t->keys, v[i]));
		json_uint(o, ",", "count", t->counts[v[i]]);
		out_char(o, '}');
		rest -= t->counts[v[i]];
	}
	out_printf(o, "],\"%s_other\":%llu", list, (unsigned long long)rest);
	free(v);
}

static void json_longest(struct out *o, const struct longest *l, uint32_t top)
{
	out_text(o, ",\"longest\":[");
	for (uint32_t i = 0; i < l->n && i < top; i++) {
		const struct longest_one *one = &l->v[i];
		struct et_str key = { one->key, one->len };
		const char *before = ",";

		json_time(o, i ? ",{" : "{", "time", one->ended);
		json_uint(o, ",", "pid", one->pid);
		json_uint(o, ",", "duration", one->duration);
		if (one->cpu_time != ET_NONE)
			json_uint(o, ",", "cpu_time", one->cpu_time);
		if (one->peak_rss != ET_NONE)
			json_uint(o, ",", "peak_rss", one->peak_rss);
		for (unsigned k = 0; key.len; k++) {
			struct key_value v = key_next(&key);

			key_json(o, &before, longest_keys.ids[k], &v);
		}
		out_char(o, '}');
	}
	out_char(o, ']');
}

void overview_json(const struct overview *v, const struct overview_context *ctx, struct out *o)
{
	static const char *const pair[] = { "parent", "comm" };
	const char *before = "";

	json_uint(o, "{", "events", overview_events(v));
	out_text(o, ",\"kinds\":{");
	for (unsigned k = 1; k < ET_KIND_END; k++, before = ",")
		json_uint(o, before, et_kind_name(k), v->kinds[k]);
	out_char(o, '}');
	if (v->any) {
		json_time(o, ",", "start", v->first);
		json_time(o, ",", "end", v->last);
		json_uint(o, ",", "span", (uint64_t)v->last - (uint64_t)v->first);
		out_printf(o, ",\"rate\":%.3f", overview_rate(v));
	}
	chart_json(&v->chart, o);
	for (unsigned i = 0; i < OVERVIEW_RANKINGS; i++)
		json_ranking(o, &v->tallies[i], rankings[i].list, rankings[i].keys, ctx->top);
	json_ranking(o, &v->lineage.pairs, "pairs", pair, ctx->top);
	json_uint(o, ",", "pairs_unknown", v->lineage.unknown);
	json_longest(o, &v->longest, ctx->top);
	json_losses(o, ctx->stats.lost, ctx->stats.lost_other);
	certificate_json_losses(o, ctx->ledger, 1);
	json_uint(o, ",", "missing", ctx->stats.missing);
	certificate_json_series(o, ctx->ledger);
	out_printf(o, ",\"complete\":%s}\n", ctx->complete ? "true" : "false");
}
