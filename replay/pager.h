/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pager.h - what is printed on a terminal shown a screen at a time, by the program that
 * the environment names: EXECTRACE_PAGER, PAGER, or else less, told by LESS=FRX, where
 * LESS is not set, to end by itself when all fits on the screen.
 */
#ifndef EXECTRACE_PAGER_H
#define EXECTRACE_PAGER_H

#include <sys/types.h>

#include "say.h"

/*
 * From now on standard output goes to the pager, and standard error as well where it is
 * a terminal; keys that interrupt are the pager's alone. *pager: the process, 0: none is
 * wanted, or there is no less. -1 fills *why: the one that is named cannot be run.
 */
int pager_start(pid_t *pager, struct reason *why);
/* No more is printed; returns when the user has left the pager. None where it is 0. */
void pager_wait(pid_t pager);

#endif
