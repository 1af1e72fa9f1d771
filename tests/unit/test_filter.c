/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which events pass: patterns, times and lists as options give them, every
 * filter over the columns of a capture, and the order in which rows come out.
 */
#include "check.h"
#include "derive.h"
#include "glob.h"
#include "input.h"
#include "scan.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Patterns --------------------------------------------------------------- */

static void test_glob(void)
{
	static const struct {
		const char *pattern, *text;
		bool yes, path;
	} cases[] = {
		{ "", "", true, true },
		{ "", "a", false, false },
		{ "*", "", true, true },
		{ "*", "a/b", true, true },
		{ "a*", "abc", true, true },
		{ "a*c", "abcabc", true, true },
		{ "a*b*c", "aXbYbZc", true, true },
		{ "a*b", "acbd", false, false },
		{ "?", "", false, false },
		{ "?", "\xff", true, true },
		{ "??", "a", false, false },
		{ "[a-c]x", "bx", true, true },
		{ "[!a-c]x", "bx", false, false },
		{ "[^a-c]x", "dx", true, true },
		{ "[]]", "]", true, true },
		{ "[!]]", "]", false, false },
		{ "[a-]", "-", true, true },
		{ "[", "[", true, true },
		{ "[a", "[a", true, true },
		{ "[a", "a", false, false },
		{ "\\*", "*", true, true },
		{ "\\*", "a", false, false },
		{ "[\\]]", "]", true, true },
		{ "a\\", "a\\", true, true },
		{ "ls", "/bin/ls", false, true },
		{ "ls", "/bin/lsx", false, false },
		{ "l*", "/bin/ls", false, true },
		{ "/bin/*", "/bin/ls", true, true },
		{ "*/ls", "/bin/ls", true, true },
		{ "bin", "/bin/", false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].text);

		CHECK_CASE(cases[i].pattern,
			   glob_match(cases[i].pattern, cases[i].text, n) == cases[i].yes);
		CHECK_CASE(cases[i].pattern, glob_match_path(cases[i].pattern, cases[i].text,
							     n) == cases[i].path);
	}
}

/* Many stars and a text that almost matches must not take exponential time. */
static void test_glob_cost(void)
{
	size_t n = 1 << 16;
	char *text = malloc(n);

	if (!text)
		return;
	memset(text, 'a', n);
	CHECK(!glob_match("a*a*a*a*a*a*a*a*a*a*a*a*b", text, n));
	free(text);
}

/* ---- Times ------------------------------------------------------------------ */

#define SECOND 1000000000ll

/* 2026-11-20T23:30:00.25Z, which is already the 21st one hour further east. */
#define START (1795217400 * SECOND + SECOND / 4)

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t wall; /* from START with zone +01:00; -1: not a time */
	} cases[] = {
		{ "1970-01-01T00:00Z", 0 },
		{ "2026-11-20T23:30:00.25Z", START },
		{ "2026-11-21 00:30:00.25", START },
		{ "2026-11-21T00:30:00.250000000", START },
		{ "2026-11-21T05:00:00.25+05:30", START },
		{ "2026-11-21T05:00:00.25+0530", START },
		{ "2026-11-20T22:30:00.25-01", START },
		{ "2026-11-21", START - 30 * 60 * SECOND - SECOND / 4 },
		{ "2024-02-29T00:00Z", 1709164800 * SECOND },
		{ "00:30:00.25", START },
		{ "00:31", START + 60 * SECOND - SECOND / 4 },
		{ "23:30:00.25Z", START },
		{ "+0s", START },
		{ "+5", START + 5 * SECOND },
		{ "+1m30s", START + 90 * SECOND },
		{ "+1.5s", START + SECOND * 3 / 2 },
		{ "+250ms", START + SECOND / 4 },
		{ "+1d2h", START + 26 * 3600 * SECOND },
		{ "+100us", START + 100000 },
		{ "+7ns", START + 7 },
		{ "@1795217400.25", START },
		{ "", -1 },
		{ "now", -1 },
		{ "+", -1 },
		{ "+5x", -1 },
		{ "+-5s", -1 },
		{ "+99999999999999999999s", -1 },
		{ "+9999999999999d", -1 },
		{ "@12x", -1 },
		{ "@99999999999", -1 },
		{ "@5.", -1 },
		{ "9:00", -1 },
		{ "24:00", -1 },
		{ "09:60", -1 },
		{ "09:00:", -1 },
		{ "09:00:00.", -1 },
		{ "09:00 ", -1 },
		{ "2026-13-01", -1 },
		{ "2026-02-29", -1 },
		{ "2026-11-31", -1 },
		{ "2026-11-20 09", -1 },
		{ "2026-11-20T09:00+99:00", -1 },
		{ "3000-01-01", -1 },
	};
	int32_t offset = 77;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct moment p;
		bool ok = moment_parse(cases[i].text, &p);

		CHECK_CASE(cases[i].text, ok == (cases[i].wall >= 0));
		if (ok)
			CHECK_CASE(cases[i].text,
				   moment_resolve(&p, START, 3600) == cases[i].wall);
	}
	CHECK(moment_parse_offset("3600", &offset) && offset == 3600);
	CHECK(moment_parse_offset("-12600", &offset) && offset == -12600);
	CHECK(moment_parse_offset("+05:30", &offset) && offset == 19800);
	CHECK(moment_parse_offset("0", &offset) && offset == 0);
	CHECK(!moment_parse_offset("", &offset));
	CHECK(!moment_parse_offset("99999999999", &offset));
	CHECK(!moment_parse_offset("1h", &offset));
}

