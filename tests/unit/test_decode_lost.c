/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not in the ring, or nobody can read: rows of kind lost, each loss once. */
#include "records.h"

/* ---- Losses ------------------------------------------------------------------------ */

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

/* Beside a full ring: each has numbers of its own. */
static void shed(struct decoder *d)
{
	fork_at(d, 1, 1, 100);
	begin_lost(1, WIRE_FORK, 0, 8, 200, 2, 0, 0);
	set_shed(4);
	feed(d);
	begin_lost(1, WIRE_FORK, 0, 9, 300, 2, 0, 0);
	set_shed(4);
	feed(d);
}

/* More than there are numbers for. */
static void bad_shed(struct decoder *d)
{
	fork_at(d, 0, 1, 100);
	begin(0, WIRE_FORK, 0, 3, 200);
	set_shed(2);
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
	struct wire_counters c = { .sent = 2, .lost = { 4, 1, 3, 5 }, .lost_since = 250 };

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

/* ---- Bad records -------------------------------------------------------------------- */

static void bad_short(struct decoder *d)
{
	decode_record(d, "abc", 3);
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

static void bad_exit_short(struct decoder *d)
{
	begin(0, WIRE_EXIT, 0, 1, 100);
	ADD("abc");
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

/* ---- The table ----------------------------------------------------------------------- */

static const struct decode_case cases[] = {
	{ "gap", gap,
	  FORKED("100") LOST("195", "200", "1", "3", "1") LOST("195", "200", "1", "1", "2")
	  FORKED("200"), { [ET_CAUSE_RING_FULL] = 3, [ET_CAUSE_BUSY] = 1 } },
	{ "gap before the first", gap_at_the_start,
	  LOST("195", "200", "0", "2", "1") FORKED("200"), { [ET_CAUSE_RING_FULL] = 2 } },
	{ "not followed: no gap", not_followed,
	  LOST("200", "200", "0", "2", "3") FORKED("200"), { [ET_CAUSE_FOLLOW_FULL] = 2 } },
	{ "shed", shed,
	  FORKED("100") LOST("195", "200", "1", "2", "1") LOST("195", "200", "1", "4", "8")
	  FORKED("200") FORKED("300"), { [ET_CAUSE_RING_FULL] = 2, [ET_CAUSE_SHED] = 4 } },
	{ "more shed than are missing", bad_shed, FORKED("100") BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
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
	  LOST("250", "300", "0", "2", "3") LOST("250", "300", "0", "5", "8"),
	  { [ET_CAUSE_RING_FULL] = 4, [ET_CAUSE_BUSY] = 1, [ET_CAUSE_FOLLOW_FULL] = 3,
	    [ET_CAUSE_SHED] = 5 } },
	{ "sent but not seen", sent_but_not_seen,
	  FORKED("100") LOST("100", "300", "0", "2", "5"), { [ET_CAUSE_UNREADABLE] = 2 } },
	{ "shorter than a head", bad_short, BAD_AT("0"), { [ET_CAUSE_UNREADABLE] = 1 } },
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
	{ "endless parts", bad_more_endless, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
};

static void (*const makers[])(struct decoder *d) = {
	gap, lost_at_the_end, bad_span_pointer,
};

int main(void)
{
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
	check_mutations(makers, sizeof(makers) / sizeof(makers[0]));
	return check_result();
}
