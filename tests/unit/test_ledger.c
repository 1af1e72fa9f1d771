/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of segments, each with gaps, broken records or an early end of its own, read in
 * turns at random: every row that some copy has is taken exactly once, and what is
 * missing is what no copy has.
 */
#include "check.h"

#include <ledger.h>

#include <stdlib.h>
#include <string.h>

#define RECORDS 60
#define COPIES 4

static uint32_t seed = 7;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

enum state { WHOLE, GONE, BROKEN };

struct copy {
	enum state records[RECORDS];
	unsigned n;		/* then it ends, */
	bool ended;		/* with END */
	unsigned at;
	size_t segment;
};

/* A record of so many rows, of which the first is the seq-th; one in three rows is of kind lost. */
static struct et_record record(unsigned type, uint64_t seq, uint32_t rows)
{
	struct et_record rec = { .type = type, .seq = seq, .rows = rows, .at = seq * 100,
				 .ts_min = seq, .ts_max = seq + (rows ? rows - 1 : 0), .n_clocks = 1 };

	rec.kinds[ET_LOST] = rows / 3;
	rec.kinds[ET_EXEC] = rows - rows / 3;
	memcpy(rec.file_id, "file id.", 8);
	rec.started = (struct et_clock){ 1, 1 };
	return rec;
}

static struct et_record end_record(const uint32_t *rows)
{
	struct et_record rec = record(ET_REC_END, 0, 0);

	for (unsigned i = 0; i < RECORDS; i++) {
		rec.seq += rows[i];
		rec.kinds[ET_LOST] += rows[i] / 3;
		rec.kinds[ET_EXEC] += rows[i] - rows[i] / 3;
	}
	return rec;
}

static void make_copy(struct copy *c, unsigned worse)
{
	c->n = rnd(3) ? RECORDS : rnd(RECORDS);
	c->ended = c->n == RECORDS && rnd(2);
	c->at = 0;
	for (unsigned i = 0; i < RECORDS; i++)
		c->records[i] = rnd(10) >= worse ? WHOLE : rnd(2) ? GONE : BROKEN;
}

/* Reads on in a copy, to its next record. */
static void step(struct ledger *l, struct copy *c, const uint32_t *rows, const uint64_t *seq, unsigned *taken)
{
	struct et_record rec;

	if (c->at == c->n) {
		rec = end_record(rows);
		if (c->ended)
			CHECK(ledger_record(l, c->segment, &rec, rec.at, false));
		ledger_left(l, c->segment, 9, false);
		c->at++;
		return;
	}
	if (c->records[c->at] != GONE) {
		rec = record(ET_REC_CHUNK, seq[c->at], rows[c->at]);
		if (ledger_record(l, c->segment, &rec, rec.at, false)) {
			struct ledger_rows last = { rec.seq, rec.at, rec.rows, rec.kinds[ET_LOST],
						    (int64_t)rec.ts_min, (int64_t)rec.ts_max };

			if (c->records[c->at] == BROKEN)
				ledger_failed(l, c->segment, &last);
			else
				taken[c->at]++;
		}
	}
	c->at++;
}

/* Events in records that no copy has, as far as it is known that they were there. */
static uint64_t missing_events(const struct copy *copies, unsigned n, const uint32_t *rows, const unsigned *taken,
			       bool *unsure)
{
	uint64_t missing = 0;
	unsigned known = 0;
	bool ended = false;

	*unsure = false;
	for (unsigned k = 0; k < n; k++) {
		for (unsigned i = 0; i < copies[k].n; i++)
			if (copies[k].records[i] != GONE && known <= i)
				known = i + 1;
		ended |= copies[k].ended;
	}
	if (ended)
		known = RECORDS;
	for (unsigned i = 0; i < known; i++) {
		missing += taken[i] ? 0 : rows[i] - rows[i] / 3;
		/* Without END a gap does not tell of which kinds its rows were. */
		*unsure |= !taken[i] && !ended && rows[i] / 3;
	}
	return missing;
}

