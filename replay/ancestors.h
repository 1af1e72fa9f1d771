/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ancestors.h - which rows say who the ancestors of the events kept were.
 *
 * Rows are told in the order of time and known by their number. Of each process
 * that lives there is remembered where it was forked, or found at the beginning,
 * and where it last executed something; for an event kept, those two rows of its
 * parent, the parent's parent and so on are kept too. Memory is a bit per row, and
 * an entry per live process, at most for the 2^22 pids that Linux has.
 */
#ifndef EXECTRACE_ANCESTORS_H
#define EXECTRACE_ANCESTORS_H

#include <exectrace.h>

/* What ancestors_take has to know of a row, as bits of fields. */
#define ANCESTORS_FIELDS \
	(1ull << ET_F_KIND | 1ull << ET_F_TS | 1ull << ET_F_PID | 1ull << ET_F_PPID | \
	 1ull << ET_F_START)

struct ancestors;

/* seek: false keeps only what it is told to. NULL: no memory. */
struct ancestors *ancestors_new(bool seek);
void ancestors_free(struct ancestors *a);
/* The next row, and whether it is kept for its own sake. ET_OK or ET_NOMEM. */
int ancestors_take(struct ancestors *a, const struct et_event *ev, bool keep);
/* Whether the row of that number, from 0, is kept for whatever reason. */
bool ancestors_kept(const struct ancestors *a, uint64_t row);
/* Rows kept, and how many of them for the sake of others alone. */
uint64_t ancestors_rows(const struct ancestors *a, uint64_t *for_others);

#endif
