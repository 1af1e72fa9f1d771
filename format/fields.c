/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fields.c - every field of an event, listed once (SPEC.md 4.2). Codec, filters,
 * JSON and info walk this table; an id is never given to another field.
 */
#include "fields.h"

#include <string.h>

#define EXEC ET_KIND_BIT(ET_EXEC)
#define FAIL ET_KIND_BIT(ET_FAIL)
#define FORK ET_KIND_BIT(ET_FORK)
#define EXIT ET_KIND_BIT(ET_EXIT)
#define PROC ET_KIND_BIT(ET_PROC)
#define LOST ET_KIND_BIT(ET_LOST)
#define TASK (EXEC | FAIL | FORK | EXIT | PROC)
#define CALL (EXEC | FAIL | PROC)

/* clang-format off */
const struct et_field et_fields[ET_FIELD_END] = {
[ET_F_KIND] = { "kind", "what happened", TASK | LOST, ET_UINT, ET_KIND_ID, TRANSFORM_NONE },
[ET_F_TS] = { "ts", "when, ns of the boot clock", TASK | LOST, ET_UINT, ET_NS_BOOT, TRANSFORM_DELTA },
[ET_F_PID] = { "pid", "process the event is about", TASK, ET_UINT, ET_PLAIN, TRANSFORM_DELTA },
[ET_F_TID] = { "tid", "thread that called", EXEC | FAIL, ET_OPT, ET_PLAIN, TRANSFORM_FROM_PID },
[ET_F_PPID] = { "ppid", "its parent at that moment", TASK, ET_OPT, ET_PLAIN, TRANSFORM_DELTA },
[ET_F_START] = { "start", "when the process began, ns of the boot clock", TASK, ET_OPT, ET_NS_BOOT, TRANSFORM_BY_PID },
[ET_F_UID] = { "uid", "real user id", TASK, ET_OPT, ET_UID, TRANSFORM_NONE },
[ET_F_GID] = { "gid", "real group id", TASK, ET_OPT, ET_GID, TRANSFORM_NONE },
[ET_F_EUID] = { "euid", "effective user id", EXEC | PROC, ET_OPT, ET_UID, TRANSFORM_NONE },
[ET_F_EGID] = { "egid", "effective group id", EXEC | PROC, ET_OPT, ET_GID, TRANSFORM_NONE },
[ET_F_COMM] = { "comm", "the kernel's name of the process, 15 bytes at most", TASK, ET_STR, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_CGROUP] = { "cgroup", "cgroup of the default hierarchy", TASK, ET_OPT, ET_CGROUP_ID, TRANSFORM_NONE },
[ET_F_FILENAME] = { "filename", "path as it was passed to exec", EXEC | FAIL, ET_STR, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_INTERPRETER] = { "interpreter", "interpreter of a script, as its first line names it", EXEC, ET_STR, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_EXE] = { "exe", "path of the file that runs", EXEC | PROC, ET_STR, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_CWD] = { "cwd", "working directory", EXEC | PROC, ET_STR, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_ARGV] = { "argv", "arguments", CALL, ET_LIST, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_ARGC] = { "argc", "true number of arguments, where argv is not whole", CALL, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_ARGV_BYTES] = { "argv_bytes", "true size of the arguments with a NUL each, where argv is not whole", CALL, ET_OPT, ET_BYTES, TRANSFORM_NONE },
[ET_F_ARGV_TRUNCATED] = { "argv_truncated", "argv was cut at the recorder's cap", CALL, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_ARGV_UNREADABLE] = { "argv_unreadable", "some of argv could not be read", CALL, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_ERRNO] = { "errno", "why the exec failed", FAIL, ET_UINT, ET_ERRNO_ID, TRANSFORM_NONE },
[ET_F_EXIT_CODE] = { "exit_code", "what the process returned", EXIT, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_SIGNAL] = { "signal", "signal that ended the process", EXIT, ET_OPT, ET_SIGNAL_ID, TRANSFORM_NONE },
[ET_F_CORE] = { "core", "the process dumped core", EXIT, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_UTIME] = { "utime", "CPU time in user mode", EXIT, ET_OPT, ET_NS, TRANSFORM_NONE },
[ET_F_STIME] = { "stime", "CPU time in the kernel", EXIT, ET_OPT, ET_NS, TRANSFORM_NONE },
[ET_F_MAX_RSS] = { "max_rss", "peak resident memory", EXIT, ET_OPT, ET_BYTES, TRANSFORM_NONE },
[ET_F_UNTIL] = { "until", "last time at which events can have been lost, ns of the boot clock", LOST, ET_OPT, ET_NS_BOOT, TRANSFORM_NONE },
[ET_F_CPU] = { "cpu", "CPU on which events were lost", LOST, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_COUNT] = { "count", "number of events lost", LOST, ET_UINT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_CAUSE] = { "cause", "why they were lost", LOST, ET_UINT, ET_CAUSE_ID, TRANSFORM_NONE },
[ET_F_EXEC_TS] = { "exec_ts", "when the process last executed something, ns of the boot clock", EXEC | EXIT, ET_OPT, ET_NS_BOOT, TRANSFORM_BY_PID },
[ET_F_SECURE_EXEC] = { "secure_exec", "the program got privilege by it: setuid, setgid or file capabilities", EXEC, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_LOGIN_UID] = { "login_uid", "user that logged in, whatever became of it since", EXEC | PROC, ET_OPT, ET_UID, TRANSFORM_NONE },
[ET_F_SESSION] = { "session", "audit session", EXEC | PROC, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_TTY] = { "tty", "controlling terminal, below /dev", EXEC | PROC, ET_STR, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_PID_NS] = { "pid_ns", "pid namespace, its inode", EXEC | PROC, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_MNT_NS] = { "mnt_ns", "mount namespace, its inode", EXEC | PROC, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_USER_NS] = { "user_ns", "user namespace, its inode", EXEC | PROC, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_NET_NS] = { "net_ns", "network namespace, its inode", EXEC | PROC, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_NS_PID] = { "ns_pid", "pid inside its own pid namespace", EXEC | PROC, ET_OPT, ET_PLAIN, TRANSFORM_FROM_PID },
[ET_F_EXE_DEV] = { "exe_dev", "device that holds the file that runs", EXEC | PROC, ET_OPT, ET_DEV, TRANSFORM_NONE },
[ET_F_EXE_INODE] = { "exe_inode", "inode of the file that runs", EXEC | PROC, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_EXE_DELETED] = { "exe_deleted", "the file that runs has no name any more", EXEC | PROC, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_EXE_MEMFD] = { "exe_memfd", "what runs was made by memfd_create", EXEC | PROC, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_EXEC_DURATION] = { "exec_duration", "how long the call took", EXEC | FAIL, ET_OPT, ET_NS, TRANSFORM_NONE },
[ET_F_ENV] = { "env", "environment, or what was asked for of it", EXEC | FAIL, ET_LIST, ET_PLAIN, TRANSFORM_FIRST_USE },
[ET_F_ENV_COUNT] = { "env_count", "true number of strings, where env is not whole", EXEC | FAIL, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_ENV_BYTES] = { "env_bytes", "true size of the environment with a NUL each, where env is not whole", EXEC | FAIL, ET_OPT, ET_BYTES, TRANSFORM_NONE },
[ET_F_ENV_TRUNCATED] = { "env_truncated", "env was cut at the recorder's cap", EXEC | FAIL, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_ENV_UNREADABLE] = { "env_unreadable", "some of env could not be read", EXEC | FAIL, ET_UINT, ET_FLAG, TRANSFORM_NONE },
[ET_F_MINOR_FAULTS] = { "minor_faults", "page faults served without reading", EXIT, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_MAJOR_FAULTS] = { "major_faults", "page faults that had to read", EXIT, ET_OPT, ET_PLAIN, TRANSFORM_NONE },
[ET_F_READ_BYTES] = { "read_bytes", "what it had storage read", EXIT, ET_OPT, ET_BYTES, TRANSFORM_NONE },
[ET_F_WRITE_BYTES] = { "write_bytes", "what it had storage write", EXIT, ET_OPT, ET_BYTES, TRANSFORM_NONE },
};
/* clang-format on */

