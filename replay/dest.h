/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dest.h - a file that a command makes, a capture or a text: there under its name when it is whole,
 * and not before.
 *
 * It grows under another name beside that one, readable by its owner alone, and
 * takes its name last. Whatever happens before, an interrupt too, leaves nothing
 * behind and an older file of that name as it was. Standard output and character
 * devices take the bytes as they come.
 */
#ifndef EXECTRACE_DEST_H
#define EXECTRACE_DEST_H

#include <exectrace.h>

#include "say.h"

struct dest;

/*
 * name of "-": standard output. force: an older file may be replaced. Nothing is
 * followed: a symbolic link is refused. On -1 *out is NULL and *why says why. One
 * at a time.
 */
int dest_open(const char *name, bool force, struct dest **out, struct reason *why);
/* An io for et_writer_open, good until dest_close; closing it changes nothing. */
void dest_io(struct dest *d, struct et_io *io);
/* Its descriptor, good until dest_close, for those who write text. */
int dest_fd(const struct dest *d);
/* What messages call it; borrowed. */
const char *dest_name(const struct dest *d);
/* Brings it to the disk and gives it its name. -1 fills *why; dest_close is due still. */
int dest_keep(struct dest *d, struct reason *why);
/* In a child process: what an interrupt has to remove is the parent's to remove. */
void dest_lend(void);
/* Without dest_keep before, what was written goes. NULL is fine. */
void dest_close(struct dest *d);

#endif
