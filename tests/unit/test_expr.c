/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions: which events match, what is wrong with those that are none, and where. */
#include "check.h"
#include "expr.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

#define CONTAINER "3f4e2d1c0b9a8877665544332211ffeeddccbbaa99887766554433221100abcd"
#define SECOND 1000000000ll
#define START (1795165200 * SECOND) /* 2026-11-20T09:00Z */

/* NAME=VALUE with a blank in front of each; a list is items with a comma behind each. */
static const char *const rows[] = {
	/* a */ ("kind=1 ts=1000 pid=5 uid=0 euid=7 comm=sh cgroup=1 filename=/bin/sh exe=/usr/bin/dash"
		" argv=sh,-c,a.c,, tty=pts/0 exe_dev=8388609 exe_inode=42 exe_memfd=1 env=PATH=/bin,A,EMPTY=,"
		" exec_duration=1500 login_uid=1000 session=3 secure_exec=0"),
	/* b */ ("kind=1 ts=2000 pid=6 uid=1000 gid=100 comm=make cgroup=2 exe=/opt/make cwd=/ argv=make,"
		" exe_dev=265289729 exec_duration=2000000 env=LANG=C,PATHS=x, exe_memfd=0"),
	/* c */ "kind=2 ts=3000 pid=6 uid=18446744073709551614 comm=s errno=2 filename=no argv=",
	/* d */ "kind=3 ts=4000 pid=7",
	/* e */ "kind=4 ts=5000 pid=5 comm=backup exec_ts=1000 start=500 signal=9 max_rss=1048576 core=1",
	/* f */ "kind=4 ts=6000 pid=6 comm=backup start=5900 exit_code=3 core=0 max_rss=1048575 cgroup=3",
	/* g */ "kind=4 ts=7000 pid=8 comm=true exit_code=0 utime=0 stime=1",
	/* h */ "kind=6 ts=8000 cause=1 cpu=2 count=5 until=8100",
	/* i: of a later version */ "kind=9 ts=9000 pid=9 uid=1000",
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
	const char *text, *match;
} cases[] = {
	/* Numbers */
	{ "pid == 5", "ae" },
	{ "pid==5", "ae" },
	{ "pid != 5", "bcdfgi" },
	{ "pid < 6", "ae" },
	{ "pid <= 6", "abcef" },
	{ "pid > 6", "dgi" },
	{ "pid >= 6", "bcdfgi" },
	{ "pid < 0", "" },
	{ "pid > 18446744073709551614", "" },
	{ "pid == 0x5", "ae" },
	{ "pid == 0o6", "bcf" },
	{ "pid in (5, 7)", "ade" },
	{ "pid in (5,7..8)", "adeg" },
	{ "pid in 6..7", "bcdf" },
	{ "pid in 7..", "dgi" },
	{ "pid in ..5", "ae" },
	{ "pid in (..5, 9..)", "aei" },
	{ "session == 3", "a" },
	/* Not known: != fails too, and ! turns that around. */
	{ "session != 3", "" },
	{ "!(session == 3)", "bcdefghi" },
	{ "uid == 0", "a" },
	{ "uid != 0", "bci" },
	{ "!uid == 0", "bcdefghi" },
	{ "not uid != 0", "adefgh" },
	{ "!!uid == 0", "a" },
	{ "exe != \"/opt/make\"", "a" },
	{ "argv[1] != \"x\"", "a" },
	{ "known(uid)", "abci" },
	{ "!known(uid)", "defgh" },
	{ "known(argv)", "abc" },
	{ "known(argv[0])", "ab" },
	{ "known(argv[-4])", "a" },
	{ "known(argv[4])", "" },
	{ "known(time)", "abcdefghi" },
	{ "known(duration)", "ef" },
	{ "known(exit)", "efg" },
	{ "known(exit_code)", "fg" },
	{ "known(user)", "abi" },
	{ "known(cgroup)", "ab" },
	/* What became of a process */
	{ "exit == 0", "g" },
	{ "exit != 0", "ef" },
	{ "exit > 128", "e" },
	{ "exit == 137", "e" },
	{ "exit_code != 0", "f" },
	{ "exit != 0 && comm == \"backup\"", "ef" },
	{ "signal == SIGKILL", "e" },
	{ "signal == KILL", "e" },
	{ "signal in (TERM, 9)", "e" },
	{ "errno == ENOENT", "c" },
	{ "errno != ENOENT", "" },
	{ "errno == 'ENOENT'", "c" },
	{ "failed", "c" },
	{ "!failed", "abdefghi" },
	{ "ok", "ab" },
	{ "failed || ok", "abc" },
	{ "ok == yes", "ab" },
	/* Kinds and causes */
	{ "kind == exec", "ab" },
	{ "kind == \"exec\"", "ab" },
	{ "kind != exec", "cdefghi" },
	{ "kind in (exec, 4)", "abefg" },
	{ "kind == 9", "i" },
	{ "cause == ring_full", "h" },
	{ "cause != ring_full", "" },
	{ "count > 4 and cpu == 2", "h" },
	/* Flags */
	{ "exe_memfd", "a" },
	{ "!exe_memfd", "bcdefghi" },
	{ "exe_memfd == no", "b" },
	{ "exe_memfd != yes", "b" },
	{ "exe_memfd == true", "a" },
	{ "core", "e" },
	{ "core == false", "f" },
	{ "secure_exec == no", "a" },
	/* Durations, sizes, devices */
	{ "exec_duration >= 1500", "ab" },
	{ "exec_duration > 1.5us", "b" },
	{ "exec_duration == 2ms", "b" },
	{ "exec_duration in 1us..0.002s", "ab" },
	{ "duration == 4us", "e" },
	{ "duration < 1us", "f" },
	{ "duration < 1h30m", "ef" },
	{ "max_rss >= 1M", "e" },
	{ "max_rss < 1MiB", "f" },
	{ "utime == 0 && stime == 1", "g" },
	{ "exe_dev == 8:1", "a" },
	{ "exe_dev == \"253:1\"", "b" },
	{ "exe_dev in (8:1, 253:1)", "ab" },
	/* Users and groups */
	{ "uid == root", "a" },
	{ "uid == \"ann\"", "bi" },
	{ "uid != ann", "ac" },
	{ "uid in (root, 1000)", "abi" },
	{ "uid in (nobody)", "" },
	{ "euid == 7", "a" },
	{ "euid == root", "" },
	{ "login_uid == ann", "a" },
	{ "user == \"ann\"", "bi" },
	{ "user != \"ann\"", "a" },
	{ "user ~ \"*o*\"", "a" },
	{ "group == \"staff\"", "b" },
	{ "gid == staff", "b" },
	{ "login_user == \"ann\"", "a" },
	/* Text */
	{ "comm == \"sh\"", "a" },
	{ "comm == 'sh'", "a" },
	{ "comm in (\"sh\", 'make')", "ab" },
	{ "comm in \"sh\"", "a" },
	{ "comm ~ \"s*\"", "ac" },
	{ "comm ~ \"?\"", "c" },
	{ "comm ~ \"s\"", "c" },
	{ "comm == \"s*\"", "" },
	{ "comm =~ \"^(sh|make)$\"", "ab" },
	{ "comm =~ \"a\"", "bef" },
	{ "comm =~ \"^.{1,2}$\"", "ac" },
	{ "comm == \"\\x73h\"", "a" },
	{ "comm == \"s\\\"h\"", "" },
	{ "exe =~ \"\\.\"", "" },
	{ "exe == \"dash\"", "" },
	{ "exe ~ \"dash\"", "a" },
	{ "exe ~ '/usr/*'", "a" },
	{ "filename ~ \"sh\"", "a" },
	{ "cwd == \"/\"", "b" },
	/* Lists */
	{ "argv has \"-c\"", "a" },
	{ "argv has \"\"", "a" },
	{ "argv has ~ \"*.c\"", "a" },
	{ "argv has =~ \"\\.c$\"", "a" },
	{ "argv has =~ '[.]c$'", "a" },
	{ "argv has \"*.c\"", "" },
	{ "!(argv has \"-c\")", "bcdefghi" },
	{ "argv[0] == \"sh\"", "a" },
	{ "argv[0] in (\"sh\", \"make\")", "ab" },
	{ "argv[-1] == \"\"", "a" },
	{ "argv[ -2 ] ~ \"*.c\"", "a" },
	{ "argv[9] == \"\"", "" },
	{ "env has \"PATH\"", "a" },
	{ "env has ~ \"PATH*\"", "ab" },
	{ "env has \"PATH=/bin\"", "a" },
	{ "env has \"PATH=/usr\"", "" },
	{ "env has \"A\"", "a" },
	{ "env has =~ '^LANG='", "b" },
	{ "env[0] == 'PATH=/bin'", "a" },
	{ "env[0] == 'PATH'", "" },
	/* Cgroups and containers; that of f has no name. */
	{ "cgroup == \"/user.slice\"", "b" },
	{ "cgroup ~ \"/system.slice/*\"", "a" },
	{ "container == \"" CONTAINER "\"", "a" },
	{ "container == \"3f4e2d1c0b9a\"", "a" },
	{ "container == \"3f4e\"", "" },
	{ "container ~ \"3f4e*\"", "a" },
	/* Times; the capture begins at 2026-11-20T09:00Z in a zone of one hour. */
	{ "time == +1us", "a" },
	{ "time < +3us", "ab" },
	{ "time <= +3us", "abc" },
	{ "time > +8us", "i" },
	{ "time >= +8us", "hi" },
	{ "time != +1us", "bcdefghi" },
	{ "time in +1us..+2us", "ab" },
	{ "time in (+1us, +8us..)", "ahi" },
	{ "time in ..+1us", "a" },
	{ "time >= 10:00", "abcdefghi" },
	{ "time >= 10:00:00.000008", "hi" },
	{ "time < \"2026-11-20 10:00\"", "" },
	{ "time > \"2026-11-20 10:00\"", "abcdefghi" },
	{ "time > 2026-11-20T09:00:00Z", "abcdefghi" },
	{ "time in 2026-11-20T09:00Z..2026-11-20T10:00Z", "abcdefghi" },
	{ "time < @1795165200.000002", "a" },
	{ "ts > 7000", "hi" },
	/* Two fields */
	{ "uid == euid", "" },
	{ "uid != euid", "a" },
	{ "!(uid == euid)", "abcdefghi" },
	{ "euid > uid", "a" },
	{ "euid <= uid", "" },
	{ "exec_ts > start", "e" },
	{ "start>=exec_ts", "" },
	{ "utime < stime", "g" },
	{ "exit == exit_code", "fg" },
	{ "exit >= exit_code", "fg" },
	{ "duration == duration", "ef" },
	{ "core == core", "ef" },
	{ "secure_exec != exe_memfd", "a" },
	{ "ok == failed", "defgi" },
	{ "kind == kind", "abcdefghi" },
	{ "until > ts", "h" },
	{ "comm == argv[0]", "ab" },
	{ "argv[ -1 ] != comm", "a" },
	{ "argv[0] == argv[-1]", "b" },
	{ "exe != filename", "a" },
	{ "user != login_user", "a" },
	{ "cgroup == comm", "" },
	{ "container != comm", "a" },
	{ "pid == 5 && uid != euid || comm == argv[0]", "ab" },
	/* Joined */
	{ "pid == 5 && uid == 0", "a" },
	{ "pid == 5 and uid == 0", "a" },
	{ "pid == 5 || pid == 7", "ade" },
	{ "pid == 5 or pid == 7 and uid == 0", "ae" },
	{ "(pid == 5 or pid == 7) and uid == 0", "a" },
	{ "((((pid == 5))))", "ae" },
	{ "!(pid == 5 || pid == 6)", "dghi" },
	{ "!(pid == 6 && exit == 3)", "abcdeghi" },
	{ "not (pid == 5) and not (pid == 6)", "dghi" },
	{ " \t\n pid == 5 \r\n", "ae" },
	{ "uid == 1000 && kind == exec && !(argv has \"--help\") && exec_duration > 1ms", "b" },
};

