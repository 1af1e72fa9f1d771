/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - the commands of exectrace. Each describes itself; here is only the list. */
#include "command.h"
#include "recorder.h"
#include "topic.h"

#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&cmd_record, &cmd_live,  &cmd_replay, &cmd_tree, &cmd_summary, &cmd_info,
	&cmd_verify, &cmd_recover, &cmd_slice, &cmd_merge, &cmd_compact,
	&cmd_trigger,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void usage(struct out *o)
{
	out_text(o,
		 "Usage: exectrace COMMAND [options] [FILE...]\n\n"
		 "Records every program that a Linux machine executes, and answers questions\n"
		 "about the recording later, anywhere.\n\nCommands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		out_printf(o, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	out_text(o, "  help       show this, or what a command takes\n\n"
		    "  exectrace help COMMAND, or exectrace COMMAND --help, says more;\n"
		    "  exectrace help expressions says what --where takes;\n"
		    "  exectrace --version tells the version.\n");
}

static int unknown(const char *name)
{
	say("there is no command '%s' (see exectrace help)", name);
	return EXIT_USAGE;
}

static int help(const char *name)
{
	static char ask[] = "--help";
	bool all = !name || !strcmp(name, "help");
	const struct command *c = all ? NULL : find(name);
	struct recorder recorder;
	struct reason why;
	struct out o;

	if (c && c->own_help && !recorder_find(&recorder, &why))
		return c->run(2, (char *[]){ ask, ask, NULL });
	command_begin_output();
	out_open(&o, STDOUT_FILENO);
	if (c)
		command_help(c, &o);
	else if (all)
		usage(&o);
	else if (!topic_help(name, &o))
		return command_end(&o, unknown(name));
	return command_end(&o, EXIT_DONE);
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		say("which command? (see exectrace help)");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(argv[2]);
	if (!strcmp(argv[1], "--version"))
		return command_version();
	c = find(argv[1]);
	if (!c)
		return unknown(argv[1]);
	say_as(c->name);
	return c->run(argc - 1, argv + 1);
}
