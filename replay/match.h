/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match.h - --match FIELD=LIST as an expression: what can be asked of a field follows from
 * its type and unit in et_fields[].
 */
#ifndef EXECTRACE_MATCH_H
#define EXECTRACE_MATCH_H

#include "exprtree.h"
#include "say.h"

/* NAME=LIST, or NAME of a flag alone. -1 fills *why, and *out is NULL. */
int match_parse(const char *text, struct expr **out, struct reason *why);

#endif
