/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_decode.c - ring records made by hand, good and bad, and the events that
 * have to come out of them. Events are compared as text, one line each.
 */
#include "check.h"

#include "decode.h"
#include "envnames.h"

#include <stdlib.h>
#include <string.h>
#include <wire.h>

#define PAGE_SIZE 4096
#define CPUS 2

static char seen[65536];
static size_t seen_len;
static uint64_t lost_told;

static void put(const char *s, size_t n)
{
	if (seen_len + n >= sizeof(seen))
		return;
	memcpy(seen + seen_len, s, n);
	seen_len += n;
	seen[seen_len] = '\0';
}

static void put_text(const char *s)
{
	put(s, strlen(s));
}

/* kind name=value ..., in order of field ids; lists as [a|b|]. */
static int take_event(void *ctx, struct et_event *ev)
{
	char number[32];

	(void)ctx;
	put_text(et_kind_name((unsigned)ev->v[ET_F_KIND].u));
	if (ev->v[ET_F_KIND].u == ET_LOST)
		lost_told += ev->v[ET_F_COUNT].u;
	for (unsigned id = ET_F_TS; id < ET_FIELD_END; id++) {
		const union et_value *v = &ev->v[id];
		struct et_str item;
		uint32_t at = 0, n = 0;

		if (!ET_HAS(ev, id))
			continue;
		CHECK(et_fields[id].kinds & ET_KIND_BIT(ev->v[ET_F_KIND].u));
		put_text(" ");
		put_text(et_fields[id].name);
		put_text("=");
		switch (et_fields[id].type) {
		case ET_STR:
			put(v->s.ptr, v->s.len);
			break;
		case ET_LIST:
			put_text("[");
			while (et_list_next(&v->l, &at, &item)) {
				put(item.ptr, item.len);
				put_text("|");
				n++;
			}
			put_text("]");
			CHECK(n == v->l.n && at == v->l.len);
			break;
		default:
			snprintf(number, sizeof(number), "%llu", (unsigned long long)v->u);
			put_text(number);
		}
	}
	put_text("\n");
	return 0;
}

/* ---- Records ---------------------------------------------------------------- */

static uint8_t record[1 << 17];
static size_t record_len;

static void add(const void *data, size_t n)
{
	memcpy(record + record_len, data, n);
	record_len += n;
}

/* A C string literal with all its NULs but the one that C puts behind it. */
#define ADD(literal) add(literal, sizeof(literal) - 1)

static void begin_lost(unsigned cpu, enum wire_kind kind, unsigned flags, uint64_t seq, uint64_t ts,
		       uint32_t ring, uint32_t busy, uint32_t unfollowed)
{
	struct wire_head head = {
		.kind = (uint16_t)kind, .flags = (uint16_t)flags, .cpu = (uint16_t)cpu,
		.seq = seq, .ts = ts, .lost_since = ring + busy ? ts - 5 : 0,
		.lost = { ring, busy, unfollowed },
	};
	struct wire_task task = {
		.start = 7, .pid = 10, .tid = 11, .ppid = 9, .uid = 1, .gid = 2, .euid = 3,
		.egid = 4, .comm = "sh",
	};

	record_len = 0;
	add(&head, sizeof(head));
	if (kind != WIRE_MORE)
		add(&task, sizeof(task));
}

static void begin(unsigned cpu, enum wire_kind kind, unsigned flags, uint64_t seq, uint64_t ts)
{
	begin_lost(cpu, kind, flags, seq, ts, 0, 0, 0);
}

static void begin_more(unsigned cpu, unsigned flags, uint64_t seq, uint16_t part)
{
	begin(cpu, WIRE_MORE, flags, seq, 1);
	memcpy(record + offsetof(struct wire_head, part), &part, sizeof(part));
}

static int feed(struct decoder *d)
{
	uint32_t size = (uint32_t)record_len;

	memcpy(record, &size, sizeof(size));
	return decode_record(d, record, record_len);
}

static const struct wire_identity identity = {
	.exe_inode = 12, .exe_dev = 5, .login_uid = 20, .session = 21, .pid_ns = 22, .mnt_ns = 23,
	.user_ns = 24, .net_ns = 25, .ns_pid = 26, .tty = "tty3",
};

