/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_record.c - hand over to exectrace-record, which alone needs rights. */
#include "command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "recorder.h"

static int record_run(int argc, char **argv)
{
	static char name[] = "exectrace-record";
	struct recorder r;
	struct reason why;

	(void)argc;
	if (recorder_find(&r, &why)) {
		say("%s", why.text);
		return why.code;
	}
	argv[0] = name;
	execv(r.path, argv);
	say("cannot run %s: %s", r.path, strerror(errno));
	return EXIT_FAILED;
}

const struct command cmd_record = {
	.name = "record",
	.args = "[options] [-o FILE] [-- COMMAND [ARG...]]",
	.summary = "record what this machine, or COMMAND, executes; needs privilege",
	.own_help = true,
	.run = record_run,
};
