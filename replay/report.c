/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - whether a capture that was read is whole: what the recorder lost,
 * what damage took away, and whether it was ended.
 */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"

static uint64_t sum(const uint64_t *v, unsigned n)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < n; i++)
		total += v[i];
	return total;
}

/* Puts what separates two clauses, but not before the first. */
static void next_clause(struct out *o, size_t begin)
{
	if (o->len > begin)
		out_text(o, "; ");
}

static void tell_lost(struct out *o, const struct et_reader_stats *st, uint64_t lost)
{
	const char *separator = " (";

	/* Some of what the kernel skipped may have been no event (SPEC.md 4.4). */
	if (st->lost[ET_CAUSE_SKIPPED])
		out_text(o, "at most ");
	out_printf(o, "%llu event%s lost", (unsigned long long)lost, lost == 1 ? "" : "s");
	for (unsigned c = 1; c < ET_CAUSE_END; c++) {
		if (!st->lost[c])
			continue;
		out_printf(o, "%s%s %s%llu", separator, et_cause_name(c),
			   c == ET_CAUSE_SKIPPED ? "at most " : "", (unsigned long long)st->lost[c]);
		separator = ", ";
	}
	if (st->lost_other)
		out_printf(o, "%sother %llu", separator, (unsigned long long)st->lost_other);
	out_char(o, ')');
}

/* s: what is known besides; NULL: nothing. offset: of the zone for times. */
static void put_lacks(struct out *o, const struct et_reader_stats *st, uint64_t unreadable,
		      const struct source *s, int32_t offset)
{
	uint64_t lost = sum(st->lost, ET_CAUSE_END) + st->lost_other;
	uint64_t gone = st->missing + unreadable;
	uint64_t places = st->damaged + (unreadable != 0);
	size_t begin = o->len;

	if (lost)
		tell_lost(o, st, lost);
	if (lost && s)
		certificate_where(o, s->own, lost, offset);
	if (places) {
		next_clause(o, begin);
		out_printf(o, "damaged in %llu place%s", (unsigned long long)places,
			   places == 1 ? "" : "s");
	}
	if (st->truncated) {
		next_clause(o, begin);
		out_text(o, "cut off inside a record");
	}
	if (gone) {
		next_clause(o, begin);
		out_printf(o, "%llu event%s missing", (unsigned long long)gone,
			   gone == 1 ? "" : "s");
	}
	if (st->unclean && !st->truncated) {
		next_clause(o, begin);
		out_text(o, "not ended: the recorder was killed, or is still writing");
	}
	if (st->not_ended) {
		next_clause(o, begin);
		out_text(o, "made from a capture that was not ended, or lacked segments");
	}
	if (st->segments_missing) {
		next_clause(o, begin);
		out_printf(o, "%llu segment%s of its recording not there",
			   (unsigned long long)st->segments_missing,
			   st->segments_missing == 1 ? "" : "s");
	}
	if (s && s->gone) {
		next_clause(o, begin);
		out_text(o, s->gone);
	}
	if (s && s->own->over) {
		next_clause(o, begin);
		out_text(o, "too much to tell apart, so that more may be missing");
	}
}

void report_lacks(struct out *o, const struct et_reader_stats *st, uint64_t unreadable)
{
	put_lacks(o, st, unreadable, NULL, 0);
}

/* A number of segments that are not there, between those of its owner and of another. */
static char *gone_clause(const struct ledger_series *s)
{
	const struct source *next = s[1].first_owner;
	unsigned long long first = s->last + 1, last = s[1].first - 1;
	char which[64], *clause;

	if (first == last)
		snprintf(which, sizeof(which), "segment %llu", first);
	else
		snprintf(which, sizeof(which), "segments %llu to %llu", first, last);
	if (next == s->last_owner ?
		    asprintf(&clause, "%s of its recording not there", which) < 0 :
		    asprintf(&clause, "%s of its recording not there, before %s", which, next->name) < 0)
		return NULL;
	return clause;
}

