/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stretch.h - a stretch of an open file as an io of its own, with a position of its
 * own, so that several can be read side by side.
 */
#ifndef EXECTRACE_STRETCH_H
#define EXECTRACE_STRETCH_H

#include <exectrace.h>

/*
 * The size bytes from base on, for reading and seeking. fd is borrowed until
 * io->close. Returns ET_OK or ET_NOMEM.
 */
int stretch_open(int fd, uint64_t base, uint64_t size, struct et_io *io);

#endif
