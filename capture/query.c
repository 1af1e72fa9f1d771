/* SPDX-License-Identifier: BSD-2-Clause */
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "options.h"
#include "say.h"

#define PATIENCE_MS 5000

/* Who has answered may be anybody: nothing of it is obeyed by a terminal. */
static bool print_lines(char *text)
{
	char shown[4 * ASK_ANSWER + 1], *rest = text;

	for (char *line; (line = strsep(&rest, "\n"));) {
		say_shown(shown, line);
		if (rest || *line)
			puts(shown);
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	say("cannot write standard output: %s", strerror(errno));
	return false;
}

int query_status(const struct options *opt)
{
	const char *path = opt->control_path ? opt->control_path : ASK_PATH;
	struct ask_answer answer;
	char why[512];
	int error = ask(path, opt->json ? "status" : "show", PATIENCE_MS, &answer);

	if (error) {
		ask_failure(error, path, why, sizeof(why));
		say("%s", why);
		return EXIT_FAILED;
	}
	if (!answer.ok) {
		say("the recorder at %s says: %s", path, answer.text);
		return EXIT_FAILED;
	}
	return print_lines(answer.text) ? EXIT_DONE : EXIT_FAILED;
}