static const char *const kind_names[ET_KIND_END] = {
	[ET_EXEC] = "exec", [ET_FAIL] = "fail", [ET_FORK] = "fork",
	[ET_EXIT] = "exit", [ET_PROC] = "proc", [ET_LOST] = "lost",
};

static const char *const cause_names[ET_CAUSE_END] = {
	[ET_CAUSE_RING_FULL] = "ring_full",
	[ET_CAUSE_BUSY] = "busy",
	[ET_CAUSE_FOLLOW_FULL] = "follow_full",
	[ET_CAUSE_WRITE_FAILED] = "write_failed",
	[ET_CAUSE_UNREADABLE] = "unreadable",
	[ET_CAUSE_DAMAGED] = "damaged",
	[ET_CAUSE_SKIPPED] = "skipped",
	[ET_CAUSE_SHED] = "shed",
};

static const char *const record_names[ET_REC_TYPE_END] = {
	[ET_REC_FILE] = "FILE_HEADER", [ET_REC_CHUNK] = "CHUNK", [ET_REC_PROC] = "PROC",
	[ET_REC_LOST] = "LOST",	       [ET_REC_HOST] = "HOST",	 [ET_REC_USERS] = "USERS",
	[ET_REC_CGROUPS] = "CGROUPS",  [ET_REC_END] = "END",	 [ET_REC_FOOTER] = "FOOTER",
	[ET_REC_EXES] = "EXES",
};

const char *et_kind_name(unsigned kind)
{
	return kind < ET_KIND_END ? kind_names[kind] : NULL;
}

unsigned et_kind_parse(const char *name)
{
	for (unsigned k = 1; k < ET_KIND_END; k++) {
		if (!strcmp(kind_names[k], name))
			return k;
	}
	return 0;
}

const char *et_cause_name(unsigned cause)
{
	return cause < ET_CAUSE_END ? cause_names[cause] : NULL;
}

const char *et_record_name(unsigned type)
{
	return type < ET_REC_TYPE_END ? record_names[type] : NULL;
}

bool et_list_next(const struct et_list *l, uint32_t *at, struct et_str *item)
{
	const char *p, *nul;

	if (*at >= l->len)
		return false;
	p = l->ptr + *at;
	nul = memchr(p, 0, l->len - *at);
	if (!nul)
		return false;
	*item = (struct et_str){ p, (uint32_t)(nul - p) };
	*at += item->len + 1;
	return true;
}
