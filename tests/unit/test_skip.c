/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Passing over records by their heads changes nothing: for random captures and
 * random filters, no row of a record that cannot match does, and all rows of one
 * that matches as a whole do. Heads that lie are noticed by the same check.
 */
#include "check.h"
#include "events.h"
#include "filter.h"
#include "memory_io.h"

#define SECOND 1000000000ull
#define OFFSET 1790000000000000000ll
#define RECORDS 40

static const char *const comms[] = { "sh", "make", "cc1", "ld", "a b", "", "\xff\xfe", "kworker/0:1", "sed", "grep" };

#define COMMS (sizeof(comms) / sizeof(comms[0]))

/* ---- Captures -------------------------------------------------------------------- */

static void maybe_text(struct et_event *ev, enum et_field_id id, const char *text)
{
	if (rng() % 8)
		et_set_str(ev, id, text, (uint32_t)strlen(text));
}

static void maybe_uint(struct et_event *ev, enum et_field_id id, uint64_t v)
{
	if (rng() % 8)
		et_set_uint(ev, id, v);
}

/* Each record has pids, users and names of its own, so that there is something to pass over. */
struct domain {
	uint64_t pid, pids, uid, uids;
	unsigned comm, n_comms;
};

static void make_event(struct et_event *ev, unsigned kind, uint64_t ts, const struct domain *d)
{
	static const char *const paths[] = { "/usr/bin/sed", "/bin/sh", "/usr/bin/make" };
	static const char list[] = "cc1\0-o\0file\0", nothing[] = "";

	*ev = (struct et_event){ .realtime = OFFSET + (ts > 500 * SECOND ? -(int64_t)(100 * SECOND) : 0) };
	et_set_uint(ev, ET_F_KIND, kind);
	et_set_uint(ev, ET_F_TS, ts);
	if (kind == ET_LOST) {
		if (rng() % 3)
			et_set_uint(ev, ET_F_UNTIL, ts + rng() % (60 * SECOND));
		et_set_uint(ev, ET_F_COUNT, 1);
		return;
	}
	et_set_uint(ev, ET_F_PID, d->pid + rng() % d->pids);
	maybe_uint(ev, ET_F_PPID, 1 + rng() % 30);
	maybe_uint(ev, ET_F_UID, d->uid + rng() % d->uids);
	maybe_uint(ev, ET_F_GID, d->uid + rng() % d->uids);
	maybe_text(ev, ET_F_COMM, comms[(d->comm + rng() % d->n_comms) % COMMS]);
	if (kind == ET_EXEC || kind == ET_FAIL)
		maybe_text(ev, ET_F_FILENAME, paths[rng() % 3]);
	if (kind == ET_EXEC || kind == ET_PROC)
		maybe_text(ev, ET_F_EXE, paths[rng() % 3]);
	if (kind != ET_FORK && kind != ET_EXIT && rng() % 2) {
		ev->known |= 1ull << ET_F_ARGV;
		ev->v[ET_F_ARGV].l = rng() % 4 ? (struct et_list){ list, sizeof(list) - 1, 3 } :
						 (struct et_list){ nothing, 1, 1 };
	}
	if (kind == ET_EXIT)
		maybe_uint(ev, ET_F_EXIT_CODE, rng() % 4);
}

