/* SPDX-License-Identifier: BSD-2-Clause */
/* pids.h - a set of pids as an option gives it. */
#ifndef EXECTRACE_PIDS_H
#define EXECTRACE_PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "say.h"

/* Zero it is empty. */
struct pids {
	uint32_t *v; /* ascending */
	size_t n;
};

void pids_free(struct pids *p);
/* Adds those of a list with commas. option: its name, for *why, which -1 fills. */
int pids_add(struct pids *p, const char *option, const char *list, struct reason *why);
bool pids_have(const struct pids *p, uint32_t pid);

#endif
