/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments are found by their FOOTERs, and no forged FOOTER is believed. */
#include "check.h"
#include "memory_io.h"

#include <stdio.h>

#include "record.h"

#define OFFSET 1790000000000000000ll

static const uint64_t none[ET_CAUSE_END];

/* Appends a segment that began at second begin; rows 0: no row records. */
static void add_segment(struct sink *s, uint64_t begin, unsigned rows, bool end)
{
	const struct et_clock first = { begin * 1000000000, OFFSET };
	const struct et_clock last = { (begin + 10) * 1000000000, OFFSET };
	const struct et_writer_options opt = { .program = "test", .started = first };
	struct et_batch *b = et_batch_new();
	struct et_io io = sink_io(s);
	struct et_writer *w;

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	for (unsigned i = 0; i < rows; i++) {
		struct et_event ev = { .realtime = OFFSET };

		et_set_uint(&ev, ET_F_KIND, ET_EXIT);
		et_set_uint(&ev, ET_F_TS, first.ts + i);
		et_set_uint(&ev, ET_F_PID, i);
		CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
		if (i % 10 == 9) {
			CHECK(et_writer_batch(w, ET_REC_CHUNK, b, none, NULL) == ET_OK);
			et_batch_reset(b);
		}
	}
	if (end)
		CHECK(et_writer_end(w, last, none, "test", NULL) == ET_OK);
	et_writer_close(w);
	et_batch_free(b);
}

static int find(const struct sink *s, struct et_segment *out, size_t max, size_t *n)
{
	struct et_io io;
	int rc;

	if (et_io_memory(s->data, s->len, &io))
		return -1;
	rc = et_segments(&io, out, max, n, NULL);
	io.close(io.ctx);
	return rc;
}

static int check(const struct sink *s, struct et_segment *seg)
{
	struct et_io io;
	int rc;

	if (et_io_memory(s->data, s->len, &io))
		return -1;
	rc = et_segment_check(&io, seg, NULL);
	io.close(io.ctx);
	return rc;
}

/* Offset of the nth record of a type in a sink of whole records, from a place on. */
static size_t record_at(const struct sink *s, size_t at, unsigned type, struct frame *f)
{
	while (at < s->len && frame_get(s->data + at, f) && f->type != type)
		at += frame_size(f);
	return at;
}

static void put(struct sink *s, unsigned type, const uint8_t *file_id, const struct buf *head,
		const struct buf *body)
{
	struct frame f = { .type = (uint16_t)type };
	struct buf out = { 0 };

	memcpy(f.file_id, file_id, sizeof(f.file_id));
	record_put(&out, &f, head, body);
	CHECK(!sink_write(s, out.data, out.len));
	buf_free(&out);
}

static void put_footer(struct sink *s, const uint8_t *file_id, uint64_t end_at, uint64_t len)
{
	struct buf head = { 0 };

	buf_varint(&head, TAG_END_AT);
	buf_varint(&head, 8);
	buf_u64(&head, end_at);
	buf_varint(&head, TAG_SEGMENT_LEN);
	buf_varint(&head, 8);
	buf_u64(&head, len);
	put(s, ET_REC_FOOTER, file_id, &head, NULL);
	buf_free(&head);
}

static void finds_what_is_there(void)
{
	struct sink s = { 0 };
	struct et_segment segs[64];
	size_t n = 1, at[64];

	CHECK(find(&s, segs, 64, &n) == ET_OK && n == 0);
	for (unsigned i = 0; i < 64; i++) {
		at[i] = s.len;
		add_segment(&s, 100 + i, i * 7, true);
		CHECK(find(&s, segs, 64, &n) == ET_OK && n == i + 1u);
		if (i == 40)
			CHECK(find(&s, segs, 40, &n) == ET_LIMIT && n == 0);
	}
	for (unsigned i = 0; i < n; i++) {
		CHECK(segs[i].at == at[i]);
		CHECK(segs[i].at + segs[i].size == (i < 63 ? at[i + 1] : s.len));
		CHECK(segs[i].started.ts == (100 + i) * 1000000000ull);
		CHECK(segs[i].started.offset == OFFSET);
		CHECK(segs[i].ended.ts == (110 + i) * 1000000000ull);
		CHECK(check(&s, &segs[i]) == ET_OK);
		CHECK((segs[i].decoded > 0) == (i * 7 >= 10));
	}
	free(s.data);
}

static void all_or_none(void)
{
	static const struct {
		const char *label;
		bool end, tail;
	} cases[] = {
		{ "not ended", false, false },
		{ "a byte behind it", true, true },
	};
	struct et_segment segs[4];
	size_t n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int place = 0; place < 3; place++) {
			struct sink s = { 0 };

			for (int k = 0; k < 3; k++) {
				bool odd = k == place;

				add_segment(&s, 5, 20, !odd || cases[i].end);
				if (odd && cases[i].tail)
					sink_write(&s, "", 1);
			}
			CHECK_CASE(cases[i].label, find(&s, segs, 4, &n) == ET_EOF && n == 0);
			free(s.data);
		}
}

