/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool.h - a capture that can be read again and in parts: a regular file as long
 * as it was when it was opened, or a copy of what came through a pipe.
 */
#ifndef EXECTRACE_SPOOL_H
#define EXECTRACE_SPOOL_H

#include <exectrace.h>

#include "say.h"

struct spool {
	char *name;	/* for messages */
	int fd;
	uint64_t base;	/* offset in fd of the capture's first byte */
	uint64_t size;	/* of the capture */
};

/*
 * name of "-": standard input. A pipe is copied into a file without a name, in
 * TMPDIR or else /tmp. On -1 *why says why, and there is nothing to close.
 */
int spool_open(const char *name, struct spool *s, struct reason *why);
void spool_close(struct spool *s);
/* An io for bytes [at, at + len) of the capture; it borrows s. ET_OK or ET_NOMEM. */
int spool_io(const struct spool *s, uint64_t at, uint64_t len, struct et_io *io);

#endif
