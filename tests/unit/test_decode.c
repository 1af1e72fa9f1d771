/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the ring, and the events that come out of them: executions, failures, exits. */
#include "records.h"

static void exec_full(struct decoder *d)
{
	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .argc = 4, .argv_size = 9, .argv_max = 99, .filename_len = 4,
				     .interpreter_len = 7, .exe_len = 9, .cwd_len = 0 });
	ADD("./sc" "/bin/sh" "dash\0usr\0" "sh\0\0a\nb\0x\0");
	feed(d);
}

static void exec_flags(struct decoder *d)
{
	struct wire_identity w = { .flags = WIRE_SECURE_EXEC, .exe_dev = 0xfedcba98 };

	exec_identity(d, w, 0);
}

static void exec_deleted(struct decoder *d)
{
	struct wire_identity w = { .flags = WIRE_EXE_DELETED };

	exec_identity(d, w, 0);
}

static void exec_memfd(struct decoder *d)
{
	struct wire_identity w = { .flags = WIRE_EXE_MEMFD, .exe_inode = 0xfffffffffffffffe };

	exec_identity(d, w, 0);
}

static void exec_no_login(struct decoder *d)
{
	struct wire_identity w = { .login_uid = 0xffffffff, .session = 0xffffffff };

	exec_identity(d, w, 77);
}

static void exec_on(struct decoder *d, const char tty[32])
{
	struct wire_identity w = { 0 };

	memcpy(w.tty, tty, sizeof(w.tty));
	exec_identity(d, w, 0);
}

static void exec_pts(struct decoder *d)
{
	exec_on(d, (char[32]){ "pts1048575" });
}

static void exec_pts_longest(struct decoder *d)
{
	exec_on(d, (char[32]){ "pts1234567890123456789012345678" });
}

static void exec_pts_alone(struct decoder *d)
{
	exec_on(d, (char[32]){ "pts" });
}

static void exec_ptsx(struct decoder *d)
{
	exec_on(d, (char[32]){ "pts1x" });
}

static void exec_tty_cut(struct decoder *d)
{
	exec_on(d, (char[32]){ "ttyabcdefghijklmnopqrstuvwxyz123" });
}

static void exec_partial_paths(struct decoder *d)
{
	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN | WIRE_EXE_PARTIAL | WIRE_CWD_PARTIAL, 1, 100);
	add_exec((struct wire_exec){ .argc = 1, .argv_size = 2, .filename_len = 1,
				     .interpreter_len = WIRE_NONE, .exe_len = 2, .cwd_len = 4 });
	ADD("f" "x\0" "c\0b\0" "f\0");
	feed(d);
}

static void exec_cut(struct decoder *d)
{
	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN | WIRE_ARGV_TRUNCATED, 1, 100);
	add_exec((struct wire_exec){ .argc = 3, .argv_size = 400, .argv_max = 4, .filename_len = 1,
				     .interpreter_len = WIRE_NONE, .exe_len = WIRE_NONE,
				     .cwd_len = WIRE_NONE });
	ADD("f" "f\0lo");
	feed(d);
}

static void exec_parts(struct decoder *d)
{
	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN | WIRE_CONTINUED, 1, 100);
	add_exec((struct wire_exec){ .argc = 3, .argv_size = 9, .filename_len = 1,
				     .interpreter_len = WIRE_NONE, .exe_len = WIRE_NONE,
				     .cwd_len = WIRE_NONE });
	ADD("f" "on");
	feed(d);
	fork_at(d, 1, 1, 101);	/* another CPU's lies between */
	begin_more(0, WIRE_CONTINUED, 1, 1);
	ADD("e\0tw");
	feed(d);
	begin_more(0, WIRE_ARGV_UNREADABLE, 1, 2);
	ADD("o\0t");
	feed(d);
}

/* filename is not near its arguments; they lie in each other. */
static void fail_span(struct decoder *d)
{
	const uint64_t pointers[] = { 1000, 1003, 1007, 1000 };

	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .span = 1000, .error = 2, .argc = 4, .argv_max = 99,
				     .filename_len = 3, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	add(pointers, sizeof(pointers));
	ADD("/no" "abcdef\0\0");
	feed(d);
}

static void fail_span_named(struct decoder *d)
{
	const uint64_t pointers[] = { 1004, 1000 };

	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .span = 1000, .error = 13, .argc = 1, .argv_max = 99,
				     .filename_len = WIRE_IN_SPAN, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	add(pointers, sizeof(pointers));
	ADD("/no\0no\0");
	feed(d);
}

