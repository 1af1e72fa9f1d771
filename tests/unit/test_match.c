/* SPDX-License-Identifier: BSD-2-Clause */
/* --match: of every type and unit of a field, which rows pass, and what is no value of it. */
#include "check.h"
#include "filter.h"
#include "memory_io.h"
#include "words.h"

#include <string.h>

#define CONTAINER "3f4e2d1c0b9a8877665544332211ffeeddccbbaa99887766554433221100abcd"

/* NAME=VALUE with a blank in front of each; a list is items with a comma behind each. */
static const char *const rows[] = {
	/* a */ ("kind=1 ts=1000 pid=5 uid=0 euid=7 comm=sh cgroup=1 filename=/bin/sh exe=/usr/bin/dash"
		" argv=sh,-c,a,, tty=pts/0 exe_dev=8388609 exe_inode=42 exe_memfd=1 env=PATH=/bin,A,EMPTY=,"
		" exec_duration=1500 login_uid=1000 pid_ns=4026531836 session=3"),
	/* b */ ("kind=1 ts=2000 pid=6 uid=1000 gid=100 comm=make cgroup=2 exe=/opt/make cwd=/ argv=make,"
		" exe_dev=265289729 exec_duration=2000000 env=LANG=C,PATHS=x,"),
	/* c */ "kind=2 ts=3000 pid=6 uid=18446744073709551614 comm=s errno=2 filename=no",
	/* d */ "kind=3 ts=4000 pid=7",
	/* e */ "kind=4 ts=5000 pid=5 exec_ts=1000 start=500 signal=9 max_rss=1048576 read_bytes=1023",
	/* f */ "kind=4 ts=6000 pid=6 start=5900 exit_code=3 core=1 max_rss=1048575 cgroup=3",
	/* g */ "kind=6 ts=7000 cause=1 cpu=2 count=5 until=7100",
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The lost row g passes whatever is asked of processes. */
static const struct {
	const char *match, *pass;
} cases[] = {
	/* Numbers */
	{ "pid=5", "aeg" },
	{ "pid=5,7", "adeg" },
	{ "pid=6..7", "bcdfg" },
	{ "pid=6..", "bcdfg" },
	{ "pid=..5", "aeg" },
	{ "pid=7..9,5..5", "adeg" },
	{ "session=3", "ag" },
	{ "session=0..", "ag" },
	{ "exit_code=3", "fg" },
	{ "exit_code=0", "g" },
	{ "pid_ns=4026531836", "ag" },
	/* Users and groups */
	{ "uid=0", "ag" },
	{ "uid=ann", "bg" },
	{ "uid=root,ann", "abg" },
	{ "uid=1000..18446744073709551614", "bcg" },
	{ "uid=nobody", "g" },
	{ "gid=staff", "bg" },
	{ "gid=ann", "g" },
	{ "euid=7", "ag" },
	{ "login_uid=ann", "ag" },
	/* Flags */
	{ "exe_memfd", "ag" },
	{ "exe_memfd=yes", "ag" },
	{ "exe_memfd=no", "bg" },
	{ "exe_memfd=1,0", "abg" },
	{ "core", "fg" },
	{ "secure_exec", "g" },
	/* Named numbers */
	{ "kind=exec", "ab" },
	{ "kind=4,lost", "efg" },
	{ "errno=ENOENT", "cg" },
	{ "errno=2", "cg" },
	{ "errno=EPERM", "g" },
	{ "signal=SIGKILL", "eg" },
	{ "signal=1..9", "eg" },
	{ "signal=KILL", "eg" },
	/* What lost rows have is asked of them, and others have it not. */
	{ "cause=ring_full", "g" },
	{ "cause=busy", "" },
	{ "cpu=2", "g" },
	{ "count=6..", "" },
	{ "ts=..3000", "abc" },
	/* Durations, sizes, devices */
	{ "exec_duration=1500", "ag" },
	{ "exec_duration=1us..1ms", "ag" },
	{ "exec_duration=2ms", "bg" },
	{ "exec_duration=0.002s", "bg" },
	{ "duration=4000", "eg" },
	{ "duration=..1us", "fg" },
	{ "max_rss=1M", "eg" },
	{ "max_rss=1MiB", "eg" },
	{ "max_rss=0x100000", "eg" },
	{ "max_rss=..1048575", "fg" },
	{ "max_rss=1K..1G", "efg" },
	{ "read_bytes=1023", "eg" },
	{ "exe_dev=8:1", "ag" },
	{ "exe_dev=253:1", "bg" },
	{ "exe_dev=8388609", "ag" },
	{ "exe_dev=8:0..254:0", "abg" },
	/* Strings */
	{ "comm=sh", "ag" },
	{ "comm=s*", "acg" },
	{ "comm=s,make", "bcg" },
	{ "comm=?", "cg" },
	{ "tty=pts/*", "ag" },
	{ "tty=", "g" },
	{ "cwd=/", "bg" },
	{ "exe=dash", "ag" },
	{ "exe=/usr/*", "ag" },
	{ "filename=sh,no", "acg" },
	{ "cwd=usr", "g" },
	/* Lists */
	{ "argv=-c", "ag" },
	{ "argv=", "ag" },
	{ "argv=ma*", "bg" },
	{ "env=PATH", "ag" },
	{ "env=PATH*", "abg" },
	{ "env=A", "ag" },
	{ "env=EMPTY=", "ag" },
	{ "env=PATH=/usr", "g" },
	{ "env=*=C", "bg" },
	/* Cgroups and containers; that of f has no name. */
	{ "cgroup=/system.slice/*", "ag" },
	{ "cgroup=*", "abg" },
	{ "container=" CONTAINER, "ag" },
	{ "container=3f4e2d1c0b9a", "ag" },
	{ "container=3f4e", "g" },
	{ "container=3f4e*", "ag" },
	{ "container=*", "ag" },
};

static const char *const wrong[] = {
	"",		 "=",		    "nothing",	    "nothing=1",    "pid",
	"pid=",		 "pid=x",	    "pid=1,",	    "pid=,1",	    "pid=-1",
	"pid=1..0",	 "pid=..",	    "pid=1...2",    "pid=1 ",	    "pid=18446744073709551615",
	"pid=99999999999999999999", "pid=5K", "pid=ann",    "uid=",	    "exe_memfd=maybe",
	"exe_memfd=0..1", "kind=execs",	    "errno=enoent",  "exec_duration=1x",
	"exec_duration=-1s", "exec_duration=09:00", "max_rss=1.5", "max_rss=K",
	"max_rss=99999999999999T", "exe_dev=8:", "exe_dev=:1", "exe_dev=8:1048576", "exe_dev=8:1:1",
	"user=ann",	 "PID=5",	    "cpu=1,x",	    "comm",
};

/* The rows in two records, for a LOST holds no others. */
static void write_capture(struct sink *sink)
{
	static const struct et_name users[] = { { 0, false, { "root", 4 } },
						{ 1000, false, { "ann", 3 } },
						{ 100, true, { "staff", 5 } } };
	static const char docker[] = "/system.slice/docker-" CONTAINER ".scope";
	static const struct et_name cgroups[] = { { 1, false, { docker, sizeof(docker) - 1 } },
						  { 2, false, { "/user.slice", 11 } } };
	static const uint64_t lost[ET_CAUSE_END] = { 0, 5 };
	const struct et_writer_options opt = { .program = "test" };
	struct et_batch *b = et_batch_new();
	struct et_io io = sink_io(sink);
	struct et_writer *w;

	CHECK(!et_writer_open(&io, &opt, &w, NULL));
	CHECK(!et_writer_names(w, ET_REC_USERS, users, 3, NULL));
	CHECK(!et_writer_names(w, ET_REC_CGROUPS, cgroups, 2, NULL));
	for (size_t i = 0; i < ROWS; i++) {
		struct et_event ev;
		char text[512];

		snprintf(text, sizeof(text), "%s", rows[i]);
		ev = words_event(text);
		if (i == ROWS - 1) {
			CHECK(!et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL));
			et_batch_reset(b);
		}
		CHECK(!et_batch_add(b, &ev, NULL));
	}
	CHECK(!et_writer_batch(w, ET_REC_LOST, b, lost, NULL));
	et_batch_free(b);
	et_writer_close(w);
}

