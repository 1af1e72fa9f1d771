/* SPDX-License-Identifier: BSD-2-Clause */
/* fields.h - how columns are coded (SPEC.md 5.3), beside the public field table. */
#ifndef ET_FIELDS_H
#define ET_FIELDS_H

#include <exectrace.h>

enum transform {
	TRANSFORM_NONE = 0,
	TRANSFORM_DELTA = 1,	/* difference from the value before */
	TRANSFORM_BY_PID = 2,	/* difference from the last value of the same pid, else from ts */
	TRANSFORM_FROM_PID = 3,	/* difference from the row's pid */
	TRANSFORM_FIRST_USE = 4,	/* 0 for one more than the largest so far */
	TRANSFORM_END
};

/* The highest kind a file may hold; bits of the kinds mask. */
#define KIND_MAX 15

#endif
