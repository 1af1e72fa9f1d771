/* SPDX-License-Identifier: BSD-2-Clause */
#include "color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const choices[] = {
	[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"
};

/* ECMA-48, colours of the terminal's own palette. */
static const char *const begins[] = {
	[COLOR_DIM] = "\033[2m",    [COLOR_NAME] = "\033[36m",	   [COLOR_WARN] = "\033[33m",
	[COLOR_BAD] = "\033[31m", [COLOR_FATAL] = "\033[1;31m",
};

bool color_parse(const char *name, enum color_choice *choice)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (strcmp(choices[i], name))
			continue;
		*choice = (enum color_choice)i;
		return true;
	}
	return false;
}

/* NO_COLOR as on no-color.org: set, and not empty. */
bool color_wanted(enum color_choice choice)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

void color_begin(struct out *o, enum color color)
{
	if (color)
		out_text(o, begins[color]);
}

void color_end(struct out *o, enum color color)
{
	if (color)
		out_bytes(o, "\033[m", 3);
}