/* A last FOOTER that says something else than there is. */
static void forged(void)
{
	struct et_segment segs[4];
	struct sink good = { 0 };
	struct frame f;
	uint8_t id[8], other[8];
	uint64_t first, len, end, chunk;
	size_t n;

	add_segment(&good, 5, 20, true);
	first = good.len;
	add_segment(&good, 6, 20, true);
	len = good.len - first;
	memcpy(other, good.data + 8, 8);
	memcpy(id, good.data + first + 8, 8);
	end = record_at(&good, first, ET_REC_END, &f) - first;
	chunk = record_at(&good, first, ET_REC_CHUNK, &f) - first;
	const struct {
		const char *label;
		const uint8_t *id;
		uint64_t end_at, len;
		int rc;
	} cases[] = {
		{ "as it was", id, end, len, ET_OK },
		{ "another file", other, end, len, ET_EOF },
		{ "nothing", id, end, 0, ET_EOF },
		{ "itself alone", id, 0, FOOTER_SIZE, ET_EOF },
		{ "less than itself", id, end, FOOTER_SIZE - 1, ET_EOF },
		{ "from a chunk on", id, end - chunk, len - chunk, ET_EOF },
		{ "all of the file", id, end + first, len + first, ET_EOF },
		{ "more than the file", id, end, good.len + 8, ET_EOF },
		{ "as much as can be said", id, end, UINT64_MAX, ET_EOF },
		{ "END elsewhere", id, chunk, len, ET_EOF },
		{ "END behind it", id, len, len, ET_EOF },
		{ "END far away", id, UINT64_MAX - 7, len, ET_EOF },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sink s = { 0 };

		sink_write(&s, good.data, good.len - FOOTER_SIZE);
		put_footer(&s, cases[i].id, cases[i].end_at, cases[i].len);
		CHECK_CASE(cases[i].label, s.len == good.len);
		CHECK_CASE(cases[i].label, find(&s, segs, 4, &n) == cases[i].rc);
		CHECK_CASE(cases[i].label, n == (cases[i].rc ? 0 : 2));
		free(s.data);
	}
	/* An END of another file, and a record between END and FOOTER. */
	CHECK(frame_get(good.data + first + end, &f));
	for (int between = 0; between < 2; between++) {
		struct buf head = { 0 };
		struct sink s = { 0 };

		buf_add(&head, good.data + first + end + RECORD_FIXED, f.head_len);
		sink_write(&s, good.data, first + end);
		put(&s, ET_REC_END, between ? id : other, &head, NULL);
		buf_reset(&head);
		if (between)
			put(&s, ET_REC_HOST, id, &head, NULL);
		put_footer(&s, id, end, s.len - first + FOOTER_SIZE);
		CHECK(find(&s, segs, 4, &n) == ET_EOF && n == 0);
		buf_free(&head);
		free(s.data);
	}
	/* Not a byte of the three records may be another, but for padding. */
	for (size_t at = first; at < good.len; at += frame_size(&f)) {
		CHECK(frame_get(good.data + at, &f));
		for (size_t i = 0; f.type != ET_REC_CHUNK && i < RECORD_FIXED + f.head_len; i++) {
			good.data[at + i] ^= 0x40;
			CHECK(find(&good, segs, 4, &n) == ET_EOF);
			good.data[at + i] ^= 0x40;
		}
	}
	free(good.data);
}

/* A record whose body holds the end of its segment and the beginning of another. */
static void hidden_in_a_body(void)
{
	struct et_segment segs[4];
	struct sink a = { 0 }, b = { 0 }, s = { 0 };
	struct buf body = { 0 }, head = { 0 };
	struct frame f;
	uint8_t id[8];
	size_t end, file, n;

	add_segment(&a, 5, 0, true);
	add_segment(&b, 6, 0, true);
	memcpy(id, a.data + 8, 8);
	end = record_at(&a, 0, ET_REC_END, &f);
	file = end;
	/* FILE_HEADER and the frame of HOST stand before END and FOOTER of a. */
	buf_add(&body, a.data + end, a.len - end - FOOTER_SIZE);
	{
		struct sink footer = { 0 };

		put_footer(&footer, id, file + RECORD_FIXED,
			   file + RECORD_FIXED + body.len + FOOTER_SIZE);
		buf_add(&body, footer.data, footer.len);
		free(footer.data);
	}
	buf_add(&body, b.data, b.len - FOOTER_SIZE);
	sink_write(&s, a.data, file);
	put(&s, ET_REC_HOST, id, &head, &body);
	sink_write(&s, b.data + b.len - FOOTER_SIZE, FOOTER_SIZE);

	CHECK(find(&s, segs, 4, &n) == ET_OK && n == 2);
	CHECK(check(&s, &segs[0]) == ET_CORRUPT);
	CHECK(check(&s, &segs[1]) == ET_OK);
	buf_free(&body);
	free(a.data);
	free(b.data);
	free(s.data);
}

static void records_join(void)
{
	struct et_segment seg;
	struct sink s = { 0 };
	struct frame f;
	size_t n, chunk, body;

	add_segment(&s, 5, 40, true);
	CHECK(find(&s, &seg, 1, &n) == ET_OK && n == 1);
	CHECK(check(&s, &seg) == ET_OK);
	chunk = record_at(&s, 0, ET_REC_CHUNK, &f);
	body = chunk + RECORD_FIXED + f.head_len;
	for (size_t at = chunk; at < body; at++) {
		s.data[at] ^= 1;
		CHECK(check(&s, &seg) == ET_CORRUPT);
		s.data[at] ^= 1;
	}
	for (seg.size -= 8; seg.size; seg.size -= 8)
		CHECK(check(&s, &seg) == ET_CORRUPT);
	seg.size = s.len;
	/* Of a damaged body both ways of reading say the same. */
	s.data[body] ^= 1;
	CHECK(check(&s, &seg) == ET_OK);
	free(s.data);
}

int main(void)
{
	finds_what_is_there();
	all_or_none();
	forged();
	hidden_in_a_body();
	records_join();
	return check_result();
}
