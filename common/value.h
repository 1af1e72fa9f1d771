/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * value.h - values of numeric fields as people write them: what is taken follows from
 * the unit of the field in et_fields[].
 */
#ifndef EXECTRACE_VALUE_H
#define EXECTRACE_VALUE_H

#include <exectrace.h>

/* The largest number that stands for itself. */
#define VALUE_MAX (UINT64_MAX - 1)

/*
 * A whole number: decimal, 0x1f or 0o17. Beside it, where the unit (enum et_unit) has
 * such: 1m30s, 64M, 8:1, ENOENT, SIGKILL or KILL, exec, ring_full, yes or no.
 */
bool value_parse(unsigned unit, const char *s, size_t len, uint64_t *out);
/* "a size such as 64M, or bytes": what value_parse takes, for messages. */
const char *value_wanted(unsigned unit);

#endif
