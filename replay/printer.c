/* SPDX-License-Identifier: BSD-2-Clause */
#include "printer.h"

#include "cells.h"
#include "csv.h"
#include "print.h"
#include "template.h"

void printer_open(struct printer *p, const struct options *opt)
{
	*p = (struct printer){
		.format = options_format(opt),
		.template = opt->template,
		.columns = opt->columns.n ? opt->columns : columns_of_csv,
		.when = { .way = opt->time, .utc = opt->utc, .date = opt->date },
		.header = !opt->no_header,
	};
	if (p->format == FORMAT_CSV) {
		p->when.exact = true;
		/* The time of day alone would be no time; JSON has it in UTC. */
		if (p->when.way == WHEN_ABSOLUTE) {
			p->when.way = WHEN_ISO;
			p->when.utc = true;
		}
	}
	out_open(&p->made, -1);
	out_open(&p->scratch, -1);
	table_open(&p->table, &opt->columns, &p->when);
	p->table.header = p->header;
	p->table.colored = opt->colored;
	p->table.screen = opt->wide ? 0 : opt->screen;
}

void printer_close(struct printer *p)
{
	table_close(&p->table);
	out_close(&p->scratch);
	out_close(&p->made);
}

void printer_make(const struct printer *p, struct out *o, const struct input_row *row)
{
	switch (p->format) {
	case FORMAT_TEXT:
		cells_make(o, &p->table.columns, row);
		break;
	case FORMAT_JSON:
		json_row(o, row);
		break;
	case FORMAT_CSV:
		cells_csv(o, &p->columns, row);
		break;
	case FORMAT_SH:
		sh_row(o, row);
		break;
	case FORMAT_TEMPLATE:
		cells_make(o, &p->template->columns, row);
		break;
	}
}

static void put_titles(struct printer *p, struct out *o)
{
	if (!p->begun && p->header && p->format == FORMAT_CSV)
		csv_titles(o, &p->columns);
	p->begun = true;
}

void printer_line(struct printer *p, struct out *o, const char *made, size_t len, int64_t wall,
		  int32_t offset)
{
	put_titles(p, o);
	switch (p->format) {
	case FORMAT_TEXT:
		table_line(&p->table, o, made, &p->when, wall, offset);
		break;
	case FORMAT_JSON:
	case FORMAT_SH:
		out_bytes(o, made, len);
		break;
	case FORMAT_CSV:
		csv_line(o, made, p->columns.n, &p->when, wall, offset);
		break;
	case FORMAT_TEMPLATE:
		template_line(p->template, o, made, &p->when, wall, offset, &p->scratch);
		break;
	}
	when_pass(&p->when, wall);
}

bool printer_row(struct printer *p, struct out *o, const struct input_row *row)
{
	const char *made = row->text;
	size_t len = row->text_len;

	if (!made) {
		p->made.len = 0;
		printer_make(p, &p->made, row);
		made = p->made.buf;
		len = p->made.len;
	}
	if (p->made.error)
		o->error = p->made.error;
	else if (len)
		printer_line(p, o, made, len, row->wall, row->source->offset);
	return len > 0;
}

void printer_end(struct printer *p, struct out *o)
{
	put_titles(p, o);
	if (p->format == FORMAT_TEXT)
		table_end(&p->table, o, &p->when);
}