static const struct {
	const char *text;
	size_t at;
	const char *says;
} wrong[] = {
	{ "", 0, "a test is missing" },
	{ "   ", 3, "a test is missing" },
	{ "com == 'x'", 0, "unknown field 'com' (did you mean 'comm'?)" },
	{ "pid == 5 && exit_cdoe == 1", 12, "did you mean 'exit_code'?" },
	{ "zzzzzz == 1", 0, "--columns help" },
	{ "\"sh\" == comm", 0, "begins with the name of a field" },
	{ "5 == pid", 0, "begins with the name of a field" },
	{ "comm == 5", 8, "'comm' is text and cannot be compared with 5" },
	{ "comm == sh", 8, "text stands in quotes: \"sh\"" },
	{ "comm == ", 8, "text in quotes is missing behind ==" },
	{ "comm == \"sh", 8, "this \" is not closed" },
	{ "comm == \"a\\x00\"", 10, "NUL" },
	{ "comm < \"x\"", 5, "text, which has no order" },
	{ "comm has \"x\"", 5, "no list" },
	{ "comm[0] == \"x\"", 4, "no list" },
	{ "comm", 4, "neither true nor false" },
	{ "pid && uid", 4, "neither true nor false" },
	{ "pid = 5", 4, "write ==" },
	{ "comm !~ \"x\"", 5, "write !(comm ~" },
	{ "pid == \"5\"", 7, "'pid' is a number and cannot be compared with text" },
	{ "pid ~ \"5\"", 4, "'pid' is a number" },
	{ "pid == x", 7, "pid: 'x' is not a number" },
	{ "pid == -1", 7, "pid: '-1' is not a number" },
	{ "pid == 18446744073709551615", 7, "is not a number" },
	{ "pid == ", 7, "a value is missing" },
	{ "pid == 1..5", 7, "a range stands behind in" },
	{ "pid in 5..1", 7, "ends before it begins" },
	{ "pid in ..", 7, "needs an end" },
	{ "pid in ()", 8, "a value is missing" },
	{ "pid in (1, 2", 7, "this ( is not closed" },
	{ "pid in (1 2)", 10, ", or ) is missing" },
	{ "duration > 5x", 11, "a duration such as" },
	{ "duration > 1.5", 11, "a duration such as" },
	{ "max_rss > 1Q", 10, "a size such as" },
	{ "signal == SIGFOO", 10, "a signal such as" },
	{ "errno == enoent", 9, "an error such as" },
	{ "kind == execs", 8, "one of exec" },
	{ "core == maybe", 8, "yes or no" },
	{ "core > 1", 5, "'core' is a flag" },
	{ "uid == -ann", 7, "a user's number or name" },
	{ "uid == \"\"", 7, "a user's number or name" },
	{ "uid < ann", 6, "names have no order" },
	{ "uid in 5..ann", 7, "names have no order" },
	{ "argv == \"x\"", 5, "'argv' is a list" },
	{ "argv ~ \"x\"", 5, "'argv' is a list" },
	{ "argv", 4, "neither true nor false" },
	{ "argv[x] == \"x\"", 4, "an index is 0" },
	{ "argv[-0] == \"x\"", 4, "an index is 0" },
	{ "argv[0 == \"x\"", 4, "this [ is not closed" },
	{ "argv[9999999999] == \"x\"", 4, "no list is so long" },
	{ "argv[0] has \"x\"", 8, "no list" },
	{ "comm =~ \"a(\"", 8, "a ( is not closed" },
	{ "comm =~ \"*\"", 8, "nothing in front" },
	{ "comm =~ \"\\d\"", 8, "[0-9]" },
	{ "comm =~ \"a{2,1}\"", 8, "{2,5}" },
	{ "comm =~ \"((((a{255}){255}){255}){255})\"", 8, "too long" },
	{ "comm =~ \"[[:foo:]]\"", 8, "no such class" },
	{ "time > 9", 7, "not a time" },
	{ "time > 09:00x", 7, "not a time" },
	{ "time ~ \"x\"", 5, "'time' is a time" },
	{ "time == 09:00..10:00", 8, "a range stands behind in" },
	{ "pid == comm", 7, "'pid' is a number and 'comm' text: only fields of one type" },
	{ "comm != uid", 8, "'comm' is text and 'uid' a user's number" },
	{ "argv[0] == pid", 11, "'argv' is text and 'pid' a number" },
	{ "max_rss > stime", 10, "'max_rss' is a size and 'stime' a duration" },
	{ "exec_ts < time", 10, "'exec_ts' is a time of the boot clock and 'time' a time" },
	{ "signal == core", 10, "'signal' is a signal and 'core' a flag" },
	{ "comm == argv", 8, "'argv' is a list: compare with an item, as argv[0]" },
	{ "comm == argv[x]", 12, "an index is 0" },
	{ "utime > stime[0]", 13, "'stime' is no list" },
	{ "core > core", 5, "'core' is a flag" },
	{ "comm < exe", 5, "text, which has no order" },
	{ "comm ~ exe", 7, "text stands in quotes" },
	{ "pid in (ppid)", 8, "pid: 'ppid' is not a number" },
	{ "known exe", 6, "known(exe)" },
	{ "known(exe", 9, "a ) is missing" },
	{ "known(nothing)", 6, "unknown field" },
	{ "(pid == 5", 0, "this ( is not closed" },
	{ "(pid == 5 pid == 6)", 10, "&& or || or ) is missing" },
	{ "pid == 5)", 8, "no ( for this )" },
	{ "pid == 5 comm == \"x\"", 9, "missing in front of 'comm'" },
	{ "pid == 5 & uid == 0", 9, "write &&" },
	{ "pid == 5 &&", 11, "a test is missing" },
	{ "pid == 5 %", 9, "no meaning" },
	{ "!", 1, "a test is missing" },
	{ "and pid == 5", 0, "unknown field 'and'" },
};