/* ---- A capture to filter ------------------------------------------------------ */

/* One event of the table; NULL and 0 leave a field out, argv is joined by '|'. */
struct row {
	unsigned kind;
	uint64_t ts, pid, ppid, uid;
	const char *comm, *filename, *exe, *argv;
	int number; /* errno, or exit code */
	bool new_chunk;
};

/* ts in ms after START; the second chunk steps back by 2 ms, and 31 ties with 30. */
static const struct row rows[] = {
	{ ET_PROC, 0, 1, 0, 0, "init", NULL, "/sbin/init", "/sbin/init", 0, false },
	{ ET_FORK, 10, 10, 1, 1000, "sh", NULL, NULL, NULL, 0, false },
	{ ET_FAIL, 20, 10, 1, 1000, "sh", "/usr/local/bin/ls", NULL, "ls|-l", 2, false },
	{ ET_EXEC, 30, 10, 1, 1000, "ls", "/bin/ls", "/usr/bin/ls", "ls|-l", 0, false },
	{ ET_EXEC, 40, 11, 10, 0, "sudo", "/bin/busybox", NULL, "su||x y", 0, false },
	{ ET_EXIT, 50, 10, 1, 1000, "ls", NULL, NULL, NULL, 0, false },
	{ ET_FORK, 48, 30, 11, 0, "sudo", NULL, NULL, NULL, 0, true },
	{ ET_EXEC, 48, 31, 30, 0, "id", "/usr/bin/id", "/usr/bin/id", "id", 0, false },
	{ ET_LOST, 60, 0, 0, 0, NULL, NULL, NULL, NULL, 0, false },
	{ ET_EXIT, 70, 31, 30, 0, "id", NULL, NULL, NULL, 3, true },
	{ ET_EXIT, 80, 11, 10, 4711, "sudo", NULL, NULL, NULL, 0, false },
};

#define BOOT 5000000000ull

static void set_text(struct et_event *ev, enum et_field_id id, const char *s)
{
	if (s)
		et_set_str(ev, id, s, (uint32_t)strlen(s));
}

