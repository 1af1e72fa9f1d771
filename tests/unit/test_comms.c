/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashes of process names in a record's head: none that the record has is ever
 * denied, most others are, and more than 1,024 are left out.
 */
#include "check.h"
#include "comms.h"
#include "events.h"
#include "memory_io.h"

#include <zlib.h>

static void add(struct et_batch *b, unsigned kind, uint64_t ts, const char *comm, uint32_t len)
{
	struct et_event ev = { 0 };

	et_set_uint(&ev, ET_F_KIND, kind);
	et_set_uint(&ev, ET_F_TS, ts);
	if (comm)
		et_set_str(&ev, ET_F_COMM, comm, len);
	CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
}

/* The head of the batch as a reader gets it; with is called while it holds. */
static void with_record(const struct et_batch *b, void (*with)(const struct et_record *, void *),
			void *ctx)
{
	static const uint64_t lost[ET_CAUSE_END];
	const struct et_writer_options opt = { .program = "test" };
	struct sink sink = { 0 };
	struct et_io io = sink_io(&sink);
	struct et_record rec = { 0 };
	struct et_writer *w;
	struct et_reader *r;

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	CHECK(et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) == ET_OK);
	et_writer_close(w);
	CHECK(et_io_memory(sink.data, sink.len, &io) == ET_OK);
	CHECK(et_reader_open(&io, NULL, NULL, &r, NULL) == ET_OK);
	while (!rec.rows && et_reader_next(r, &rec, NULL) == ET_OK)
		;
	CHECK(rec.rows);
	with(&rec, ctx);
	et_reader_close(r);
	free(sink.data);
}

#define NAMES 2000

struct names {
	unsigned n;
	uint32_t len[NAMES];
	char text[NAMES][16];
};

static void check_names(const struct et_record *rec, void *ctx)
{
	const struct names *names = ctx;
	unsigned denied = 0, asked = 0;

	CHECK(rec->has_comms && !(rec->comms.len % 2) && rec->comms.len <= 2 * names->n);
	for (unsigned i = 0; i < names->n; i++)
		CHECK(et_record_has_comm(rec, names->text[i], names->len[i]));
	for (unsigned i = 0; i < 500; i++) {
		char other[32];
		int len = snprintf(other, sizeof(other), "another%u", i);

		asked++;
		denied += !et_record_has_comm(rec, other, (size_t)len);
	}
	/* Of 65,536 hashes at most 1,024 are there. */
	CHECK(denied > asked * 9 / 10);
}

static void test_no_false_negative(void)
{
	struct et_batch *b = et_batch_new();

	for (unsigned round = 0; round < 60; round++) {
		struct names names = { .n = 1 + (unsigned)(rng() % (round % 3 ? 30 : COMMS_MAX)) };

		et_batch_reset(b);
		for (unsigned i = 0; i < names.n; i++) {
			names.len[i] = (uint32_t)(rng() % 16);
			for (unsigned k = 0; k < names.len[i]; k++)
				names.text[i][k] = (char)(1 + rng() % 255);
			/* Other strings in between; a path is none of the names. */
			add(b, 1 + rng() % 4, i, names.text[i], names.len[i]);
			if (rng() % 2)
				add(b, ET_EXIT, i, NULL, 0);
		}
		with_record(b, check_names, &names);
	}
	et_batch_free(b);
}

static void check_listed(const struct et_record *rec, void *ctx)
{
	CHECK(rec->has_comms == *(const bool *)ctx);
	CHECK(et_record_has_comm(rec, "n7", 2));
	CHECK(et_record_has_comm(rec, "not there", 9) == !rec->has_comms);
}

/* The limit is on different names, not on rows. */
static void test_too_many(void)
{
	struct et_batch *b = et_batch_new();

	for (unsigned n = COMMS_MAX - 1; n <= COMMS_MAX + 2; n++) {
		bool listed = n <= COMMS_MAX;

		et_batch_reset(b);
		for (unsigned i = 0; i < 2 * n; i++) {
			char name[16];
			int len = snprintf(name, sizeof(name), "n%u", i % n);

			add(b, ET_EXEC, i, name, (uint32_t)len);
		}
		with_record(b, check_listed, &listed);
	}
	et_batch_free(b);
}

static void check_none(const struct et_record *rec, void *ctx)
{
	(void)ctx;
	CHECK(rec->has_comms && !rec->comms.len);
	CHECK(!et_record_has_comm(rec, "sh", 2) && !et_record_has_comm(rec, "", 0));
}

/* Other columns' strings, and rows without a name, are not in the list. */
static void test_without(void)
{
	struct et_batch *b = et_batch_new();
	struct et_event ev = { 0 };

	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	et_set_uint(&ev, ET_F_TS, 1);
	et_set_str(&ev, ET_F_FILENAME, "sh", 2);
	CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
	with_record(b, check_none, NULL);
	et_batch_free(b);
}

/* SPEC.md 5.5, and what a list may not be. */
static void test_lists(void)
{
	static const struct {
		const char *label, *bytes;
		size_t len;
		bool ok;
	} cases[] = {
		{ "none", "", 0, true },
		{ "one", "\1\0", 2, true },
		{ "two", "\1\0\2\0", 4, true },
		{ "by the high byte", "\377\0\0\1", 4, true },
		{ "half of one", "\1\0\2", 3, false },
		{ "descending", "\2\0\1\0", 4, false },
		{ "twice", "\1\0\1\0", 4, false },
		{ "descending by the high byte", "\0\1\377\0", 4, false },
	};
	static uint8_t many[2 * (COMMS_MAX + 1)];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].label,
			   comms_ok((const uint8_t *)cases[i].bytes, cases[i].len) == cases[i].ok);
	for (unsigned i = 0; i <= COMMS_MAX; i++) {
		many[2 * i] = (uint8_t)i;
		many[2 * i + 1] = (uint8_t)(i >> 8);
	}
	CHECK(comms_ok(many, 2 * COMMS_MAX) && !comms_ok(many, 2 * (COMMS_MAX + 1)));
	for (unsigned i = 0; i < 0x10000; i += 13)
		CHECK(comms_have(many, 2 * COMMS_MAX, (uint16_t)i) == (i < COMMS_MAX));
	CHECK(comms_hash("", 0) == 0);
	CHECK(comms_hash("bash", 4) == (crc32(0, (const Bytef *)"bash", 4) & 0xffff));
	/* The check value of CRC-32 is CBF43926. */
	CHECK(comms_hash("123456789", 9) == 0x3926);
}

int main(void)
{
	test_no_false_negative();
	test_too_many();
	test_without();
	test_lists();
	return check_result();
}