/* The same string three times comes to more than the cap, once to less. */
static void fail_span_cap(struct decoder *d)
{
	const uint64_t pointers[] = { 1000, 1000, 1000 };

	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .span = 1000, .error = 2, .argc = 3, .argv_max = 6,
				     .filename_len = 0, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	add(pointers, sizeof(pointers));
	ADD("abc\0");
	feed(d);
}

static void fail_span_cap_even(struct decoder *d)
{
	const uint64_t pointers[] = { 1000, 1000 };

	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .span = 1000, .error = 2, .argc = 2, .argv_max = 4,
				     .filename_len = 0, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	add(pointers, sizeof(pointers));
	ADD("abc\0");
	feed(d);
}

static void fail_unreadable(struct decoder *d)
{
	begin(0, WIRE_FAIL, WIRE_ARGV_UNREADABLE, 1, 100);
	add_exec((struct wire_exec){ .error = 14, .filename_len = WIRE_NONE,
				     .interpreter_len = WIRE_NONE, .exe_len = WIRE_NONE,
				     .cwd_len = WIRE_NONE });
	feed(d);
}

static void fail_slowly(struct decoder *d)
{
	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .duration = 99, .error = 2, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	feed(d);
}

static void fail_no_arguments(struct decoder *d)
{
	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .error = 2, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	feed(d);
}

static void exit_code(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .status = 3 << 8, .utime = 1, .stime = 3, .runtime = 1000,
					 .max_rss = 2 });
}

static void exit_signal(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .status = 0x8b, .stime = 5, .runtime = 1000 });
}

static void exit_no_ticks(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .runtime = 1000 });
}

static void exit_no_runtime(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .utime = 4, .stime = 6 });
}

static void exit_huge_times(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .utime = 1ull << 62, .stime = 1ull << 62,
					 .runtime = 1ull << 63 });
}

static void exit_accounts(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .minor_faults = 6, .major_faults = 7, .read_bytes = 4096,
					 .write_bytes = 0xfffffffffffffffe });
}

static void exit_nothing_counted(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .read_bytes = WIRE_UNKNOWN_64,
					 .write_bytes = WIRE_UNKNOWN_64 });
}

/* ---- The table --------------------------------------------------------------------- */

#define ENDED(rest) ENDED_AS(rest ACCOUNTS)
#define ENDED_AS(rest) "exit ts=100 pid=10 ppid=9 start=7 uid=1 gid=2 comm=sh " rest "\n"

#define EXECUTED_AS(rest) "exec ts=100 " TASK " euid=3 egid=4 comm=sh " rest "\n"
#define EXECUTED(rest) EXECUTED_AS(rest \
	" secure_exec=0 login_uid=20 session=21 tty=tty3 pid_ns=22 mnt_ns=23 user_ns=24 net_ns=25" \
	" ns_pid=26 exe_dev=5 exe_inode=12 exe_deleted=0 exe_memfd=0")
/* The same where all that is not named is 0 or empty. */
#define SECURE(secure) "filename=f argv=[f|] secure_exec=" secure
#define NAMESPACES " pid_ns=0 mnt_ns=0 user_ns=0 net_ns=0 ns_pid=0"
#define ZERO_FILE " exe_dev=0 exe_inode=0 exe_deleted=0 exe_memfd=0"
#define ON(tty) EXECUTED_AS(SECURE("0") " login_uid=0 session=0" tty NAMESPACES ZERO_FILE)
#define ACCOUNTS " minor_faults=0 major_faults=0 read_bytes=0 write_bytes=0"

