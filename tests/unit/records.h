/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * records.h - ring records made by hand, good and bad, and the events that have to
 * come out of them. Events are compared as text, one line each.
 */
#ifndef TESTS_RECORDS_H
#define TESTS_RECORDS_H

#include "check.h"

#include "decode.h"

#include <stdlib.h>
#include <string.h>
#include <wire.h>

#define PAGE_SIZE 4096
#define CPUS 2

static char seen[65536];
static size_t seen_len;
static uint64_t lost_told;

static inline void put(const char *s, size_t n)
{
	if (seen_len + n >= sizeof(seen))
		return;
	memcpy(seen + seen_len, s, n);
	seen_len += n;
	seen[seen_len] = '\0';
}

static inline void put_text(const char *s)
{
	put(s, strlen(s));
}

/* kind name=value ..., in order of field ids; lists as [a|b|]. */
static inline int take_event(void *ctx, struct et_event *ev)
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

static inline void add(const void *data, size_t n)
{
	memcpy(record + record_len, data, n);
	record_len += n;
}

/* A C string literal with all its NULs but the one that C puts behind it. */
#define ADD(literal) add(literal, sizeof(literal) - 1)

static inline void begin_lost(unsigned cpu, enum wire_kind kind, unsigned flags, uint64_t seq, uint64_t ts,
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

static inline void begin(unsigned cpu, enum wire_kind kind, unsigned flags, uint64_t seq, uint64_t ts)
{
	begin_lost(cpu, kind, flags, seq, ts, 0, 0, 0);
}

static inline void begin_more(unsigned cpu, unsigned flags, uint64_t seq, uint16_t part)
{
	begin(cpu, WIRE_MORE, flags, seq, 1);
	memcpy(record + offsetof(struct wire_head, part), &part, sizeof(part));
}

/* Sets in the record at hand how many were shed on its CPU so far. */
static inline void set_shed(uint32_t shed)
{
	memcpy(record + offsetof(struct wire_head, lost[WIRE_LOST_SHED]), &shed, sizeof(shed));
}

static inline int feed(struct decoder *d)
{
	return decode_record(d, record, record_len);
}

static const struct wire_identity identity = {
	.exe_inode = 12, .exe_dev = 5, .login_uid = 20, .session = 21, .pid_ns = 22, .mnt_ns = 23,
	.user_ns = 24, .net_ns = 25, .ns_pid = 26, .tty = "tty3",
};

/* As the kind of the record at hand has it. */
static inline void add_exec(struct wire_exec e)
{
	add(&e, sizeof(e));
	if (record[offsetof(struct wire_head, kind)] == WIRE_EXEC)
		add(&identity, sizeof(identity));
}

static inline void fork_at(struct decoder *d, unsigned cpu, uint64_t seq, uint64_t ts)
{
	begin(cpu, WIRE_FORK, 0, seq, ts);
	feed(d);
}

static inline void exec_identity(struct decoder *d, struct wire_identity w, uint64_t duration)
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

static inline void exit_with(struct decoder *d, struct wire_exit x)
{
	begin(0, WIRE_EXIT, 0, 1, 100);
	add(&x, sizeof(x));
	feed(d);
}

static inline void exec_with(struct decoder *d, struct wire_exec e, const char *strings, size_t n)
{
	begin(0, e.error ? WIRE_FAIL : WIRE_EXEC, WIRE_ARGC_KNOWN, 1, 100);
	e.argv_max = e.argv_max ? e.argv_max : 99;
	add_exec(e);
	add(strings, n);
	feed(d);
}

/* ---- What has to come out of them ----------------------------------------------------- */

#define TASK "pid=10 tid=11 ppid=9 start=7 uid=1 gid=2"
#define FORKED(ts) "fork ts=" ts " pid=10 ppid=9 start=7 uid=1 gid=2 comm=sh\n"
#define FAILED(rest) "fail ts=100 " TASK " comm=sh " rest "\n"
#define LOST(ts, until, cpu, count, cause) \
	"lost ts=" ts " until=" until " cpu=" cpu " count=" count " cause=" cause "\n"
#define BAD_AT(ts) LOST(ts, ts, "0", "1", "5")

struct decode_case {
	const char *name;
	void (*run)(struct decoder *d);
	const char *events;
	uint64_t lost[ET_CAUSE_END];
};

/* The events that have to come out, and what the decoder counts as lost: all that it told of, no more. */
static inline void check_cases(const struct decode_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
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
}

/* Takes an event, and returns the number that ctx points to. */
static inline int stop(void *ctx, struct et_event *ev)
{
	(void)ev;
	return *(const int *)ctx;
}

/* The last records of these, with any bytes at all: nothing but what is in the record may be read. */
static inline void check_mutations(void (*const *makers)(struct decoder *d), size_t n)
{
	int code = 0;
	struct decoder *scratch = decoder_new(CPUS, PAGE_SIZE, stop, &code);
	struct decoder *d = decoder_new(CPUS, PAGE_SIZE, stop, &code);
	uint64_t random = 88172645463325252u;

	for (unsigned i = 0; i < 200000; i++) {
		uint8_t *exact;

		makers[i % n](scratch);
		for (unsigned change = 0; change < 1 + i % 3; change++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			record[random % record_len] = (uint8_t)(random >> 32);
		}
		if (random % 4 == 0)
			record_len -= random / 4 % record_len;
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

#endif
