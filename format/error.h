/* SPDX-License-Identifier: BSD-2-Clause */
/* error.h - how the library reports failures: a code, a place, a static text. */
#ifndef ET_ERROR_H
#define ET_ERROR_H

#include <exectrace.h>

static inline int et_fail(struct et_error *err, enum et_code code, uint64_t at, const char *what)
{
	if (err)
		*err = (struct et_error){ code, 0, at, what };
	return code;
}

/* The system refused: sys is its errno. */
static inline int et_fail_io(struct et_error *err, int sys, uint64_t at, const char *what)
{
	if (err)
		*err = (struct et_error){ ET_IO, sys, at, what };
	return ET_IO;
}

static inline int et_fail_nomem(struct et_error *err)
{
	return et_fail(err, ET_NOMEM, 0, "out of memory");
}

#endif