static const char *find_name(const char *const *names, uint64_t n, uint64_t id)
{
	return id < n ? names[id] : NULL;
}

static const char *user(void *ctx, uint64_t uid)
{
	CHECK(ctx == &cases);
	return uid == 0 ? "root" : uid == 1000 ? "ann" : NULL;
}

static const char *group(void *ctx, uint64_t gid)
{
	(void)ctx;
	return gid == 100 ? "staff" : NULL;
}

static const char *cgroup(void *ctx, uint64_t id)
{
	static const char *const paths[] = { NULL, "/system.slice/docker-" CONTAINER ".scope",
					     "/user.slice" };

	(void)ctx;
	return find_name(paths, 3, id);
}

static const struct expr_scope scope = {
	.ctx = (void *)(uintptr_t)&cases, .user = user, .group = group, .cgroup = cgroup,
	.start = START, .offset = 3600,
};
static const struct expr_options all_names = { .names = EXPR_USERS | EXPR_CGROUPS | EXPR_CLOCK };

static struct et_event event_of(size_t row, char text[512])
{
	struct et_event ev;

	snprintf(text, 512, "%s", rows[row]);
	ev = words_event(text);
	ev.realtime = START;
	return ev;
}

static void test_match(const char *text, const char *match)
{
	char got[ROWS + 1] = "", space[512];
	struct expr_error err;
	struct expr *e;

	if (expr_parse(text, &all_names, &e, &err))
		fprintf(stderr, "%s: %zu: %s\n", text, err.at, err.text);
	CHECK_CASE(text, e != NULL);
	for (size_t i = 0; e && i < ROWS; i++) {
		struct et_event ev = event_of(i, space);
		uint64_t fields = ev.known;
		bool yes = expr_match(e, &ev, &scope);

		if (yes)
			got[strlen(got)] = (char)('a' + i);
		/* What the masks promise: */
		CHECK_CASE(text, !yes || expr_kinds(e) & ET_KIND_BIT(ev.v[ET_F_KIND].u));
		ev.known &= expr_fields(e);
		CHECK_CASE(text, expr_match(e, &ev, &scope) == yes);
		ev.known = fields;
	}
	if (strcmp(got, match))
		fprintf(stderr, "%s: matches: %s\n", text, got);
	CHECK_CASE(text, !strcmp(got, match));
	expr_free(e);
}

