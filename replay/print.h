/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.h - what happened as words for people, as an object of JSON, and as a line
 * for a shell: each made from its event alone, in any thread.
 */
#ifndef EXECTRACE_PRINT_H
#define EXECTRACE_PRINT_H

#include "container.h"
#include "input.h"
#include "out.h"

/* What was executed, quoted as a shell reads it, with marks around the data. */
void print_command(struct out *o, const struct et_event *ev);
/* "exec", "ENOENT", "exit 0", "SIGSEGV (core)", ... */
void print_result(struct out *o, const struct et_event *ev);

/* The id or name of its container, all of it; returns the length, 0: none is known. */
size_t print_container(const struct input_row *row, char id[CONTAINER_MAX]);

/*
 * A line that does again what an exec did, for any POSIX shell where that can be; what
 * cannot be done again, and execs that failed, are comments. Events that are no exec make
 * none, but for those lost.
 */
void sh_row(struct out *o, const struct input_row *row);

void json_row(struct out *o, const struct input_row *row);
/* Of the fields whose bits are set those that are known, each with a comma before it. */
void json_fields(struct out *o, const struct input_row *row, uint64_t fields);
/*
 * "name":"text" with what comes before it (a comma, or nothing at the start of
 * an object), and "name_b64" behind it when the text is not UTF-8.
 */
void json_text(struct out *o, const char *before, const char *name, const char *s, size_t n);
/* Likewise of a list; what is exact behind it is a list, null for a text that is UTF-8. */
void json_list_field(struct out *o, const char *before, const char *name,
		     const struct et_list *l);
/* A list of texts; returns whether some are not UTF-8. */
bool json_list(struct out *o, const struct et_list *l);
void json_uint(struct out *o, const char *before, const char *name, uint64_t u);
/* "name":"2026-..." of a wall time. */
void json_time(struct out *o, const char *before, const char *name, int64_t wall);
/* ,"lost":N,"lost_by_cause":{...} */
void json_losses(struct out *o, const uint64_t lost[ET_CAUSE_END], uint64_t other);

#endif