static void write_capture(struct sink *sink)
{
	static const struct et_name names[] = { { 0, false, { "root", 4 } }, { 3, false, { "ann", 3 } },
						{ 2, true, { "staff", 5 } } };
	static const uint64_t lost[ET_CAUSE_END];
	const struct et_writer_options opt = { .program = "test", .level = 1 };
	struct et_batch *b = et_batch_new();
	struct et_io io = sink_io(sink);
	uint64_t ts = 100 * SECOND;
	struct et_writer *w;

	CHECK(!et_writer_open(&io, &opt, &w, NULL));
	CHECK(!et_writer_names(w, ET_REC_USERS, names, 3, NULL));
	for (unsigned i = 0; i < RECORDS; i++) {
		static const unsigned types[] = { ET_REC_CHUNK, ET_REC_CHUNK, ET_REC_CHUNK, ET_REC_CHUNK,
						  ET_REC_PROC, ET_REC_LOST };
		unsigned type = types[rng() % 6], rows = 1 + (unsigned)(rng() % 40), one = (unsigned)(rng() % 8);
		struct domain d = { 1 + rng() % 60, 1 + rng() % 40, rng() % 6, 1 + rng() % 3,
				    (unsigned)(rng() % COMMS), 1 + (unsigned)(rng() % 4) };

		et_batch_reset(b);
		for (unsigned row = 0; row < rows; row++) {
			/* Some chunks are of one kind alone. */
			unsigned kind = type == ET_REC_PROC ? ET_PROC : type == ET_REC_LOST ? ET_LOST :
					one >= 1 && one <= 4 ? one : 1 + (unsigned)(rng() % 4);
			struct et_event ev;

			ts += rng() % SECOND;
			make_event(&ev, kind, ts - rng() % (SECOND / 2), &d);
			CHECK(!et_batch_add(b, &ev, NULL));
		}
		CHECK(!et_writer_batch(w, type, b, lost, NULL));
	}
	et_writer_close(w);
	et_batch_free(b);
}

/* ---- Filters ---------------------------------------------------------------------- */

static struct moment random_time(void)
{
	int64_t ns = OFFSET + (int64_t)(rng() % (1000 * SECOND));

	return (struct moment){ .form = MOMENT_WALL, .zoned = true, .ns = ns };
}

static void add_numbers(struct filter *f, enum filter_number which, const char *name, uint64_t below)
{
	struct reason why;
	char list[80];
	int len = 0;

	for (unsigned i = 0; i <= rng() % 3; i++)
		len += snprintf(list + len, sizeof(list) - (size_t)len, "%s%llu", i ? "," : "",
				(unsigned long long)(rng() % below));
	if (name && rng() % 3 == 0)
		snprintf(list + len, sizeof(list) - (size_t)len, ",%s", name);
	CHECK(!filter_add_numbers(f, which, list, &why));
}

static void add_match(struct filter *f)
{
	static const char *const numbers[] = { "pid", "ppid", "uid", "gid", "exit_code", "cpu", "count" };
	static const char *const others[] = { "uid=ann", "gid=staff,3..", "comm=sh", "comm=make,l?", "comm=a b", "comm=",
					      "comm=\\sh", "comm=not there", "exe=sed", "argv=-o", "kind=exec,lost",
					      "filename=sh", "core", "core=no", "exe_memfd", "until=1..", "tty=*" };
	unsigned long long low = rng() % 60, high = low + rng() % 9;
	struct reason why;
	char text[80];

	snprintf(text, sizeof(text), rng() % 2 ? "%s=%llu..%llu" : "%s=%llu,%llu", numbers[rng() % 7], low, high);
	CHECK(!filter_add_match(f, rng() % 2 ? text : others[rng() % 17], &why));
}

