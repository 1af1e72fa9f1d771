/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_trigger.c - have a recorder that runs write what its flight recorder holds. */
#include "command.h"

#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "escape.h"

/* To a terminal nothing that it would obey; to a program exactly the name. */
static int print_name(const struct ask_answer *answer)
{
	struct out o;

	out_open(&o, STDOUT_FILENO);
	if (isatty(STDOUT_FILENO))
		escape_message(&o, answer->text, answer->len);
	else
		out_bytes(&o, answer->text, answer->len);
	out_char(&o, '\n');
	return command_end(&o, EXIT_DONE);
}

static int trigger(const char *path)
{
	struct ask_answer answer;
	char why[512];
	/* It takes as long as writing takes. */
	int error = ask(path, "trigger", -1, &answer);

	if (error) {
		ask_failure(error, path, why, sizeof(why));
		say("%s", why);
		return EXIT_FAILED;
	}
	if (answer.ok)
		return print_name(&answer);
	say("the recorder at %s says: %s", path, answer.text);
	return EXIT_FAILED;
}

static int trigger_run(int argc, char **argv)
{
	struct options opt;
	int code = command_begin(&cmd_trigger, argc, argv, &opt);

	if (code < 0 && opt.n_files) {
		say("unexpected argument '%s'; a socket is named by --control", opt.files[0]);
		code = EXIT_USAGE;
	} else if (code < 0) {
		code = trigger(opt.control ? opt.control : ASK_PATH);
	}
	options_free(&opt);
	return code;
}

const struct command cmd_trigger = {
	.name = "trigger",
	.args = "[--control PATH]",
	.summary = "have a running flight recorder write what it holds",
	.options = OPTIONS_CONTROL,
	.notes = ",\n"
		 "and print the name of the capture that it has written. It has to be started with\n"
		 "--control, and answers root and the user who records",
	.run = trigger_run,
};