static void test_wrong(const char *text, size_t at, const char *says)
{
	struct expr_error err = { .at = 12345 };
	struct expr *e = (struct expr *)&err;

	CHECK_CASE(text, expr_parse(text, &all_names, &e, &err) == -1 && !e);
	if (err.at != at || !strstr(err.text, says))
		fprintf(stderr, "%s: %zu: %s\n", text, err.at, err.text);
	CHECK_CASE(text, err.at == at && strstr(err.text, says));
}

static struct expr *parsed(const char *text, const struct expr_options *opt)
{
	struct expr_error err;
	struct expr *e;

	CHECK_CASE(text, !expr_parse(text, opt, &e, &err));
	return e;
}

static void test_kinds(void)
{
	static const struct {
		const char *text;
		uint32_t kinds, named; /* of those that are known now */
	} all[] = {
		{ "exit != 0", ET_KIND_BIT(ET_EXIT), 0 },
		{ "duration > 1s || failed", ET_KIND_BIT(ET_EXIT) | ET_KIND_BIT(ET_FAIL), 0 },
		{ "errno == ENOENT && comm == 'x'", ET_KIND_BIT(ET_FAIL), 0 },
		{ "errno == ENOENT && exit == 0", 0, 0 },
		{ "errno == ENOENT && signal == KILL", 0, 0 },
		{ "kind == 9", 0, ET_KIND_BIT(9) },
		{ "kind >= lost", ET_KIND_BIT(ET_LOST), 0 },
		{ "kind == exec", ET_KIND_BIT(ET_EXEC), ET_KIND_BIT(ET_EXEC) },
		{ "kind in (proc, lost) && known(ts)", ET_KIND_BIT(ET_PROC) | ET_KIND_BIT(ET_LOST),
		  ET_KIND_BIT(ET_PROC) | ET_KIND_BIT(ET_LOST) },
		{ "kind != exit && !failed && pid == 5",
		  ET_KIND_BIT(ET_EXEC) | ET_KIND_BIT(ET_FORK) | ET_KIND_BIT(ET_PROC), 0 },
		{ "!(exit == 0)", 0x7e, 0 },
		{ "argv[0] == 'x'",
		  ET_KIND_BIT(ET_EXEC) | ET_KIND_BIT(ET_FAIL) | ET_KIND_BIT(ET_PROC), 0 },
		{ "time > 09:00", 0x7e, 0 },
		{ "cause == busy", ET_KIND_BIT(ET_LOST), 0 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct expr *e = parsed(all[i].text, &all_names);

		CHECK_CASE(all[i].text, (expr_kinds(e) & 0x7e) == all[i].kinds);
		CHECK_CASE(all[i].text, expr_kinds_named(e) == all[i].named);
		CHECK_CASE(all[i].text, expr_is_futile(e) == !(all[i].kinds | all[i].named));
		expr_free(e);
	}
}

/* What a filter that hides no gap makes of the lost event h. */
static void test_gaps(void)
{
	static const struct {
		const char *text;
		bool stays;
	} all[] = {
		{ "uid == 0", true },		    { "uid == 0 && exit != 0", true },
		{ "!(uid == 0)", true },	    { "failed", true },
		{ "kind == exec", false },	    { "kind != exec", true },
		{ "kind == lost && uid == 0", true }, { "cause == ring_full", true },
		{ "cause == busy", false },	    { "cause == busy || uid == 0", true },
		{ "cause == busy && uid == 0", false }, { "time > +8us", false },
		{ "time > +7us && comm == 'x'", true },
	};
	char space[512];
	struct et_event ev = event_of(ROWS - 2, space);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct expr *e = parsed(all[i].text, &all_names);

		CHECK_CASE(all[i].text, expr_match_gap(e, &ev, &scope) == all[i].stays);
		expr_free(e);
	}
}

