/* SPDX-License-Identifier: BSD-2-Clause */
/* tempfile.h - a place on the disk for what memory need not hold. */
#ifndef EXECTRACE_TEMPFILE_H
#define EXECTRACE_TEMPFILE_H

/* The folder where such files are: TMPDIR, or /tmp. */
const char *tempfile_folder(void);
/* A file there that is gone when its descriptor is. -1 sets errno. */
int tempfile_open(void);

#endif
