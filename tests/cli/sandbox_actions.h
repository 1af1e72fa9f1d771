/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox_actions.h - what sandbox_probe tries. What an action needs is made before
 * the sandbox is entered, so that it is the action alone that is judged.
 */
#ifndef SANDBOX_ACTIONS_H
#define SANDBOX_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct action {
	const char *name;
	int (*run)(void);	/* below 0: failed, with errno */
	bool owned;		/* as live: the child is the sandbox's to signal */
};

extern const struct action actions[];
extern const size_t n_actions;

extern const char *arg;		/* of the action: mostly a path */
extern pid_t child;		/* outside: started by prepare */

/* 0, or -1 with errno. */
int prepare(void);

#endif
