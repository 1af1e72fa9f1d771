/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - whether a capture that was read is whole: what the recorder lost,
 * what damage took away, and whether it was ended.
 */
#include "command.h"

#include <stdlib.h>
#include <string.h>

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

	out_printf(o, "%llu event%s lost", (unsigned long long)lost, lost == 1 ? "" : "s");
	for (unsigned c = 1; c < ET_CAUSE_END; c++) {
		if (!st->lost[c])
			continue;
		out_printf(o, "%s%s %llu", separator, et_cause_name(c),
			   (unsigned long long)st->lost[c]);
		separator = ", ";
	}
	if (st->lost_other)
		out_printf(o, "%sother %llu", separator, (unsigned long long)st->lost_other);
	out_char(o, ')');
}

void report_lacks(struct out *o, const struct et_reader_stats *st, uint64_t unreadable)
{
	uint64_t lost = sum(st->lost, ET_CAUSE_END) + st->lost_other;
	uint64_t gone = st->missing + unreadable;
	uint64_t places = st->damaged + (unreadable != 0);
	size_t begin = o->len;

	if (lost)
		tell_lost(o, st, lost);
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
		out_text(o, "made from a capture that was not ended");
	}
}

void report_state(struct out *o, const struct source *s)
{
	struct et_reader_stats st;
	size_t begin = o->len;

	source_stats(s, &st);
	if (s->failure.code) {
		out_printf(o, "not read to its end: %s", s->failure.what);
		return;
	}
	report_lacks(o, &st, s->unreadable);
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
	report_lacks(&lacks, &st, s->unreadable);
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
	else if (s->shown == all)
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
	report_lacks(&lacks, &st, s->unreadable);
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
		const struct filter_terms *t =
			&opt->filter.numbers[group ? FILTER_GID : FILTER_UID];

		for (size_t i = 0; i < t->n_names; i++)
			if (!is_named(sources, n, t->names[i], group))
				say("no event is of a %s named '%s'", group ? "group" : "user",
				    t->names[i]);
	}
}

int report_worse(int a, int b)
{
	return a > b ? a : b;
}