/* As the kind of the record at hand has it. */
static void add_exec(struct wire_exec e)
{
	add(&e, sizeof(e));
	if (record[offsetof(struct wire_head, kind)] == WIRE_EXEC)
		add(&identity, sizeof(identity));
}

static void fork_at(struct decoder *d, unsigned cpu, uint64_t seq, uint64_t ts)
{
	begin(cpu, WIRE_FORK, 0, seq, ts);
	feed(d);
}

/* ---- Whole events -------------------------------------------------------------- */

static void exec_full(struct decoder *d)
{
	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN, 1, 100);
	add_exec((struct wire_exec){ .argc = 4, .argv_size = 9, .argv_max = 99, .filename_len = 4,
				     .interpreter_len = 7, .exe_len = 9, .cwd_len = 0 });
	ADD("./sc" "/bin/sh" "dash\0usr\0" "sh\0\0a\nb\0x\0");
	feed(d);
}

static void exec_identity(struct decoder *d, struct wire_identity w, uint64_t duration)
{
	const struct wire_exec e = {
		.duration = duration, .argc = 1, .argv_size = 2, .filename_len = 1,
		.interpreter_len = WIRE_NONE, .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE,
	};

	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN, 1, 100);
	add(&e, sizeof(e));
	add(&w, sizeof(w));
	ADD("f" "f\0");
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