/* Events on their way into a file leave out flags that are not set. */
static void test_writing(void)
{
	static const struct expr_options writing = { .writing = true };
	struct expr *as_read = parsed("core == no", NULL), *e = parsed("core == no", &writing);
	struct et_event ev = { 0 };

	et_set_uint(&ev, ET_F_KIND, ET_EXIT);
	CHECK(expr_match(e, &ev, NULL) && !expr_match(as_read, &ev, NULL));
	et_set_uint(&ev, ET_F_CORE, 1);
	CHECK(!expr_match(e, &ev, NULL));
	ev.known &= ~(1ull << ET_F_CORE);
	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	CHECK(!expr_match(e, &ev, NULL));
	expr_free(as_read);
	expr_free(e);
}

static void test_names(void)
{
	static const char *const named[] = { "user == 'x'", "group ~ '*'", "uid == ann",
					     "cgroup == '/'", "container ~ '*'", "known(user)",
					     "comm == user", "cgroup != comm" };
	struct expr_error err;
	struct expr *e;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		CHECK_CASE(named[i], expr_parse(named[i], NULL, &e, &err) == -1);
		CHECK_CASE(named[i], strstr(err.text, "not known here") != NULL);
		/* With the promise of names, but none of them known. */
		e = parsed(named[i], &all_names);
		CHECK_CASE(named[i], !expr_match(e, &(struct et_event){ .known = 2 }, NULL));
		expr_free(e);
	}
}

