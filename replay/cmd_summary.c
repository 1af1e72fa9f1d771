/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_summary.c - what happened in captures, counted. */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "escape.h"
#include "print.h"
#include "tally.h"
#include "times.h"

enum ranking { COMMANDS, USERS, EXITS, ERRORS, PATHS, RANKINGS };

static const struct {
	const char *title;
	const char *list, *key; /* in JSON */
	const char *noun;       /* what is left out, in the plural */
} rankings[RANKINGS] = {
	[COMMANDS] = { "Execs by command", "commands", "command", "commands" },
	[USERS] = { "Execs by user", "users", "user", "users" },
	[EXITS] = { "Exits by status", "exits", "status", "statuses" },
	[ERRORS] = { "Failed execs by error", "errors", "error", "errors" },
	[PATHS] = { "Failed execs by path", "failed_paths", "filename", "paths" },
};

/* All that is looked at. */
static const uint8_t fields[] = { ET_F_KIND,      ET_F_UID,    ET_F_COMM,
				  ET_F_FILENAME,  ET_F_EXE,    ET_F_ERRNO,
				  ET_F_EXIT_CODE, ET_F_SIGNAL, ET_F_CORE };

struct summary {
	uint64_t kinds[ET_KIND_END];
	uint64_t other_kinds;
	struct tally tallies[RANKINGS];
	bool any;
	int64_t first, last; /* wall times of what happened while it was recorded */
	int32_t offset;
	struct out key; /* scratch */
	struct et_reader_stats stats; /* of all captures: what they lack */
	const struct ledger *ledger;
	uint64_t lost_total;
	bool complete;
};

/* ---- Counting --------------------------------------------------------------------- */

/* The name under which something was called: scripts and links by their own. */
static struct et_str command_of(const struct et_event *ev)
{
	static const enum et_field_id ids[] = { ET_F_FILENAME, ET_F_EXE, ET_F_COMM };
	struct et_str s = { "?", 1 };
	const char *slash;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (!ET_HAS(ev, ids[i]) || !ev->v[ids[i]].s.len)
			continue;
		s = ev->v[ids[i]].s;
		/* An exec of a descriptor (/dev/fd/3) says nothing by its name. */
		if (ids[i] == ET_F_FILENAME && s.len > 8 && !memcmp(s.ptr, "/dev/fd/", 8))
			continue;
		break;
	}
	slash = memrchr(s.ptr, '/', s.len);
	if (slash && slash + 1 < s.ptr + s.len) {
		s.len -= (uint32_t)(slash + 1 - s.ptr);
		s.ptr = slash + 1;
	}
	return s;
}

static int add_user(struct summary *s, const struct input_row *row)
{
	uint64_t uid = row->ev.v[ET_F_UID].u;
	const char *name;

	if (!ET_HAS(&row->ev, ET_F_UID))
		return tally_add(&s->tallies[USERS], "?", 1);
	name = et_context_user(row->source->names, uid);
	s->key.len = 0;
	if (name)
		out_text(&s->key, name);
	else
		out_uint(&s->key, uid);
	return tally_add(&s->tallies[USERS], s->key.buf, s->key.len);
}

static int add_result(struct summary *s, enum ranking which, const struct et_event *ev)
{
	s->key.len = 0;
	print_result(&s->key, ev);
	return tally_add(&s->tallies[which], s->key.buf, s->key.len);
}

static int add_row(struct summary *s, const struct input_row *row)
{
	const struct et_event *ev = &row->ev;
	uint64_t kind = ev->v[ET_F_KIND].u;
	struct et_str str;
	int r = 0;

	if (kind < ET_KIND_END)
		s->kinds[kind]++;
	else
		s->other_kinds++;
	if (kind == ET_LOST || kind == ET_PROC)
		return 0;
	if (!s->any || row->wall < s->first)
		s->first = row->wall;
	if (!s->any || row->wall > s->last)
		s->last = row->wall;
	if (!s->any)
		s->offset = row->source->offset;
	s->any = true;
	switch (kind) {
	case ET_EXEC:
		str = command_of(ev);
		r = tally_add(&s->tallies[COMMANDS], str.ptr, str.len) || add_user(s, row);
		break;
	case ET_EXIT:
		r = add_result(s, EXITS, ev);
		break;
	case ET_FAIL:
		str = ET_HAS(ev, ET_F_FILENAME) ? ev->v[ET_F_FILENAME].s
						: (struct et_str){ "?", 1 };
		r = add_result(s, ERRORS, ev) ||
		    tally_add(&s->tallies[PATHS], str.ptr, str.len);
		break;
	}
	return r || s->key.error ? -1 : 0;
}

