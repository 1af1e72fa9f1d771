/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit.h - whether what a row record's head says of its rows is true, and its
 * columns and strings are as SPEC.md 5 wants them: what a reader has to believe.
 */
#ifndef ET_AUDIT_H
#define ET_AUDIT_H

#include "chunk.h"

/* Each fault; code: ET_CORRUPT, or ET_UNSUPPORTED for what this version cannot judge. */
typedef void audit_fn(void *ctx, enum et_code code, const char *what);

/*
 * Decodes all of c and compares it with h, its head. *whole: every row can be
 * read. Returns ET_OK or ET_NOMEM.
 */
int audit_chunk(struct et_chunk *c, const struct head *h, audit_fn *tell, void *ctx, bool *whole,
		struct et_error *err);

#endif