/* Every option, alone and together. */
static struct filter random_filter(void)
{
	static const char *const globs[] = { "sh", "make", "cc1", "s*", "*", "a b", "", "[ck]*", "not there",
					     "\\sh", "l?", "\xff\xfe" };
	static const char *const exes[] = { "sed", "/usr/bin/*", "*", "nothing", "/bin/sh" };
	static const char *const args[] = { "-o", "f*", "", "cc1", "none" };
	static const char *const kinds[] = { "exec", "fail", "fork,exit", "proc", "lost", "exec,lost", "exit" };
	unsigned pick = (unsigned)rng(), few = rng() % 3 ? 6 : 2;
	struct filter f = { 0 };
	struct reason why;

#define SOMETIMES ((pick = pick / 2 ^ (unsigned)rng()) % few == 0)
	if (SOMETIMES)
		add_numbers(&f, FILTER_UID, rng() % 2 ? "ann" : "root", 8);
	if (SOMETIMES)
		add_numbers(&f, FILTER_GID, "staff", 8);
	if (SOMETIMES)
		add_numbers(&f, FILTER_PID, NULL, 110);
	if (SOMETIMES)
		add_numbers(&f, FILTER_PPID, NULL, 33);
	if (SOMETIMES)
		add_numbers(&f, FILTER_EXIT_CODE, NULL, 5);
	for (unsigned i = 0; SOMETIMES && i < 3; i++)
		CHECK(!filter_add_glob(&f, FILTER_COMM, globs[rng() % 12], &why));
	if (SOMETIMES)
		CHECK(!filter_add_glob(&f, FILTER_EXE, exes[rng() % 5], &why));
	if (SOMETIMES)
		CHECK(!filter_add_glob(&f, FILTER_ARG, args[rng() % 5], &why));
	for (unsigned i = 0; SOMETIMES && i < 2; i++)
		add_match(&f);
	for (unsigned i = 0; SOMETIMES && i < 2; i++)
		CHECK(!filter_add_kinds(&f, kinds[rng() % 7], &why));
	if (SOMETIMES)
		f.outcomes |= rng() % 2 ? ET_KIND_BIT(ET_FAIL) : ET_KIND_BIT(ET_EXEC);
	if (SOMETIMES)
		f.unasked |= rng() % 2 ? ET_KIND_BIT(ET_LOST) : ET_KIND_BIT(ET_PROC);
	f.has_since = SOMETIMES;
	f.has_until = SOMETIMES;
	f.since = random_time();
	f.until = random_time();
#undef SOMETIMES
	return f;
}

/* ---- The check -------------------------------------------------------------------- */

struct tally {
	uint64_t records, passed_over, whole, selected, contradictions;
};

/* The head's word against the columns'. head: what is believed; rec: what is true. */
static void compare(struct filter_scope *s, const struct et_record *head, const struct et_record *rec,
		    struct et_chunk *c, struct tally *t)
{
	static struct filter_scratch scratch;
	static uint8_t selected[64];
	bool may = scope_may_match(s, head), all = scope_matches_all(s, head);
	struct et_error err;
	uint32_t n = 0;