static void add_losses(struct summary *s)
{
	ledger_stats(s->ledger, &s->stats);
	for (unsigned c = 0; c < ET_CAUSE_END; c++)
		s->lost_total += s->stats.lost[c];
	s->lost_total += s->stats.lost_other;
}

static uint64_t events_of(const struct summary *s)
{
	uint64_t n = s->other_kinds;

	for (unsigned k = 1; k < ET_KIND_END; k++)
		n += k == ET_LOST ? 0 : s->kinds[k];
	return n;
}

/* Events per second while it was recorded; 0 for less than two moments. */
static double rate_of(const struct summary *s)
{
	uint64_t span = (uint64_t)s->last - (uint64_t)s->first;

	return span ? (double)(events_of(s) - s->kinds[ET_PROC]) * 1e9 / (double)span : 0;
}

/* ---- Text ------------------------------------------------------------------------- */

static void text_ranking(struct out *o, const struct tally *t, enum ranking which,
			 unsigned top)
{
	const struct tally_entry **v = tally_ranking(t);
	size_t n = t->n < top ? t->n : top;
	uint64_t rest = t->total;

	if (!v)
		return;
	out_printf(o, "\n%s\n", rankings[which].title);
	for (size_t i = 0; i < n; i++) {
		out_printf(o, "%12llu  %5.1f%%  ", (unsigned long long)v[i]->count,
			   100.0 * (double)v[i]->count / (double)t->total);
		if (which == PATHS)
			escape_word(o, v[i]->key, v[i]->len, false);
		else
			escape_name(o, v[i]->key, v[i]->len);
		out_char(o, '\n');
		rest -= v[i]->count;
	}
	if (rest)
		out_printf(o, "%12llu  %5.1f%%  in ", (unsigned long long)rest,
			   100.0 * (double)rest / (double)t->total);
	/* Of those that the tally does not keep apart nobody knows how many they are. */
	if (rest && t->other)
		out_printf(o, "many other %s\n", rankings[which].noun);
	else if (rest)
		out_printf(o, "%zu other %s\n", t->n - n, rankings[which].noun);
	free(v);
}

static void text_span(struct out *o, const struct summary *s, bool utc)
{
	int32_t offset = utc ? 0 : s->offset;

	if (!s->any)
		return;
	times_moment(o, s->first, offset);
	out_text(o, " to ");
	if (times_day(s->first, offset) != times_day(s->last, offset)) {
		times_date(o, s->last, offset);
		out_char(o, ' ');
	}
	times_clock(o, s->last, offset);
	out_char(o, ' ');
	times_zone(o, offset);
	out_text(o, ", ");
	times_duration(o, (uint64_t)s->last - (uint64_t)s->first);
	if (rate_of(s) > 0)
		out_printf(o, ", %.*f events a second", rate_of(s) < 100 ? 1 : 0, rate_of(s));
	out_char(o, '\n');
}

static void text_summary(struct out *o, const struct summary *s, const struct options *opt)
{
	struct out gaps;
	uint64_t told;

	out_printf(o, "%llu events", (unsigned long long)events_of(s));
	out_text(o, s->any ? ", " : "\n");
	text_span(o, s, opt->utc);
	out_text(o, "\nEvents by kind\n");
	for (unsigned k = 1; k < ET_KIND_END; k++)
		if (k != ET_LOST && s->kinds[k])
			out_printf(o, "%12llu  %s\n", (unsigned long long)s->kinds[k],
				   et_kind_name(k));
	if (s->other_kinds)
		out_printf(o, "%12llu  of a later version's kinds\n",
			   (unsigned long long)s->other_kinds);
	for (int i = 0; i < RANKINGS; i++)
		text_ranking(o, &s->tallies[i], (enum ranking)i, opt->top);
	out_text(o, "\nLost\n");
	if (!s->lost_total)
		out_text(o, "           0\n");
	/* A line for each cause and CPU. */
	told = certificate_losses(o, s->ledger, 1, CERTIFICATE_LINES, opt->utc ? 0 : s->offset);
	if (told < s->lost_total)
		out_printf(o, "%12llu  outside of these times\n",
			   (unsigned long long)(s->lost_total - told));
	out_open(&gaps, -1);
	certificate_gaps(&gaps, s->ledger, false, CERTIFICATE_LINES, opt->utc ? 0 : s->offset);
	if (gaps.len)
		out_text(o, "\nMissing\n");
	out_bytes(o, gaps.buf, gaps.len);
	out_close(&gaps);
}

