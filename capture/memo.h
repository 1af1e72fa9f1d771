/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memo.h - texts by number, of a bounded number: what is over that makes it forget all.
 */
#ifndef EXECTRACE_MEMO_H
#define EXECTRACE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memo;

struct memo *memo_new(void);	/* NULL: no memory */
void memo_free(struct memo *m);
/* Without memory it is not kept. One that is there already stays. */
void memo_keep(struct memo *m, uint64_t id, const char *text, size_t len);
/* text is borrowed until the next memo_keep. */
bool memo_find(const struct memo *m, uint64_t id, const char **text, size_t *len);

#endif
