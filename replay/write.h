/* SPDX-License-Identifier: BSD-2-Clause */
/* write.h - a write that is not content with a part. */
#ifndef EXECTRACE_WRITE_H
#define EXECTRACE_WRITE_H

#include <stddef.h>

/* All n bytes, however often that has to be tried. 0 or an errno value. */
int write_all(int fd, const void *data, size_t n);

#endif