/* Without a scope's clock a time has to say all of itself. */
static void test_clock(void)
{
	static const char *const open[] = { "time > 09:00", "time > 09:00Z", "time < +5m",
					    "time in 2026-11-20..", "time > '2026-11-20 09:00'" };
	struct expr_error err;
	struct expr *e;

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		CHECK_CASE(open[i], expr_parse(open[i], NULL, &e, &err) == -1);
		CHECK_CASE(open[i], strstr(err.text, "a date with a zone") != NULL);
	}
	e = parsed("time > 2026-11-20T09:00Z && time >= @5", NULL);
	expr_free(e);
}

/* A text of n parts between a beginning and an end; whether it parses. */
static bool parses(const char *begin, const char *part, size_t n, const char *end)
{
	size_t len = strlen(begin) + strlen(part) * n + strlen(end);
	char *text = malloc(len + 1), *at = text;
	struct expr_error err;
	struct expr *e;
	int r;

	at = stpcpy(at, begin);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, part);
	strcpy(at, end);
	r = expr_parse(text, NULL, &e, &err);
	expr_free(e);
	free(text);
	CHECK(!r == (e != NULL) && (!r || err.at <= len));
	return !r;
}

static void test_limits(void)
{
	CHECK(parses("", "!", 60000, "core"));
	CHECK(parses("", "core||", 1999, "core") && !parses("", "core||", 2000, "core"));
	CHECK(parses("pid in (", "1,", 9999, "1)") && parses("pid in (", "1,", 19999, "1)"));
	CHECK(!parses("pid in (", "1,", 20000, "1)"));
	CHECK(parses("comm == '", "x", 60000, "'") && !parses("comm == '", "x", 65536, "'"));
	CHECK(!parses("", "(", 51, "core") && !parses("", "!(", 30000, "core"));
	for (unsigned depth = 49; depth < 52; depth++) {
		char ends[64] = "core";

		memset(ends + 4, ')', depth);
		ends[4 + depth] = '\0';
		CHECK(parses("", "(", depth, ends) == (depth <= 50));
	}
	CHECK(parses("comm =~ '", "a", 1999, "'") && !parses("comm =~ '", "a", 2000, "'"));
	CHECK(!parses("comm =~ '", "(", 100, "'"));
}

