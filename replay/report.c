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

/* What the capture lacks, in clauses; nothing when it is whole. */
static void tell_lacks(struct out *o, const struct source *s, const struct et_reader_stats *st)
{
	uint64_t lost = sum(st->lost, ET_CAUSE_END) + st->lost_other;
	uint64_t gone = st->missing + s->unreadable;
	uint64_t places = st->damaged + (s->unreadable != 0);
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
}

void report_state(struct out *o, const struct source *s)
{
	struct et_reader_stats st;
	size_t begin = o->len;

	et_reader_stats(s->reader, &st);
	if (s->failure.code) {
		out_printf(o, "not read to its end: %s", s->failure.what);
		return;
	}
	tell_lacks(o, s, &st);
	if (o->len == begin)
		out_text(o, "complete");
}

bool report_complete(const struct source *s)
{
	struct et_reader_stats st;
	struct out lacks;
	bool whole;

	et_reader_stats(s->reader, &st);
	out_open(&lacks, -1);
	tell_lacks(&lacks, s, &st);
	whole = !lacks.len && s->ended && !s->n_faults;
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

static void tell_complete(const struct source *s, const struct et_reader_stats *st)
{
	uint64_t all = sum(st->rows, ET_KIND_END);

	if (s->shown == all)
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

	et_reader_stats(s->reader, &st);
	tell_faults(s);
	if (s->failure.code) {
		say("%s: cannot read on at byte %llu: %s", s->name,
		    (unsigned long long)s->failure.at,
		    s->failure.sys ? strerror(s->failure.sys) : s->failure.what);
		return s->failure.code == ET_CORRUPT ? EXIT_DAMAGED : EXIT_FAILED;
	}
	if (s->n_faults || st.damaged || st.missing || st.truncated)
		code = EXIT_DAMAGED;
	if (!s->ended)
		return code;
	out_open(&lacks, -1);
	tell_lacks(&lacks, s, &st);
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
		if (group ? et_context_find_group(sources[i]->names, name, &id)
			  : et_context_find_user(sources[i]->names, name, &id))
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