	CHECK(rec->rows < sizeof(selected) && !scope_select(s, &scratch, rec, c, selected, &err));
	for (uint32_t i = 0; i < rec->rows; i++)
		n += selected[i];
	t->records++;
	t->passed_over += !may;
	t->whole += all;
	t->selected += n;
	t->contradictions += (!may && n) || (all && n != rec->rows);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* True statistics of a column for which this writer writes none. */
static void add_stat(struct et_record *rec, struct et_chunk *c, unsigned column)
{
	struct et_stat *st = &rec->stats[rec->n_stats];
	const uint64_t *v;
	uint64_t known[64];
	unsigned n = 0, distinct = 0;

	CHECK(!et_chunk_uints(c, column, &v, NULL));
	for (uint32_t i = 0; i < rec->rows; i++)
		if (v[i] != ET_NONE)
			known[n++] = v[i];
	if (!n || rec->n_stats == ET_STATS_MAX)
		return;
	qsort(known, n, sizeof(known[0]), compare_u64);
	*st = (struct et_stat){ .column = (uint8_t)column, .min = known[0], .max = known[n - 1] };
	for (unsigned i = 0; i < n; i++) {
		if (i && known[i] == known[i - 1])
			continue;
		if (distinct < 16)
			st->set[distinct] = known[i];
		distinct++;
	}
	st->n = distinct <= 16 && rng() % 2 ? (uint8_t)distinct : 0;
	rec->n_stats++;
}

/* ---- Heads that lie ---------------------------------------------------------------- */

static void narrow_stats(struct et_record *rec)
{
	for (unsigned i = 0; i < rec->n_stats; i++) {
		struct et_stat *st = &rec->stats[i];

		if (st->n > 1)
			st->n--;
		else if (!st->n && st->max > st->min)
			st->max--;
	}
}

static void drop_comm(struct et_record *rec)
{
	if (rec->has_comms && rec->comms.len > 2)
		rec->comms.len -= 2;
}

static void swap_kinds(struct et_record *rec)
{
	uint64_t n = rec->kinds[ET_EXEC];

	rec->kinds[ET_EXEC] = rec->kinds[ET_EXIT];
	rec->kinds[ET_EXIT] = n;
}

static void narrow_time(struct et_record *rec)
{
	rec->ts_max -= (rec->ts_max - rec->ts_min) / 2;
}

static void other_clock(struct et_record *rec)
{
	rec->clocks[rec->n_clocks - 1].offset += (int64_t)SECOND;
}

static const struct lie {
	const char *label;
	void (*tell)(struct et_record *rec); /* NULL: the truth */
} lies[] = {
	{ "the truth", NULL },		    { "narrowed statistics", narrow_stats },
	{ "a name that is missing", drop_comm }, { "other kinds", swap_kinds },
	{ "narrowed times", narrow_time },  { "another wall clock", other_clock },
};

#define LIES (sizeof(lies) / sizeof(lies[0]))

static void compare_all(const struct sink *sink, unsigned filters, struct tally t[LIES])
{
	struct et_context *names = et_context_new();
	struct et_record rec;
	struct et_reader *r;
	struct et_io io;

	CHECK(!et_io_memory(sink->data, sink->len, &io));
	CHECK(!et_reader_open(&io, NULL, NULL, &r, NULL));
	while (!et_reader_next(r, &rec, NULL)) {
		char comms_copy[2048];
		struct et_chunk *c;

		et_context_take(names, r, &rec, NULL);
		if (!rec.rows)
			continue;
		/* The next call on the reader takes the list away. */
		CHECK(rec.comms.len <= sizeof(comms_copy));
		if (rec.comms.len)
			memcpy(comms_copy, rec.comms.ptr, rec.comms.len);
		rec.comms.ptr = comms_copy;
		CHECK(!et_reader_chunk(r, &c, NULL));
		if (rec.type != ET_REC_LOST && rng() % 2) {
			add_stat(&rec, c, ET_F_PPID);
			add_stat(&rec, c, ET_F_GID);
			if (rec.type == ET_REC_CHUNK)
				add_stat(&rec, c, ET_F_EXIT_CODE);
		}
		for (unsigned i = 0; i < filters; i++) {
			struct filter f = random_filter();
			struct filter_scope s = { 0 };

			CHECK(!scope_bind(&s, &f, names));
			scope_bind_times(&s, &f, 0, 0);
			for (size_t k = 0; k < LIES; k++) {
				struct et_record head = rec;

				if (lies[k].tell)
					lies[k].tell(&head);
				compare(&s, &head, &rec, c, &t[k]);
			}
			scope_free(&s);
			filter_free(&f);
		}
		et_chunk_free(c);
	}
	et_reader_close(r);
	et_context_free(names);
}

int main(void)
{
	struct tally t[LIES] = { 0 };

	for (unsigned round = 0; round < 40; round++) {
		struct sink sink = { 0 };

		write_capture(&sink);
		compare_all(&sink, 60, t);
		free(sink.data);
	}
	for (size_t i = 0; i < LIES; i++) {
		printf("%-24s %llu heads: %llu passed over, %llu whole, %llu contradicted\n", lies[i].label,
		       (unsigned long long)t[i].records, (unsigned long long)t[i].passed_over,
		       (unsigned long long)t[i].whole, (unsigned long long)t[i].contradictions);
		CHECK_CASE(lies[i].label, (t[i].contradictions > 0) == (i > 0));
		CHECK_CASE(lies[i].label, t[i].passed_over > t[i].records / 10 && t[i].whole > t[i].records / 50);
	}
	CHECK(t[0].selected > 10000);
	return check_result();
}
