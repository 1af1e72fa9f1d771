/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * optionspec.h - an option as the table in options.c lists it, for what walks that
 * table: the parser and the help.
 */
#ifndef EXECTRACE_OPTIONSPEC_H
#define EXECTRACE_OPTIONSPEC_H

#include "options.h"

struct option_spec;
typedef int set_fn(struct options *o, const struct option_spec *spec, char *value,
		   struct reason *why);

struct option_spec {
	unsigned group;
	const char *name;
	char letter;
	const char *arg; /* NULL: takes none */
	const char *help;
	set_fn *set;
	size_t param; /* of set: an offset in struct options, or a test of the filter */
};

/* In the order of the help; where two of one name are taken, the first is meant. */
extern const struct option_spec option_specs[];
extern const size_t n_option_specs;

#endif
