/* SPDX-License-Identifier: BSD-2-Clause */
/* optioncheck.c - what follows from several options, and which do not go together. */
#include "options.h"

enum format options_format(const struct options *o)
{
	return o->json	     ? FORMAT_JSON
	       : o->csv	     ? FORMAT_CSV
	       : o->sh	     ? FORMAT_SH
	       : o->template ? FORMAT_TEMPLATE
			     : FORMAT_TEXT;
}

bool options_ordered(const struct options *o)
{
	return o->sort.n || o->reverse || o->tail != UINT64_MAX;
}

const char *options_conflict(const struct options *o)
{
	enum format format = options_format(o);
	bool ordered = options_ordered(o);
	const struct {
		bool is;
		const char *why;
	} conflicts[] = {
		{ o->json + o->csv + o->sh + (o->template != NULL) > 1,
		  "--json, --csv and --format say how events are printed: give one of them" },
		{ o->columns.n && format == FORMAT_JSON,
		  "--columns is of the table, and --json prints all fields: leave one out" },
		{ o->columns.n && (format == FORMAT_SH || format == FORMAT_TEMPLATE),
		  "--columns is of the table and of CSV: leave it out, or --format" },
		{ o->time != WHEN_ABSOLUTE && (format == FORMAT_JSON || format == FORMAT_SH),
		  "--time is of the table, of CSV and of templates: leave it out, or the "
		  "format" },
		{ o->tail != UINT64_MAX && o->limit != UINT64_MAX,
		  "--limit is of the first events and --tail of the last: leave one out" },
		{ o->count && (ordered || o->speed > 0),
		  "--count prints a number: --sort, --reverse, --tail and --speed are of lines" },
		{ o->rooted && o->descended,
		  "--pid and --descendants-of both say where a tree begins: give one of them" },
		{ o->follow && ordered,
		  "--follow has no end, and which line is the first of --sort, --reverse or "
		  "--tail is not known before it" },
		{ o->speed > 0 && (ordered || o->follow),
		  "--speed shows events when they are due: it goes neither with another order "
		  "nor with --follow" },
	};

	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		if (conflicts[i].is)
			return conflicts[i].why;
	return NULL;
}