static const struct decode_case cases[] = {
	{ "exec with all", exec_full,
	  EXECUTED("filename=./sc interpreter=/bin/sh exe=/usr/dash cwd=/ argv=[sh||a\nb|x|]"),
	  { 0 } },
	{ "secure exec, a device of 32 bits", exec_flags,
	  EXECUTED_AS(SECURE("1") " login_uid=0 session=0" NAMESPACES
		      " exe_dev=4275878552 exe_inode=0 exe_deleted=0 exe_memfd=0"), { 0 } },
	{ "deleted", exec_deleted,
	  EXECUTED_AS(SECURE("0") " login_uid=0 session=0" NAMESPACES
		      " exe_dev=0 exe_inode=0 exe_deleted=1 exe_memfd=0"), { 0 } },
	{ "memfd, the largest inode", exec_memfd,
	  EXECUTED_AS(SECURE("0") " login_uid=0 session=0" NAMESPACES
		      " exe_dev=0 exe_inode=18446744073709551614 exe_deleted=0 exe_memfd=1"), { 0 } },
	{ "nobody logged in, duration", exec_no_login,
	  EXECUTED_AS(SECURE("0") NAMESPACES ZERO_FILE " exec_duration=77"), { 0 } },
	{ "pts", exec_pts, ON(" tty=pts/1048575"), { 0 } },
	{ "the longest name", exec_pts_longest, ON(" tty=pts/1234567890123456789012345678"), { 0 } },
	{ "a terminal called pts", exec_pts_alone, ON(" tty=pts"), { 0 } },
	{ "a terminal called pts1x", exec_ptsx, ON(" tty=pts1x"), { 0 } },
	{ "a longer name is not known", exec_tty_cut, ON(""), { 0 } },
	{ "partial paths are not known", exec_partial_paths, EXECUTED("filename=f argv=[f|]"),
	  { 0 } },
	{ "argv cut at the cap", exec_cut,
	  EXECUTED("filename=f argv=[f|lo|] argc=3 argv_bytes=400 argv_truncated=1"), { 0 } },
	{ "argv in parts, the end unreadable", exec_parts,
	  FORKED("101")
	  EXECUTED("filename=f argv=[one|two|t|] argc=3 argv_bytes=9 argv_unreadable=1"),
	  { 0 } },
	{ "span", fail_span, FAILED("filename=/no argv=[abcdef|def||abcdef|] errno=2"), { 0 } },
	{ "span with filename", fail_span_named, FAILED("filename=/no argv=[no|] errno=13"),
	  { 0 } },
	{ "span over the cap", fail_span_cap,
	  FAILED("filename= argv=[abc|ab|] argc=3 argv_bytes=12 argv_truncated=1 errno=2"),
	  { 0 } },
	{ "span cut between strings", fail_span_cap_even,
	  FAILED("filename= argv=[abc|] argc=2 argv_bytes=8 argv_truncated=1 errno=2"), { 0 } },
	{ "unreadable", fail_unreadable, FAILED("argv_unreadable=1 errno=14"), { 0 } },
	{ "a failure that took long", fail_slowly,
	  FAILED("filename= argv=[] errno=2 exec_duration=99"), { 0 } },
	{ "no arguments", fail_no_arguments, FAILED("filename= argv=[] errno=2"), { 0 } },
	{ "exit code, times by ratio", exit_code,
	  ENDED("exit_code=3 utime=250 stime=750 max_rss=8192"), { 0 } },
	{ "signal and core", exit_signal, ENDED("signal=11 core=1 utime=0 stime=1000 max_rss=0"),
	  { 0 } },
	{ "no ticks", exit_no_ticks, ENDED("exit_code=0 utime=1000 stime=0 max_rss=0"), { 0 } },
	{ "ticks alone", exit_no_runtime, ENDED("exit_code=0 utime=4 stime=6 max_rss=0"), { 0 } },
	{ "times that overflow 64 bits", exit_huge_times,
	  ENDED("exit_code=0 utime=4611686018427387904 stime=4611686018427387904 max_rss=0"),
	  { 0 } },
	{ "faults and bytes", exit_accounts,
	  ENDED_AS("exit_code=0 utime=0 stime=0 max_rss=0 minor_faults=6 major_faults=7"
		   " read_bytes=4096 write_bytes=18446744073709551614"), { 0 } },
	{ "bytes that nobody counts", exit_nothing_counted,
	  ENDED_AS("exit_code=0 utime=0 stime=0 max_rss=0 minor_faults=0 major_faults=0"), { 0 } },
};

/* What the callback returns comes back, and the decoder is still usable. */
static void check_stop(void)
{
	int code = -7;
	struct decoder *d = decoder_new(CPUS, PAGE_SIZE, stop, &code);

	begin(0, WIRE_FORK, 0, 1, 100);
	CHECK(feed(d) == -7);
	code = 0;
	begin(0, WIRE_FORK, 0, 2, 100);
	CHECK(feed(d) == 0);
	CHECK(decode_lost(d)[ET_CAUSE_UNREADABLE] == 0);
	decoder_free(d);
	decoder_free(NULL);
}

static void (*const makers[])(struct decoder *d) = {
	exec_full, exec_cut, exec_parts, fail_span, fail_span_named, exit_code,
};

int main(void)
{
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
	check_stop();
	check_mutations(makers, sizeof(makers) / sizeof(makers[0]));
	return check_result();
}