/* ---- JSON ------------------------------------------------------------------------- */

static void json_ranking(struct out *o, const struct tally *t, enum ranking which,
			 unsigned top)
{
	const struct tally_entry **v = tally_ranking(t);
	uint64_t rest = t->total;

	out_printf(o, ",\"%s\":[", rankings[which].list);
	for (size_t i = 0; v && i < t->n && i < top; i++) {
		json_text(o, i ? ",{" : "{", rankings[which].key, v[i]->key, v[i]->len);
		json_uint(o, ",", "count", v[i]->count);
		out_char(o, '}');
		rest -= v[i]->count;
	}
	out_printf(o, "],\"%s_other\":%llu", rankings[which].list, (unsigned long long)rest);
	free(v);
}

static void json_summary(struct out *o, const struct summary *s, const struct options *opt)
{
	const char *before = "";

	json_uint(o, "{", "events", events_of(s));
	out_text(o, ",\"kinds\":{");
	for (unsigned k = 1; k < ET_KIND_END; k++, before = ",")
		json_uint(o, before, et_kind_name(k), s->kinds[k]);
	out_char(o, '}');
	if (s->any) {
		json_time(o, ",", "start", s->first);
		json_time(o, ",", "end", s->last);
		json_uint(o, ",", "span", (uint64_t)s->last - (uint64_t)s->first);
		out_printf(o, ",\"rate\":%.3f", rate_of(s));
	}
	for (int i = 0; i < RANKINGS; i++)
		json_ranking(o, &s->tallies[i], (enum ranking)i, opt->top);
	json_losses(o, s->stats.lost, s->stats.lost_other);
	certificate_json_losses(o, s->ledger, 1);
	json_uint(o, ",", "missing", s->stats.missing);
	certificate_json_series(o, s->ledger);
	out_printf(o, ",\"complete\":%s}\n", s->complete ? "true" : "false");
}

/* ---- The command ------------------------------------------------------------------ */

static int summarize(struct source **sources, size_t n, struct options *opt)
{
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.jobs = opt->jobs,
		.progress = opt->progress,
	};
	struct summary s = { .complete = true };
	int code = EXIT_DONE, r = ET_NOMEM;
	struct input_row row;
	struct input *in;
	struct out o;

	for (size_t i = 0; i < sizeof(fields); i++)
		io.fields |= 1ull << fields[i];
	out_open(&s.key, -1);
	if (input_open(sources, n, &io, &in)) {
		out_close(&s.key);
		say("out of memory");
		return EXIT_FAILED;
	}
	out_open(&o, STDOUT_FILENO);
	while ((r = input_next(in, &row)) == ET_OK) {
		r = add_row(&s, &row) ? ET_NOMEM : ET_OK;
		if (r)
			break;
	}
	report_series(input_ledger(in), sources, n);
	s.ledger = input_ledger(in);
	add_losses(&s);
	for (size_t i = 0; i < n; i++)
		s.complete &= report_complete(sources[i]);
	if (r == ET_EOF && opt->json) {
		json_summary(&o, &s, opt);
	} else if (r == ET_EOF) {
		text_summary(&o, &s, opt);
	} else {
		say("out of memory");
		code = EXIT_FAILED;
	}
	code = command_end(&o, code);
	for (size_t i = 0; i < n; i++)
		code = report_worse(code, report_source(sources[i], opt));
	report_names(opt, sources, n);
	for (int i = 0; i < RANKINGS; i++)
		tally_free(&s.tallies[i]);
	out_close(&s.key);
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
	.summary = "count what happened: by kind, command, user, exit status and error",
	.options = OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_TOP | OPTIONS_ENDING | OPTIONS_JOBS,
	.notes = ".\n"
		 "Several files are counted together, FILE of - is standard input, and "
		 "without FILE\n"
		 "it is trace.etz",
	.run = summary_run,
};
