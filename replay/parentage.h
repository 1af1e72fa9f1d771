/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parentage.h - what the parent of the process that a row is about is called: the name
 * under which it was forked or, where the fork is not in the capture, the one that its
 * parent has at that moment. Rows are told in the order of time, all of them.
 */
#ifndef EXECTRACE_PARENTAGE_H
#define EXECTRACE_PARENTAGE_H

#include "input.h"

struct parentage;

/* What parentage_take has to know of a row, as bits of fields. */
extern const uint64_t parentage_fields;

struct parentage *parentage_new(void); /* NULL: no memory */
void parentage_free(struct parentage *p);
/* *name: ptr NULL where it is not known; borrowed until the next call. -1: no memory. */
int parentage_take(struct parentage *p, const struct input_row *row, struct et_str *name);

#endif