static void make_event(struct et_event *ev, const struct row *r, char *argv)
{
	*ev = (struct et_event){ 0 };
	et_set_uint(ev, ET_F_KIND, r->kind);
	et_set_uint(ev, ET_F_TS, BOOT + r->ts * 1000000);
	if (r->kind == ET_LOST) {
		et_set_uint(ev, ET_F_COUNT, 5);
		et_set_uint(ev, ET_F_CAUSE, ET_CAUSE_RING_FULL);
		return;
	}
	et_set_uint(ev, ET_F_PID, r->pid);
	et_set_uint(ev, ET_F_PPID, r->ppid);
	et_set_uint(ev, ET_F_UID, r->uid);
	et_set_uint(ev, ET_F_GID, r->uid);
	set_text(ev, ET_F_COMM, r->comm);
	set_text(ev, ET_F_FILENAME, r->filename);
	set_text(ev, ET_F_EXE, r->exe);
	if (r->argv) {
		uint32_t n = 1, len = (uint32_t)strlen(r->argv) + 1;

		memcpy(argv, r->argv, len);
		for (uint32_t i = 0; i < len; i++) {
			if (argv[i] == '|') {
				argv[i] = 0;
				n++;
			}
		}
		ev->known |= 1ull << ET_F_ARGV;
		ev->v[ET_F_ARGV].l = (struct et_list){ argv, len, n };
	}
	if (r->kind == ET_FAIL)
		et_set_uint(ev, ET_F_ERRNO, (uint64_t)r->number);
	if (r->kind != ET_EXIT)
		return;
	et_set_uint(ev, ET_F_EXIT_CODE, (uint64_t)r->number);
	for (const struct row *before = rows; before < r; before++)
		if (before->kind == ET_EXEC && before->pid == r->pid)
			et_set_uint(ev, ET_F_EXEC_TS, BOOT + before->ts * 1000000);
}

static enum et_record_type record_of(unsigned kind)
{
	return kind == ET_PROC ? ET_REC_PROC : kind == ET_LOST ? ET_REC_LOST : ET_REC_CHUNK;
}

/* Writes the table into fd, shifted in wall time, every pid raised by more. */
static void write_capture(int fd, int64_t shift, uint64_t more)
{
	static const struct et_name users[] = { { 0, false, { "root", 4 } },
						{ 1000, false, { "alice", 5 } },
						{ 1000, true, { "staff", 5 } } };
	static const struct et_pair host = { "utc_offset", { "3600", 4 } };
	const struct et_clock clock = { BOOT, START + shift - (int64_t)BOOT };
	const struct et_writer_options options = { .program = "test", .started = clock };
	uint64_t lost[ET_CAUSE_END] = { 0 };
	enum et_record_type type = record_of(rows[0].kind);
	struct et_batch *batch = et_batch_new();
	struct et_writer *w;
	struct et_event ev;
	struct et_io io;
	char argv[64];
	int copy = dup(fd);

	CHECK(batch && !et_io_fd(copy, &io));
	CHECK(!et_writer_open(&io, &options, &w, NULL));
	CHECK(!et_writer_host(w, &host, 1, NULL));
	CHECK(!et_writer_names(w, ET_REC_USERS, users, 3, NULL));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].new_chunk || record_of(rows[i].kind) != type) {
			CHECK(!et_writer_batch(w, type, batch, lost, NULL));
			et_batch_reset(batch);
			type = record_of(rows[i].kind);
		}
		make_event(&ev, &rows[i], argv);
		ev.realtime = clock.offset;
		if (rows[i].kind == ET_LOST)
			lost[ET_CAUSE_RING_FULL] = 5;
		else
			ev.v[ET_F_PID].u += more;
		CHECK(!et_batch_add(batch, &ev, NULL));
	}
	CHECK(!et_writer_batch(w, type, batch, lost, NULL));
	CHECK(!et_writer_end(w, (struct et_clock){ BOOT + SECOND, clock.offset }, lost,
			     "test", NULL));
	et_writer_close(w);
	et_batch_free(batch);
}

static int new_capture(int64_t shift, uint64_t more)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	write_capture(fd, shift, more);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int open_source(int fd, const char *name, struct source **out)
{
	struct reason why;

	return source_open_fd(fd, name, out, &why) || source_begin(*out, &why);
}

/* Splits words at blanks into an argument vector; ~ stands for a blank inside. */
static int split(char *text, char **argv)
{
	static char name[] = "test";
	int n = 0;

	argv[n++] = name;
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " ")) {
		for (char *p = w; *p; p++)
			*p = *p == '~' ? ' ' : *p;
		argv[n++] = w;
	}
	argv[n] = NULL;
	return n;
}

