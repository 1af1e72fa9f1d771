/* SPDX-License-Identifier: BSD-2-Clause */
/* topic.h - what exectrace help tells beside the commands. */
#ifndef EXECTRACE_TOPIC_H
#define EXECTRACE_TOPIC_H

#include <stdbool.h>

#include "out.h"

/* False: there is no such topic, and nothing was printed. */
bool topic_help(const char *name, struct out *o);

#endif
