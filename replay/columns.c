/* SPDX-License-Identifier: BSD-2-Clause */
#include "columns.h"

#include <string.h>

static const struct {
	const char *name, *help;
	unsigned width;
} own[COLUMN_END - ET_FIELD_END] = {
#define OWN(id) [(id) - ET_FIELD_END]
	OWN(COLUMN_TIME) = { "time", "when, by the wall clock; --time says how", 15 },
	OWN(COLUMN_USER) = { "user", "name of uid, or its number", 8 },
	OWN(COLUMN_GROUP) = { "group", "name of gid, or its number", 8 },
	OWN(COLUMN_LOGIN_USER) = { "login_user", "name of login_uid, or its number", 10 },
	OWN(COLUMN_CONTAINER) = { "container", "id or name of the container, by the cgroup", 12 },
	OWN(COLUMN_ERROR) = { "error", "name of errno", 7 },
	OWN(COLUMN_SIGNAL_NAME) = { "signal_name", "name of signal", 7 },
	OWN(COLUMN_DURATION) = { "duration",
				 "of an exit: time since the exec, or since it began", 8 },
	OWN(COLUMN_RESULT) = { "result", "what became of it: exec, ENOENT, exit 0, SIGKILL", 8 },
	OWN(COLUMN_COMMAND) = { "command", "the command line, or the process's name", 7 },
	OWN(COLUMN_WHO) = { "user", NULL, 8 },
	OWN(COLUMN_WHAT) = { "command", NULL, 7 },
#undef OWN
};

const struct columns columns_of_table = {
	{ COLUMN_TIME, ET_F_PID, ET_F_PPID, COLUMN_WHO, COLUMN_RESULT, COLUMN_WHAT },
	6,
};

const struct columns columns_of_csv = {
	{ COLUMN_TIME,   ET_F_KIND,     ET_F_PID,          ET_F_PPID,   ET_F_UID,
	  COLUMN_USER,   ET_F_COMM,     ET_F_FILENAME,     ET_F_EXE,    ET_F_ARGV,
	  ET_F_CWD,      COLUMN_ERROR,  ET_F_EXIT_CODE,    COLUMN_SIGNAL_NAME,
	  COLUMN_DURATION, ET_F_UTIME,  ET_F_STIME,        ET_F_MAX_RSS,
	  ET_F_COUNT,    ET_F_CAUSE },
	20,
};

const char *columns_name(unsigned id)
{
	return id < ET_FIELD_END ? et_fields[id].name : own[id - ET_FIELD_END].name;
}

bool columns_numeric(unsigned id)
{
	if (id >= ET_FIELD_END)
		return id == COLUMN_DURATION;
	switch (et_fields[id].unit) {
	case ET_FLAG:
	case ET_CGROUP_ID:
	case ET_KIND_ID:
	case ET_CAUSE_ID:
	case ET_ERRNO_ID:
	case ET_SIGNAL_ID:
		return false;
	default:
		return et_fields[id].type == ET_UINT || et_fields[id].type == ET_OPT;
	}
}

unsigned columns_width(unsigned id)
{
	unsigned width = (unsigned)strlen(columns_name(id)), usual = 0;

	if (id >= ET_FIELD_END)
		usual = own[id - ET_FIELD_END].width;
	else if (id == ET_F_PID || id == ET_F_PPID || id == ET_F_TID || id == ET_F_NS_PID)
		usual = 7;
	else if (id >= ET_F_PID_NS && id <= ET_F_NET_NS)
		usual = 10;
	else if (id == ET_F_COMM)
		usual = 15;
	else if (id == ET_F_TTY || id == ET_F_ERRNO || id == ET_F_SIGNAL)
		usual = 7;
	return width > usual ? width : usual;
}

unsigned columns_find(const char *name, size_t len)
{
	for (unsigned id = 1; id < COLUMN_NAMED; id++) {
		const char *known = columns_name(id);

		if (known && strlen(known) == len && !memcmp(known, name, len))
			return id;
	}
	return 0;
}

int columns_parse(struct columns *c, const char *list, struct reason *why)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		unsigned id = columns_find(list, len);

		if (!id)
			return reason_set(why, EXIT_USAGE,
					  "--columns: there is no column '%.*s' (--columns "
					  "help lists them)",
					  (int)len, list);
		if (c->n == COLUMNS_MAX)
			return reason_set(why, EXIT_USAGE, "--columns: more than %u of them",
					  COLUMNS_MAX);
		c->ids[c->n++] = (uint8_t)id;
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

static void help_field(struct out *o, unsigned id)
{
	const char *before = "  (";

	out_printf(o, "  %-16s %s", et_fields[id].name, et_fields[id].help);
	for (unsigned k = 1; k < ET_KIND_END; k++) {
		if (!(et_fields[id].kinds >> k & 1))
			continue;
		out_printf(o, "%s%s", before, et_kind_name(k));
		before = " ";
	}
	out_text(o, ")\n");
}

void columns_help(struct out *o)
{
	out_text(o, "Fields, for --columns, --sort, --match and --where, and the kinds of events\n"
		    "that have them:\n\n");
	for (unsigned id = 1; id < ET_FIELD_END; id++)
		if (et_fields[id].name)
			help_field(o, id);
	out_text(o, "\nWhat follows from them; container and duration are for --match as "
		    "well, and exectrace\nhelp expressions lists what is for --where:\n\n");
	for (unsigned id = ET_FIELD_END; id < COLUMN_NAMED; id++)
		out_printf(o, "  %-16s %s\n", own[id - ET_FIELD_END].name,
			   own[id - ET_FIELD_END].help);
}
