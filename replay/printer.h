/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printer.h - events as lines of the format that the options ask for, in two steps. What a
 * row alone says is made in any thread and order; the line, which may depend on the lines
 * before, is put when its turn has come.
 */
#ifndef EXECTRACE_PRINTER_H
#define EXECTRACE_PRINTER_H

#include "options.h"
#include "table.h"

struct printer {
	enum format format;
	const struct template *template; /* of FORMAT_TEMPLATE; borrowed */
	struct columns columns;		 /* of FORMAT_CSV */
	struct table table;		 /* of FORMAT_TEXT */
	struct when when;
	bool header, begun;
	struct out made, scratch;
};

/* What it needs of opt's it borrows. */
void printer_open(struct printer *p, const struct options *opt);
void printer_close(struct printer *p);
/* Appends what the row says; nothing: it has no line in this format. */
void printer_make(const struct printer *p, struct out *o, const struct input_row *row);
/* The line of what was made, len bytes of it, of a row of that time and zone. */
void printer_line(struct printer *p, struct out *o, const char *made, size_t len, int64_t wall,
		  int32_t offset);
/* Both at once. False: the row has no line. */
bool printer_row(struct printer *p, struct out *o, const struct input_row *row);
/* What is due where no line came: titles. */
void printer_end(struct printer *p, struct out *o);

#endif
