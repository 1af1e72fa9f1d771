/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.h - events as lines: a table for people, JSON Lines for programs. Both
 * print all there is in the order they are given it; choosing is the filter's.
 */
#ifndef EXECTRACE_PRINT_H
#define EXECTRACE_PRINT_H

#include "columns.h"
#include "input.h"
#include "out.h"

struct text_printer {
	struct out line;	/* the line being made */
	bool utc, date, header;
	bool begun;
	size_t width;		/* of the terminal; 0: lines are not cut */
	int64_t day;		/* of the line before, since 1970 */
	int32_t offset;		/* and its zone */
	size_t user_width;	/* grows with what has been shown */
	struct columns columns;	/* instead of the usual ones, where there are any */
};

void text_open(struct text_printer *p, bool utc, bool date, bool header, size_t width);
void text_close(struct text_printer *p);
void text_row(struct text_printer *p, struct out *o, const struct input_row *row);
/* The titles, where no row came. */
void text_end(struct text_printer *p, struct out *o);

/* What was executed, quoted as a shell reads it, with marks around the data. */
void print_command(struct out *o, const struct et_event *ev);
/* "exec", "ENOENT", "exit 0", "SIGSEGV (core)", ... */
void print_result(struct out *o, const struct et_event *ev);

void json_row(struct out *o, const struct input_row *row);
/* Of the fields whose bits are set those that are known, each with a comma before it. */
void json_fields(struct out *o, const struct input_row *row, uint64_t fields);
/*
 * "name":"text" with what comes before it (a comma, or nothing at the start of
 * an object), and "name_b64" behind it when the text is not UTF-8.
 */
void json_text(struct out *o, const char *before, const char *name, const char *s, size_t n);
void json_uint(struct out *o, const char *before, const char *name, uint64_t u);
/* "name":"2026-..." of a wall time. */
void json_time(struct out *o, const char *before, const char *name, int64_t wall);
/* ,"lost":N,"lost_by_cause":{...} */
void json_losses(struct out *o, const uint64_t lost[ET_CAUSE_END], uint64_t other);

#endif