static void exit_with(struct decoder *d, struct wire_exit x)
{
	begin(0, WIRE_EXIT, 0, 1, 100);
	add(&x, sizeof(x));
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

/* ---- Losses -------------------------------------------------------------------- */

static void gap(struct decoder *d)
{
	fork_at(d, 1, 1, 100);
	begin_lost(1, WIRE_FORK, 0, 6, 200, 3, 1, 0);
	feed(d);
}

static void gap_at_the_start(struct decoder *d)
{
	begin_lost(0, WIRE_FORK, 0, 3, 200, 2, 0, 0);
	feed(d);
}

static void not_followed(struct decoder *d)
{
	begin_lost(0, WIRE_FORK, 0, 1, 200, 0, 0, 2);
	feed(d);
}

/* The low halves of the kernel's counters come round. */
static void counter_wraps(struct decoder *d)
{
	begin_lost(0, WIRE_FORK, 0, 0x100000000, 100, 0xffffffff, 0, 0);
	feed(d);
	begin_lost(0, WIRE_FORK, 0, 0x100000003, 200, 1, 0, 0);
	feed(d);
}

/* The ring took the first part only: one event lost, told once. */
static void parts_broken_off(struct decoder *d)
{
	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN | WIRE_CONTINUED, 1, 100);
	add_exec((struct wire_exec){ .argc = 3, .filename_len = 1, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	ADD("f" "on");
	feed(d);
	begin_lost(0, WIRE_FORK, 0, 2, 200, 1, 0, 0);
	feed(d);
}

static void parts_broken_off_at_the_end(struct decoder *d)
{
	struct wire_counters c = { .lost = { 1 }, .lost_since = 150 };

	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN | WIRE_CONTINUED, 1, 100);
	add_exec((struct wire_exec){ .argc = 3, .filename_len = 1, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	ADD("f" "on");
	feed(d);
	decode_finish(d, 0, &c, 300);
}

static void lost_at_the_end(struct decoder *d)
{
	struct wire_counters c = { .sent = 2, .lost = { 4, 1, 3 }, .lost_since = 250 };

	fork_at(d, 0, 1, 100);
	begin_lost(0, WIRE_FORK, 0, 3, 200, 1, 0, 1);
	feed(d);
	decode_finish(d, 0, &c, 300);
	decode_finish(d, 0, &c, 400);	/* nothing is told twice */
}

static void sent_but_not_seen(struct decoder *d)
{
	struct wire_counters c = { .sent = 3 };

	fork_at(d, 0, 1, 100);
	decode_finish(d, 0, &c, 300);
}

/* ---- Bad records ----------------------------------------------------------------- */

static void bad_short(struct decoder *d)
{
	decode_record(d, "abc", 3);
}

static void bad_size(struct decoder *d)
{
	begin(0, WIRE_FORK, 0, 1, 100);
	feed(d);
	decode_record(d, record, record_len - 8);
}

static void bad_kind(struct decoder *d)
{
	begin(0, (enum wire_kind)9, 0, 1, 100);
	feed(d);
}

static void bad_cpu(struct decoder *d)
{
	begin(CPUS, WIRE_FORK, 0, 1, 100);
	feed(d);
}

static void bad_seq(struct decoder *d)
{
	fork_at(d, 0, 1, 100);
	fork_at(d, 0, 1, 200);
}

static void bad_fork_tail(struct decoder *d)
{
	begin(0, WIRE_FORK, 0, 1, 100);
	ADD("tail");
	feed(d);
}

/* Begins a failed exec without any string, and its environment, in a part of its own. */
static void begin_env(struct decoder *d, unsigned flags, struct wire_env e)
{
	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN | WIRE_CONTINUED, 1, 100);
	add_exec((struct wire_exec){ .error = 2, .filename_len = WIRE_NONE, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	feed(d);
	begin_more(0, WIRE_ENV | flags, 1, 1);
	add(&e, sizeof(e));
}

static void env_whole(struct decoder *d)
{
	begin_env(d, WIRE_ENVC_KNOWN, (struct wire_env){ .count = 4, .max = 99 });
	ADD("A=1\0" "\0" "no name\0" "A=\xff=2\0");
	feed(d);
}

static void env_none(struct decoder *d)
{
	begin_env(d, WIRE_ENVC_KNOWN, (struct wire_env){ .max = 99 });
	feed(d);
}

static void env_parts_cut(struct decoder *d)
{
	begin_env(d, WIRE_ENVC_KNOWN | WIRE_CONTINUED | WIRE_ENV_TRUNCATED,
		  (struct wire_env){ .count = 9, .size = 300, .max = 128 });
	ADD("A=one\0B=");
	feed(d);
	fork_at(d, 1, 1, 101);
	begin_more(0, WIRE_ENV, 1, 2);
	ADD("two\0C=thr");
	feed(d);
}

static void env_unreadable(struct decoder *d)
{
	begin_env(d, WIRE_ENV_UNREADABLE, (struct wire_env){ .count = 9, .max = 128 });
	feed(d);
}

/* Only what was asked for; a name that is cut may be another one. */
static void env_named(struct decoder *d)
{
	static char names[] = "PATH,LD_*,*X";

	decode_env(d, names);
	begin_env(d, WIRE_ENVC_KNOWN | WIRE_ENV_TRUNCATED,
		  (struct wire_env){ .count = 8, .size = 90, .max = 80 });
	ADD("PATH=/bin\0PATHS=no\0SECRET=PATH\0LD_=1\0LD_A=2\0LD=no\0AX=3\0LD_LIB");
	feed(d);
}

static void env_all(struct decoder *d)
{
	decode_env(d, "all");
	env_whole(d);
}

static void bad_env_short(struct decoder *d)
{
	begin_env(d, 0, (struct wire_env){ .max = 99 });
	record_len -= 4;
	feed(d);
}

static void bad_env_of_exit(struct decoder *d)
{
	const struct wire_exit x = { .status = 0 };

	begin(0, WIRE_EXIT, WIRE_CONTINUED, 1, 100);
	add(&x, sizeof(x));
	feed(d);
	begin_more(0, WIRE_ENV, 1, 1);
	add(&(struct wire_env){ .max = 9 }, sizeof(struct wire_env));
	feed(d);
}

static void bad_env_first(struct decoder *d)
{
	begin(0, WIRE_FORK, WIRE_ENV, 1, 100);
	feed(d);
}

static void bad_env_and_argv(struct decoder *d)
{
	begin_env(d, WIRE_CONTINUED, (struct wire_env){ .max = 99 });
	feed(d);
	begin_more(0, 0, 1, 2);
	ADD("more\0");
	feed(d);
}

static void bad_exit_short(struct decoder *d)
{
	begin(0, WIRE_EXIT, 0, 1, 100);
	ADD("abc");
	feed(d);
}

static void exec_with(struct decoder *d, struct wire_exec e, const char *strings, size_t n)
{
	begin(0, e.error ? WIRE_FAIL : WIRE_EXEC, WIRE_ARGC_KNOWN, 1, 100);
	e.argv_max = e.argv_max ? e.argv_max : 99;
	add_exec(e);
	add(strings, n);
	feed(d);
}

static void bad_identity_short(struct decoder *d)
{
	const struct wire_exec e = {
		.filename_len = WIRE_NONE, .interpreter_len = WIRE_NONE,
		.exe_len = WIRE_NONE, .cwd_len = WIRE_NONE,
	};

	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN, 1, 100);
	add(&e, sizeof(e));
	add(&identity, sizeof(identity) - 1);
	feed(d);
}

static void bad_identity_flag(struct decoder *d)
{
	struct wire_identity w = { .flags = 8 };

	exec_identity(d, w, 0);
}

static void bad_identity_inode(struct decoder *d)
{
	struct wire_identity w = { .exe_inode = UINT64_MAX };

	exec_identity(d, w, 0);
}

static void bad_duration(struct decoder *d)
{
	exec_identity(d, identity, UINT64_MAX);
}

static void bad_faults(struct decoder *d)
{
	exit_with(d, (struct wire_exit){ .minor_faults = UINT64_MAX });
}

static void bad_filename_len(struct decoder *d)
{
	exec_with(d, (struct wire_exec){ .filename_len = 9 }, "f\0", 2);
}

static void bad_filename_nul(struct decoder *d)
{
	exec_with(d, (struct wire_exec){ .filename_len = 3 }, "f\0g", 3);
}

static void bad_filename_in_no_span(struct decoder *d)
{
	exec_with(d, (struct wire_exec){ .filename_len = WIRE_IN_SPAN }, "f\0", 2);
}

static void bad_path_empty_piece(struct decoder *d)
{
	exec_with(d, (struct wire_exec){ .exe_len = 4 }, "a\0\0\0", 4);
}

static void bad_path_no_nul(struct decoder *d)
{
	exec_with(d, (struct wire_exec){ .cwd_len = 3 }, "a\0b", 3);
}

static void bad_span_argc(struct decoder *d)
{
	exec_with(d, (struct wire_exec){ .span = 1, .error = 2, .argc = 0xffffffff }, "a\0", 2);
}

static void bad_span_pointer(struct decoder *d)
{
	const uint64_t data[] = { 1002, 0 };

	/* Memory is the two bytes from 1000 on. */
	exec_with(d, (struct wire_exec){ .span = 1000, .error = 2, .argc = 1 },
		  (const char *)data, sizeof(data[0]) + 2);
}

static void bad_span_no_nul(struct decoder *d)
{
	const uint64_t data[] = { 1000, 0x4141414141414141 };

	exec_with(d, (struct wire_exec){ .span = 1000, .error = 2, .argc = 1 },
		  (const char *)data, sizeof(data));
}

static void bad_more_alone(struct decoder *d)
{
	begin_more(0, 0, 1, 1);
	feed(d);
}

/* A part is missing: the event goes once, its other parts with it. */
static void bad_more_part(struct decoder *d)
{
	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN | WIRE_CONTINUED, 1, 100);
	add_exec((struct wire_exec){ .filename_len = 0 });
	feed(d);
	begin_more(0, WIRE_CONTINUED, 1, 2);
	feed(d);
	begin_more(0, 0, 1, 3);
	feed(d);
	fork_at(d, 0, 2, 200);
}

/* More parts than an event can have. */
static void bad_more_endless(struct decoder *d)
{
	static const char chunk[65536];

	begin(0, WIRE_EXEC, WIRE_ARGC_KNOWN | WIRE_CONTINUED, 1, 100);
	add_exec((struct wire_exec){ .filename_len = 0 });
	feed(d);
	for (uint16_t part = 1; part < 40; part++) {
		begin_more(0, WIRE_CONTINUED, 1, part);
		add(chunk, sizeof(chunk));
		feed(d);
	}
}

/* ---- The table --------------------------------------------------------------------- */

#define TASK "pid=10 tid=11 ppid=9 start=7 uid=1 gid=2"
#define FORKED(ts) "fork ts=" ts " pid=10 ppid=9 start=7 uid=1 gid=2 comm=sh\n"
#define FAILED(rest) "fail ts=100 " TASK " comm=sh " rest "\n"
#define ENDED(rest) ENDED_AS(rest ACCOUNTS)
#define ENDED_AS(rest) "exit ts=100 pid=10 ppid=9 start=7 uid=1 gid=2 comm=sh " rest "\n"
#define LOST(ts, until, cpu, count, cause) \
	"lost ts=" ts " until=" until " cpu=" cpu " count=" count " cause=" cause "\n"
#define BAD_AT(ts) LOST(ts, ts, "0", "1", "5")

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

static const struct {
	const char *name;
	void (*run)(struct decoder *d);
	const char *events;
	uint64_t lost[ET_CAUSE_END];
} cases[] = {
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

	{ "gap", gap,
	  FORKED("100") LOST("195", "200", "1", "3", "1") LOST("195", "200", "1", "1", "2")
	  FORKED("200"), { [ET_CAUSE_RING_FULL] = 3, [ET_CAUSE_BUSY] = 1 } },
	{ "gap before the first", gap_at_the_start,
	  LOST("195", "200", "0", "2", "1") FORKED("200"), { [ET_CAUSE_RING_FULL] = 2 } },
	{ "not followed: no gap", not_followed,
	  LOST("200", "200", "0", "2", "3") FORKED("200"), { [ET_CAUSE_FOLLOW_FULL] = 2 } },
	{ "counters come round", counter_wraps,
	  LOST("95", "100", "0", "4294967295", "1") FORKED("100")
	  LOST("195", "200", "0", "2", "1") FORKED("200"),
	  { [ET_CAUSE_RING_FULL] = 0x100000001 } },
	{ "parts broken off", parts_broken_off,
	  LOST("195", "200", "0", "1", "1") FORKED("200"), { [ET_CAUSE_RING_FULL] = 1 } },
	{ "parts broken off at the end", parts_broken_off_at_the_end,
	  LOST("150", "300", "0", "1", "1"), { [ET_CAUSE_RING_FULL] = 1 } },
	{ "lost at the end", lost_at_the_end,
	  FORKED("100") LOST("195", "200", "0", "1", "1") LOST("195", "200", "0", "1", "3")
	  FORKED("200") LOST("250", "300", "0", "3", "1") LOST("250", "300", "0", "1", "2")
	  LOST("250", "300", "0", "2", "3"),
	  { [ET_CAUSE_RING_FULL] = 4, [ET_CAUSE_BUSY] = 1, [ET_CAUSE_FOLLOW_FULL] = 3 } },
	{ "sent but not seen", sent_but_not_seen,
	  FORKED("100") LOST("100", "300", "0", "2", "5"), { [ET_CAUSE_UNREADABLE] = 2 } },

	{ "shorter than a head", bad_short, BAD_AT("0"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "another size than it says", bad_size, FORKED("100") BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "unknown kind", bad_kind, BAD_AT("0"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "no such cpu", bad_cpu, BAD_AT("0"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "seq stands still", bad_seq, FORKED("100") BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "fork with a tail", bad_fork_tail, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "short exit", bad_exit_short, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "short identity", bad_identity_short, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "unknown flag of an identity", bad_identity_flag, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "inode that no column holds", bad_identity_inode, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "duration that no column holds", bad_duration, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "faults that no column holds", bad_faults, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "filename longer than all", bad_filename_len, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "NUL in filename", bad_filename_nul, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "filename in no span", bad_filename_in_no_span, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "empty piece in a path", bad_path_empty_piece, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "path without NUL", bad_path_no_nul, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "more pointers than bytes", bad_span_argc, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "pointer out of the span", bad_span_pointer, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "span without NUL", bad_span_no_nul, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "part of nothing", bad_more_alone, BAD_AT("0"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "missing part", bad_more_part, BAD_AT("100") FORKED("200"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "environment", env_whole, FAILED("argv=[] errno=2 env=[A=1||no name|A=\xff=2|]"), { 0 } },
	{ "empty environment", env_none, FAILED("argv=[] errno=2 env=[]"), { 0 } },
	{ "environment in parts, cut", env_parts_cut,
	  FORKED("101") FAILED("argv=[] errno=2 env=[A=one|B=two|C=thr|] env_count=9 env_bytes=300 "
			       "env_truncated=1"), { 0 } },
	{ "unreadable environment", env_unreadable, FAILED("argv=[] errno=2 env_unreadable=1"),
	  { 0 } },
	{ "environment, by name", env_named,
	  FAILED("argv=[] errno=2 env=[PATH=/bin|LD_=1|LD_A=2|AX=3|] env_count=8 env_bytes=90 "
		 "env_truncated=1"), { 0 } },
	{ "all of the environment", env_all,
	  FAILED("argv=[] errno=2 env=[A=1||no name|A=\xff=2|]"), { 0 } },
	{ "short environment", bad_env_short, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "environment of an exit", bad_env_of_exit, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "nothing but environment", bad_env_first, BAD_AT("0"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "argv behind the environment", bad_env_and_argv, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "endless parts", bad_more_endless, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
};

/* What the callback returns comes back, and the decoder is still usable. */
static int stop(void *ctx, struct et_event *ev)
{
	(void)ev;
	return *(const int *)ctx;
}

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

/* Any bytes at all: nothing but what is in the record may be read. */
static void check_mutations(void)
{
	static void (*const makers[])(struct decoder *d) = {
		exec_full, exec_cut, exec_parts, fail_span, fail_span_named, exit_code, gap,
		env_parts_cut, env_named,
	};
	int code = 0;
	struct decoder *scratch = decoder_new(CPUS, PAGE_SIZE, stop, &code);
	struct decoder *d = decoder_new(CPUS, PAGE_SIZE, stop, &code);
	uint64_t random = 88172645463325252u;

	for (unsigned i = 0; i < 200000; i++) {
		uint8_t *exact;

		makers[i % (sizeof(makers) / sizeof(makers[0]))](scratch);
		for (unsigned change = 0; change < 1 + i % 3; change++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			record[random % record_len] = (uint8_t)(random >> 32);
		}
		if (random % 4 == 0)
			record_len -= random / 4 % record_len;
		if (record_len >= sizeof(struct wire_head) && random % 8)
			memcpy(record, &(uint32_t){ (uint32_t)record_len }, sizeof(uint32_t));
		/* Of its own size, so that the sanitizer sees where it ends. */
		exact = malloc(record_len);
		CHECK(exact != NULL);
		if (!exact)
			break;
		memcpy(exact, record, record_len);
		CHECK(decode_record(d, exact, record_len) == 0);
		free(exact);
	}
	decoder_free(d);
	decoder_free(scratch);
}

/* Which names of variables a list asks for. */
static void check_names(void)
{
	static const struct {
		const char *names, *string;
		bool match;
	} table[] = {
		{ "all", "", true },
		{ "A", "A=1", true },
		{ "A", "A", true },
		{ "A", "AB=1", false },
		{ "AB", "A=1", false },
		{ "A,B", "B=", true },
		{ "A,B", "A,B=", false },
		{ "*", "=C:=x", true },
		{ "*A*B", "AB", true },
		{ "*A*B", "xAxxAyB=", true },
		{ "*A*B", "BA=AB", false },
		{ "A*A", "A", false },
		{ "L*_PATH", "LD_PATH_PATH=1", true },
		{ "L*_PATH", "LD_PATHS=_PATH", false },
	};
	static const char *const invalid[] = { "", ",", "A,", ",A", "A,,B", "A=1", "A,B=" };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_CASE(table[i].names, envnames_match(table[i].names, table[i].string,
							  strlen(table[i].string)) == table[i].match);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		CHECK_CASE(invalid[i], !envnames_valid(invalid[i]));
	CHECK(envnames_valid("all") && envnames_valid("A,LD_*"));
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decoder *d = decoder_new(CPUS, PAGE_SIZE, take_event, NULL);
		uint64_t sum = 0;

		seen_len = lost_told = 0;
		seen[0] = '\0';
		cases[i].run(d);
		CHECK_CASE(cases[i].name, !strcmp(seen, cases[i].events));
		if (strcmp(seen, cases[i].events))
			fprintf(stderr, "have:\n%swant:\n%s", seen, cases[i].events);
		for (unsigned cause = 0; cause < ET_CAUSE_END; cause++) {
			CHECK_CASE(cases[i].name, decode_lost(d)[cause] == cases[i].lost[cause]);
			sum += decode_lost(d)[cause];
		}
		CHECK_CASE(cases[i].name, sum == lost_told);
		decoder_free(d);
	}
	check_names();
	check_stop();
	check_mutations();
	return check_result();
}