static void run(unsigned n, unsigned worse, bool in_turns)
{
	uint32_t rows[RECORDS];
	uint64_t seq[RECORDS];
	unsigned taken[RECORDS] = { 0 }, left = n;
	struct et_record header = record(ET_REC_FILE, 0, 0);
	struct et_reader_stats st = { 0 };
	struct ledger *l = ledger_new();
	struct copy copies[COPIES];
	uint64_t missing;
	bool unsure;

	for (unsigned i = 0; i < RECORDS; i++) {
		rows[i] = 1 + rnd(9);
		seq[i] = i ? seq[i - 1] + rows[i - 1] : 0;
	}
	for (unsigned k = 0; k < n; k++) {
		make_copy(&copies[k], worse);
		copies[k].segment = ledger_segment(l, &header, NULL);
		CHECK(copies[k].segment == 0);
	}
	while (left) {
		unsigned k = in_turns ? rnd(n) : n - left;

		if (copies[k].at > copies[k].n)
			continue;
		step(l, &copies[k], rows, seq, taken);
		left -= copies[k].at > copies[k].n;
	}
	for (unsigned i = 0; i < RECORDS; i++) {
		bool there = false;

		for (unsigned k = 0; k < n; k++)
			there |= i < copies[k].n && copies[k].records[i] == WHOLE;
		CHECK(taken[i] == there);
	}
	ledger_stats(l, &st);
	missing = missing_events(copies, n, rows, taken, &unsure);
	CHECK(unsure ? st.missing >= missing : st.missing == missing);
	missing = 0;
	for (unsigned k = 0; k < n; k++)
		missing |= copies[k].ended;
	CHECK(st.unclean == !missing && !l->over);
	ledger_free(l);
}

/* Which of them are there, whatever their order. */
static void numbers(void)
{
	static const struct {
		const char *given;	/* a letter for each recording, a digit for the segment */
		const char *found;
	} cases[] = {
		{ "", "" },
		{ "a3", "a3-3" },
		{ "a1 a2 a3", "a1-3" },
		{ "a3 a1 a2", "a1-3" },
		{ "a5 a1 a2 b7", "a1-2 > a5-5 b7-7" },
		{ "b1 a9 b3 a1 b5", "a1-1 > a9-9 b1-1 > b3-3 > b5-5" },
		{ "a1 a1 a2", "a1-2*" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ledger *l = ledger_new();
		struct ledger_series *v;
		char found[200] = "";
		unsigned given = 0;
		size_t n;

		for (const char *p = cases[i].given; *p; p += p[2] ? 3 : 2) {
			struct et_record rec = record(ET_REC_FILE, 0, 0);

			rec.file_id[0] = (uint8_t)given++;
			rec.has_series = true;
			memset(rec.series, p[0], sizeof(rec.series));
			rec.number = (uint64_t)(p[1] - '0');
			ledger_segment(l, &rec, NULL);
		}
		CHECK(!ledger_series(l, &v, &n));
		for (size_t k = 0; k < n; k++)
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%c%d-%d%s%s",
				 k && !v[k - 1].goes_on ? " " : "", v[k].id[0], (int)v[k].first,
				 (int)v[k].last, v[k].twice ? "*" : "", v[k].goes_on ? " > " : "");
		CHECK_CASE(found, !strcmp(found, cases[i].found));
		free(v);
		ledger_free(l);
	}
}

/* More than it keeps apart: then it says so, and what the reader counted stands. */
static void too_many(void)
{
	struct ledger *l = ledger_new();
	struct et_reader_stats st = { .missing = 5, .unclean = 6 };

	for (uint32_t i = 0; i <= LEDGER_SEGMENTS; i++) {
		struct et_record rec = record(ET_REC_FILE, 0, 0);

		memcpy(rec.file_id, &i, sizeof(i));
		CHECK((ledger_segment(l, &rec, NULL) == LEDGER_NONE) == (i == LEDGER_SEGMENTS));
	}
	CHECK(l->over);
	ledger_stats(l, &st);
	CHECK(st.missing == 5 && st.unclean == 6);
	ledger_free(l);
}

int main(void)
{
	for (unsigned i = 0; i < 4000; i++) {
		run(1 + i % COPIES, i % 7, false);
		run(1 + i % COPIES, i % 7, true);
	}
	numbers();
	too_many();
	return check_result();
}