static void test_point(void)
{
	static const struct {
		const char *text;
		size_t at;
		const char *line, *caret;
	} all[] = {
		{ "com == 1", 0, "com == 1", "^" },
		{ "a && com", 5, "a && com", "     ^" },
		{ "a &&\n\tcom", 6, "a &&  com", "      ^" },
		{ "", 0, "", "^" },
		{ "\xc3\xa4\xc3\xb6 x", 5, "\xc3\xa4\xc3\xb6 x", "   ^" },
	};
	char line[EXPR_LINE], caret[EXPR_LINE], text[400];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct expr_error err = { .at = all[i].at };

		expr_point(all[i].text, &err, line, caret);
		CHECK_CASE(all[i].text, !strcmp(line, all[i].line) && !strcmp(caret, all[i].caret));
	}
	/* Of a long one the part around it, and no half of a character. */
	for (size_t i = 0; i < sizeof(text) - 2; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[sizeof(text) - 2] = '\0';
	for (size_t at = 0; at < sizeof(text); at++) {
		struct expr_error err = { .at = at };

		expr_point(text, &err, line, caret);
		CHECK(strlen(line) % 2 == 0 && strlen(caret) < EXPR_LINE);
		CHECK(!*line || (unsigned char)*line == 0xc3);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_match(cases[i].text, cases[i].match);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		test_wrong(wrong[i].text, wrong[i].at, wrong[i].says);
	test_kinds();
	test_gaps();
	test_writing();
	test_names();
	test_clock();
	test_limits();
	test_point();
	return check_result();
}
