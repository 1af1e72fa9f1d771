/* SPDX-License-Identifier: BSD-2-Clause */
#include "topic.h"

#include <string.h>

#include "operand.h"

static void help_expressions(struct out *o)
{
	out_text(o, "An expression says which events are asked for, as in\n"
		    "\n"
		    "  --where 'exit != 0 && comm == \"backup\"'\n"
		    "  --where 'kind == exec && argv has ~ \"*.c\" && !(user in (\"root\", \"ann\"))'\n"
		    "  --where 'duration > 1m30s or max_rss >= 2G'\n"
		    "\n"
		    "Tests:\n"
		    "  == !=                of numbers, text and times\n"
		    "  < <= > >=            of numbers and times\n"
		    "  in (1, 5..9, 20..)   one of these values or ranges\n"
		    "  ~ \"*.c\"              a pattern of * ? [a-z]; as with --exe, one of a path and\n"
		    "                       without a / is compared with its last part\n"
		    "  =~ \"^a(b|c)+$\"       a POSIX extended regular expression\n"
		    "  argv has \"-v\"        an item of a list; also has ~ and has =~\n"
		    "  argv[0] argv[-1]     an item by its place, from the front or the back: text\n"
		    "  uid != euid          another field of the same type; numbers also < <= > >=\n"
		    "  core, exe_deleted    a flag alone\n"
		    "  known(exe)           the event has it\n"
		    "\n"
		    "&& || ! join them, also written and, or, not; ! is of the one test behind it, &&\n"
		    "binds more than ||, and parentheses more than both. Text stands in \" or '; \\\" \\'\n"
		    "\\\\ \\n \\t \\r \\x41 are signs in it, any other \\ is one itself. Numbers are 5, 0x1f,\n"
		    "0o17, and by their field 250ms, 64M, 8:1, SIGKILL or KILL, ENOENT, exec, ring_full,\n"
		    "ann; times as with --since, in quotes where a blank is in them.\n"
		    "\n"
		    "What an event does not have fails every test, also !=; so uid != 0 is no event\n"
		    "without a uid, and !(uid == 0) is. Lost events stay unless what is asked of the\n"
		    "kind, the time and their own fields rules them out.\n"
		    "\n"
		    "The fields are those that exectrace replay --columns help lists, and\n"
		    "\n");
	for (unsigned id = ET_FIELD_END; id < OPERAND_END; id++) {
		struct operand op = operand_get(id);

		out_printf(o, "  %-12s %s\n", op.name, op.help);
	}
}

static const struct {
	const char *name;
	void (*print)(struct out *o);
} topics[] = {
	{ "expressions", help_expressions },
};

bool topic_help(const char *name, struct out *o)
{
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		if (strcmp(topics[i].name, name))
			continue;
		topics[i].print(o);
		return true;
	}
	return false;
}