/* Adds a clause to what is said of a capture. */
static void put_gone(struct source *s, char *clause)
{
	char *both;

	if (!s->gone || !clause) {
		s->gone = s->gone ? s->gone : clause;
		return;
	}
	if (asprintf(&both, "%s; %s", s->gone, clause) >= 0) {
		free(s->gone);
		s->gone = both;
	}
	free(clause);
}

void report_series(const struct ledger *l, struct source *const *sources, size_t n)
{
	struct ledger_series *v;
	size_t n_v;

	if (ledger_series(l, &v, &n_v))
		return;
	for (size_t i = 0; i < n_v; i++) {
		if (v[i].twice)
			say("segments %llu to %llu of a recording: %llu of them came as several "
			    "captures that are no copies, and are shown as often",
			    (unsigned long long)v[i].first, (unsigned long long)v[i].last,
			    (unsigned long long)v[i].twice);
		for (size_t k = 0; k < n && v[i].goes_on; k++)
			if (sources[k] == v[i].last_owner)
				put_gone(sources[k], gone_clause(&v[i]));
	}
	free(v);
}

int report_between(const struct ledger *l, const struct options *opt)
{
	struct ledger_series *v;
	int code = EXIT_DONE;
	size_t n;

	if (ledger_series(l, &v, &n))
		return code;
	for (size_t i = 0; i < n; i++) {
		const struct source *before = v[i].last_owner;
		char *clause;

		if (!v[i].goes_on || before == v[i + 1].first_owner)
			continue;
		clause = gone_clause(&v[i]);
		say("%s: %s", before->name, clause ? clause : "segments of its recording not there");
		free(clause);
		if (opt->fail_on_loss)
			code = EXIT_DAMAGED;
	}
	free(v);
	return code;
}

void report_state(struct out *o, const struct source *s, bool utc)
{
	struct et_reader_stats st;
	size_t begin = o->len;

	source_stats(s, &st);
	if (s->failure.code) {
		out_printf(o, "not read to its end: %s", s->failure.what);
		return;
	}
	put_lacks(o, &st, s->unreadable, s, utc ? 0 : s->offset);
	if (o->len == begin)
		out_text(o, "complete");
}

bool report_complete(const struct source *s)
{
	struct et_reader_stats st;
	struct out lacks;
	bool whole;

	source_stats(s, &st);
	out_open(&lacks, -1);
	put_lacks(&lacks, &st, s->unreadable, s, 0);
	whole = !lacks.len && s->ended && !s->n_faults && !st.unread;
	out_close(&lacks);
	return whole;
}

static void tell_faults(const struct source *s)
{
	uint64_t told = s->n_faults < SOURCE_FAULTS ? s->n_faults : SOURCE_FAULTS;

	for (uint64_t i = 0; i < told; i++)
		say("%s: at byte %llu: %s", s->name, (unsigned long long)s->faults[i].at,
		    s->faults[i].what);
	if (s->n_faults > told)
		say("%s: and %llu more of the kind", s->name,
		    (unsigned long long)(s->n_faults - told));
}

static const char *column_name(const struct source *s, unsigned id)
{
	for (unsigned i = 0; i < s->n_extra; i++)
		if (s->extra[i].id == id)
			return s->extra[i].name;
	return id < ET_FIELD_END && et_fields[id].name ? et_fields[id].name : NULL;
}

/* No fault: what is shown is right, but it is not all there is (SPEC.md 8). */
static void tell_left_out(const struct source *s)
{
	struct out names;
	unsigned n = 0;

	out_open(&names, -1);
	for (unsigned id = 1; id <= 255; id++) {
		const char *name = column_name(s, id);

		if (!(s->left_out[id / 64] >> id % 64 & 1))
			continue;
		out_text(&names, n++ ? ", " : "");
		if (name)
			out_text(&names, name);
		else
			out_printf(&names, "column_%u", id);
	}
	if (n)
		say("%s: left out where only a later version of exectrace can read %s: %.*s",
		    s->name, n == 1 ? "it" : "them", (int)names.len, names.buf);
	out_close(&names);
}