/* "KINDpid ..." of what passes, in order, into out; the count into *count. */
static void run_filter(const char *words, char *out, uint64_t *count)
{
	char text[256], *argv[32];
	struct options opt;
	struct reason why;

	snprintf(text, sizeof(text), "%s", words);
	*out = 0;
	CHECK_CASE(words, !options_parse(&opt, OPTIONS_FILTER, split(text, argv), argv, &why));
	for (int pass = 0; pass < 2; pass++) {
		struct input_options io = { .filter = &opt.filter };
		struct source *source;
		struct input_row row;
		struct input *in;
		char *p = out;

		CHECK(!open_source(new_capture(0, 0), "test", &source));
		opt.filter.unasked = pass == 1 ? ET_KIND_BIT(ET_LOST) : 0;
		CHECK(!input_open(&source, 1, &io, &in));
		if (pass == 1) {
			CHECK(input_count(in, UINT64_MAX, count) == ET_OK);
		} else {
			while (input_next(in, &row) == ET_OK)
				p += sprintf(
					p, "%s%s%llu", p == out ? "" : " ",
					et_kind_name((unsigned)row.ev.v[ET_F_KIND].u),
					(unsigned long long)(ET_HAS(&row.ev, ET_F_PID)
								     ? row.ev.v[ET_F_PID].u
								     : 0));
		}
		input_close(in);
	}
	options_free(&opt);
}

static void test_filters(void)
{
	static const struct {
		const char *words, *passes;
		unsigned count; /* without lost events */
	} cases[] = {
		{ "",
		  "proc1 fork10 fail10 exec10 exec11 fork30 exec31 exit10 lost0 exit31 exit11",
		  10 },
		{ "--uid 0", "proc1 exec11 fork30 exec31 lost0 exit31", 5 },
		{ "--uid root", "proc1 exec11 fork30 exec31 lost0 exit31", 5 },
		{ "--uid alice --uid 4711", "fork10 fail10 exec10 exit10 lost0 exit11", 5 },
		{ "--uid alice,4711", "fork10 fail10 exec10 exit10 lost0 exit11", 5 },
		{ "--uid nobody", "lost0", 0 },
		{ "--gid staff --kind exec", "exec10", 1 },
		{ "--pid 31,1", "proc1 exec31 lost0 exit31", 3 },
		{ "--ppid 11", "fork30 lost0", 1 },
		{ "--kind exec,fail", "fail10 exec10 exec11 exec31", 4 },
		{ "--kind lost", "lost0", 1 },
		{ "--kind exec --kind exit", "exec10 exec11 exec31 exit10 exit31 exit11", 6 },
		{ "--failed", "fail10 lost0", 1 },
		{ "--ok", "exec10 exec11 exec31 lost0", 3 },
		{ "--ok --failed", "fail10 exec10 exec11 exec31 lost0", 4 },
		{ "--ok --kind exec", "exec10 exec11 exec31", 3 },
		{ "--failed --kind exit", "", 0 },
		{ "--ok --uid root", "exec11 exec31 lost0", 2 },
		{ "--exit-code 3", "lost0 exit31", 1 },
		{ "--exit-code 0 --kind exit", "exit10 exit11", 2 },
		{ "--comm s* --kind fork,fail", "fork10 fail10 fork30", 3 },
		{ "--exe ls --kind exec,fail", "fail10 exec10", 2 },
		{ "--exe /usr/bin/*", "exec10 exec31 lost0", 2 },
		{ "--exe busybox", "exec11 lost0", 1 },
		{ "--exe /bin/ls", "lost0", 0 },
		{ "--exe ls --exe id --ok --kind exec", "exec10 exec31", 2 },
		{ "--arg -l", "fail10 exec10 lost0", 2 },
		{ "--arg x~y", "exec11 lost0", 1 },
		{ "--arg=", "exec11 lost0", 1 },
		{ "--arg ls --arg id --kind exec", "exec10 exec31", 2 },
		{ "--since +48ms", "fork30 exec31 exit10 lost0 exit31 exit11", 5 },
		{ "--until +20ms", "proc1 fork10", 2 },
		{ "--since +20ms --until +30001us", "fail10 exec10", 2 },
		{ "--since 00:30:00.33", "exit11", 1 },
		{ "--since 2026-11-20T23:30:00.33Z", "exit11", 1 },
		{ "--until 2026-11-20", "", 0 },
		{ "--since 2026-11-22", "", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[1024];
		uint64_t count = 0;

		run_filter(cases[i].words, got, &count);
		if (strcmp(got, cases[i].passes))
			fprintf(stderr, "%s: passes: %s\n", cases[i].words, got);
		CHECK_CASE(cases[i].words, !strcmp(got, cases[i].passes));
		CHECK_CASE(cases[i].words, count == cases[i].count);
	}
}

static void test_bad_options(void)
{
	static const char *const cases[] = {
		"--uid",
		"--uid=",
		"--uid ,1",
		"--uid 1,",
		"--uid 4294967296",
		"--gid ,",
		"--pid root",
		"--pid -1",
		"--ppid 1x",
		"--exit-code x",
		"--kind",
		"--kind all",
		"--kind exec,",
		"--failed=1",
		"--since yesterday",
		"--until 25:00",
		"--unknown",
		"--json",
		"-x",
		"--ui 0",
		"--kind=averyveryverylongkind",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64], *argv[8];
		struct options opt;
		struct reason why = { 0 };

		snprintf(text, sizeof(text), "%s", cases[i]);
		CHECK_CASE(cases[i], options_parse(&opt, OPTIONS_FILTER, split(text, argv),
						   argv, &why) == -1);
		CHECK_CASE(cases[i], why.code == EXIT_USAGE && why.text[0]);
		options_free(&opt);
	}
}