/* The letters of the rows of a record that pass, behind those in out. */
static void select_rows(const struct filter_scope *s, struct filter_scratch *w,
			const struct et_record *rec, struct et_chunk *c, char *out)
{
	bool lost = rec->type == ET_REC_LOST;
	uint8_t selected[ROWS];
	struct et_error err;
	uint32_t passed = 0;

	CHECK(!scope_select(s, w, rec, c, selected, &err));
	for (uint32_t i = 0; i < et_chunk_rows(c); i++) {
		if (!selected[i])
			continue;
		passed++;
		out[strlen(out)] = (char)('a' + i + (lost ? ROWS - 1 : 0));
	}
	CHECK(scope_may_match(s, rec) || !passed);
	CHECK(!scope_counts_all(s, rec) || passed == et_chunk_rows(c));
}

static void test_match(const struct sink *sink, const char *text, const char *pass)
{
	struct et_context *names = et_context_new();
	struct filter_scratch w = { 0 };
	struct filter_scope s = { 0 };
	struct filter f = { 0 };
	char got[ROWS + 1] = "";
	struct reason why;
	struct et_record rec;
	struct et_reader *r = NULL;
	struct et_io io;

	CHECK_CASE(text, !filter_add_match(&f, text, &why));
	CHECK(!et_io_memory(sink->data, sink->len, &io) && !et_reader_open(&io, NULL, NULL, &r, NULL));
	while (!et_reader_next(r, &rec, NULL)) {
		struct et_chunk *c;

		CHECK(!et_context_take(names, r, &rec, NULL));
		if (!rec.rows)
			continue;
		CHECK(!scope_bind(&s, &f, names));
		scope_bind_times(&s, &f, 0, 0);
		CHECK(!et_reader_chunk(r, &c, NULL));
		select_rows(&s, &w, &rec, c, got);
		et_chunk_free(c);
	}
	if (strcmp(got, pass))
		fprintf(stderr, "%s: passes: %s\n", text, got);
	CHECK_CASE(text, !strcmp(got, pass));
	scope_free(&s);
	scratch_free(&w);
	filter_free(&f);
	et_reader_close(r);
	et_context_free(names);
}

int main(void)
{
	struct sink sink = { 0 };

	write_capture(&sink);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_match(&sink, cases[i].match, cases[i].pass);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct reason why = { 0 };
		struct filter f = { 0 };

		CHECK_CASE(wrong[i], filter_add_match(&f, wrong[i], &why) == -1);
		CHECK_CASE(wrong[i], why.code == EXIT_USAGE && why.text[0] && !f.n_others);
		filter_free(&f);
	}
	free(sink.data);
	return check_result();
}