/* Rows that came more than once are shown once. */
static void tell_copies(const struct source *s)
{
	uint64_t again = sum(s->again, ET_KIND_END);

	if (again)
		say("%s: %llu event%s of it stand there more than once, and are shown once",
		    s->name, (unsigned long long)again, again == 1 ? "" : "s");
	if (s->elsewhere)
		say("%s: %llu event%s of it are those of another capture, and are shown once",
		    s->name, (unsigned long long)s->elsewhere, s->elsewhere == 1 ? "" : "s");
}

static void tell_complete(const struct source *s, const struct et_reader_stats *st)
{
	uint64_t all = sum(st->rows, ET_KIND_END);

	if (!s->ended)
		say("%s: %llu event%s shown until now", s->name, (unsigned long long)s->shown,
		    s->shown == 1 ? "" : "s");
	else if (st->unread)
		say("%s: %llu event%s shown; %llu outside of these times were not read", s->name,
		    (unsigned long long)s->shown, s->shown == 1 ? "" : "s",
		    (unsigned long long)st->unread);
	else if (s->shown + s->elsewhere == all)
		say("%s: complete, %llu event%s", s->name, (unsigned long long)all,
		    all == 1 ? "" : "s");
	else
		say("%s: complete, %llu of %llu events shown", s->name,
		    (unsigned long long)s->shown, (unsigned long long)all);
}

int report_source(const struct source *s, const struct options *opt)
{
	struct et_reader_stats st;
	struct out lacks;
	int code = EXIT_DONE;

	source_stats(s, &st);
	tell_faults(s);
	tell_left_out(s);
	if (s->failure.code) {
		say("%s: cannot read on at byte %llu: %s", s->name,
		    (unsigned long long)s->failure.at,
		    s->failure.sys ? strerror(s->failure.sys) : s->failure.what);
		return s->failure.code == ET_CORRUPT ? EXIT_DAMAGED : EXIT_FAILED;
	}
	if (s->n_faults || st.damaged || st.missing || st.truncated)
		code = EXIT_DAMAGED;
	if (!s->ended && !s->stopped)
		return code;
	out_open(&lacks, -1);
	put_lacks(&lacks, &st, s->unreadable, s, opt->utc ? 0 : s->offset);
	if (!opt->quiet)
		tell_copies(s);
	if (lacks.len) {
		say("%s: incomplete: %.*s", s->name, (int)lacks.len, lacks.buf);
		if (opt->fail_on_loss)
			code = EXIT_DAMAGED;
	} else if (!opt->quiet) {
		tell_complete(s, &st);
	}
	out_close(&lacks);
	return code;
}

static bool is_named(struct source *const *sources, size_t n, const char *name, bool group)
{
	uint64_t id;

	for (size_t i = 0; i < n; i++)
		if ((group ? et_context_find_group(sources[i]->names, name, &id)
			   : et_context_find_user(sources[i]->names, name, &id)) ||
		    is_named(sources[i]->parts, sources[i]->n_parts, name, group))
			return true;
	return false;
}

void report_names(const struct options *opt, struct source *const *sources, size_t n)
{
	for (int group = 0; group < 2; group++) {
		const struct test *t =
			filter_values(&opt->filter, group ? FILTER_GID : FILTER_UID);

		for (size_t i = 0; t && i < t->n_texts; i++)
			if (!is_named(sources, n, t->texts[i].p, group))
				say("no event is of a %s named '%s'", group ? "group" : "user",
				    t->texts[i].p);
	}
}

int report_input(struct input *in, struct source *const *sources, size_t n,
		 const struct options *opt, int code)
{
	report_series(input_ledger(in), sources, n);
	for (size_t i = 0; i < n; i++)
		code = report_worse(code, report_source(sources[i], opt));
	report_names(opt, sources, n);
	input_close(in);
	return code;
}

int report_worse(int a, int b)
{
	return a > b ? a : b;
}