static void test_operands(void)
{
	char text[] = "a --uid 0 b -- --uid - c", *argv[16];
	struct options opt;
	struct reason why;

	CHECK(!options_parse(&opt, OPTIONS_FILTER, split(text, argv), argv, &why));
	CHECK(opt.n_files == 5);
	CHECK(!strcmp(opt.files[0], "a") && !strcmp(opt.files[1], "b"));
	CHECK(!strcmp(opt.files[2], "--uid") && !strcmp(opt.files[3], "-"));
	CHECK(opt.filter.numbers[FILTER_UID].n_values == 1);
	options_free(&opt);
}

/* Two captures, the second 5 ms later: merged by wall clock, each in its order. */
static void test_merge(void)
{
	const struct filter all = { 0 };
	struct input_options io = { .filter = &all };
	struct source *sources[2];
	struct input_row row;
	struct input *in;
	int64_t last = INT64_MIN;
	unsigned n = 0, durations = 0;

	CHECK(!open_source(new_capture(5 * SECOND / 1000, 1000), "b", &sources[0]));
	CHECK(!open_source(new_capture(0, 0), "a", &sources[1]));
	CHECK(!input_open(sources, 2, &io, &in));
	while (input_next(in, &row) == ET_OK) {
		CHECK(row.wall >= last);
		last = row.wall;
		n++;
		if (derive_duration(&row.ev) == ET_NONE)
			continue;
		durations++;
		/* 10 ran ls for 20 ms, 31 id for 22, 11 su for 40. */
		CHECK(derive_duration(&row.ev) ==
		      (row.ev.v[ET_F_PID].u % 1000 == 10   ? 20000000u
				       : row.ev.v[ET_F_PID].u % 1000 == 31 ? 22000000u
									   : 40000000u));
	}
	CHECK(n == 22 && durations == 6);
	CHECK(sources[0]->shown == 11 && sources[0]->ended && sources[0]->offset == 3600);
	input_close(in);
}

/* Two segments in one file: each in order, the second behind the first. */
static void test_segments(void)
{
	const struct filter all = { 0 };
	struct input_options io = { .filter = &all };
	struct source *source;
	struct input_row row;
	struct input *in;
	unsigned n = 0;
	int fd = memfd_create("capture", MFD_CLOEXEC);

	write_capture(fd, 0, 0);
	write_capture(fd, -SECOND, 1000);
	lseek(fd, 0, SEEK_SET);
	CHECK(!open_source(fd, "two", &source));
	CHECK(!input_open(&source, 1, &io, &in));
	for (; input_next(in, &row) == ET_OK; n++)
		if (ET_HAS(&row.ev, ET_F_PID))
			CHECK((row.ev.v[ET_F_PID].u > 1000) == (n >= 11));
	CHECK(n == 22);
	input_close(in);
}

int main(void)
{
	test_glob();
	test_glob_cost();
	test_times();
	test_bad_options();
	test_operands();
	test_filters();
	test_merge();
	test_segments();
	return check_result();
}
