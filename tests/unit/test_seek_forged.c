/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A range of times gives what reading everything gives, whatever the records of a
 * capture claim about where they are: all crcs are right.
 */
#include "ranges.h"
#include "record.h"

/* What becomes of the tags of a record: its place in the file, among all and row records. */
struct forgery {
	const char *label;
	enum tag tag;
	unsigned type;			/* records of that type; 0: all that have the tag */
	unsigned every;			/* each so many of them */
	void (*change)(struct buf *value, const struct forgery *f, uint64_t at);
	uint64_t number;
};

/* PLACE says another offset, by number. */
static void place_off(struct buf *value, const struct forgery *f, uint64_t at)
{
	struct cursor c = cur_make(value->data, value->len);
	uint64_t says = cur_varint(&c), back = cur_varint(&c);

	(void)at;
	buf_reset(value);
	buf_varint(value, says + f->number);
	buf_varint(value, back);
}

/* PLACE says that names are number bytes back; UINT64_MAX: as far as it is from the segment's start. */
static void place_back(struct buf *value, const struct forgery *f, uint64_t at)
{
	struct cursor c = cur_make(value->data, value->len);
	uint64_t says = cur_varint(&c);

	buf_reset(value);
	buf_varint(value, says);
	buf_varint(value, f->number == UINT64_MAX ? at : f->number);
}

/* A number of FOOTER, off by number. */
static void number_off(struct buf *value, const struct forgery *f, uint64_t at)
{
	struct cursor c = cur_make(value->data, value->len);
	uint64_t says = cur_u64(&c);

	(void)at;
	buf_reset(value);
	buf_u64(value, says + f->number);
}

static const struct forgery forgeries[] = {
	{ "END_AT 8 bytes on", TAG_END_AT, 0, 1, number_off, 8 },
	{ "END_AT before", TAG_END_AT, 0, 1, number_off, 0 - 1000ull },
	{ "END_AT far behind the end", TAG_END_AT, 0, 1, number_off, 1ull << 40 },
	{ "END_AT over 64 bits", TAG_END_AT, 0, 1, number_off, 0 - (1ull << 40) },
	{ "SEGMENT_LEN shorter", TAG_SEGMENT_LEN, 0, 1, number_off, 0 - 8ull },
	{ "SEGMENT_LEN longer", TAG_SEGMENT_LEN, 0, 1, number_off, 72 },
	{ "SEGMENT_LEN over 64 bits", TAG_SEGMENT_LEN, 0, 1, number_off, 0 - (1ull << 40) },
	{ "every PLACE off", TAG_PLACE, 0, 1, place_off, 8 },
	{ "some PLACE off", TAG_PLACE, 0, 3, place_off, 0 - 8ull },
	{ "some PLACE far off", TAG_PLACE, ET_REC_CHUNK, 7, place_off, 1ull << 63 },
	{ "END's PLACE off", TAG_PLACE, ET_REC_END, 1, place_off, 8 },
	{ "names nowhere", TAG_PLACE, 0, 2, place_back, 0 },
	{ "names in the midst of something", TAG_PLACE, 0, 2, place_back, 8 },
	{ "names in the midst of something else", TAG_PLACE, 0, 2, place_back, 1001 },
	{ "names before the capture", TAG_PLACE, 0, 2, place_back, 1ull << 62 },
	{ "names over 64 bits", TAG_PLACE, 0, 2, place_back, ~0ull - 1 },
	{ "names in the header", TAG_PLACE, 0, 2, place_back, ~0ull },
	{ "names of names nowhere", TAG_PLACE, ET_REC_USERS, 2, place_back, 0 },
	{ "names of names wrong", TAG_PLACE, ET_REC_CGROUPS, 1, place_back, 16 },
	{ "END's names nowhere", TAG_PLACE, ET_REC_END, 1, place_back, 0 },
	{ "END's names wrong", TAG_PLACE, ET_REC_END, 1, place_back, 24 },
};

#define FORGERIES (sizeof(forgeries) / sizeof(forgeries[0]))

/* What is true of a record's place is put in anew, as lengths change; then it is forged. */
static void put_value(struct buf *value, uint64_t tag, uint64_t at, uint64_t names, uint64_t end)
{
	switch (tag) {
	case TAG_PLACE:
		buf_reset(value);
		buf_varint(value, at);
		buf_varint(value, names ? at - names : 0);
		break;
	case TAG_END_AT:
		buf_reset(value);
		buf_u64(value, end);
		break;
	case TAG_SEGMENT_LEN:
		buf_reset(value);
		buf_u64(value, at + FOOTER_SIZE);
		break;
	}
}

/* The segment with the forgery; with one that changes nothing, the segment. */
static struct buf forge(const struct sink *s, const struct forgery *f)
{
	struct buf out = { 0 }, value = { 0 };
	uint64_t names = 0, end = 0;
	unsigned n = 0;

	for (size_t at = 0; at < s->len;) {
		struct buf head = { 0 }, body = { 0 };
		struct frame frame;
		struct cursor c;
		bool chosen;

		CHECK(frame_get(s->data + at, &frame));
		chosen = (!f->type || f->type == frame.type) && n++ % f->every == f->every - 1;
		c = cur_make(s->data + at + RECORD_FIXED, frame.head_len);
		while (cur_left(&c)) {
			uint64_t tag = cur_varint(&c), len = cur_varint(&c);
			const uint8_t *p = cur_take(&c, len);

			buf_reset(&value);
			buf_add(&value, p, len);
			put_value(&value, tag, out.len, names, end);
			if (chosen && tag == f->tag)
				f->change(&value, f, out.len);
			buf_varint(&head, tag);
			buf_bytes(&head, value.data, value.len);
		}
		buf_add(&body, s->data + at + RECORD_FIXED + frame.head_len, frame.body_len);
		at += frame_size(&frame);
		if (frame.type == ET_REC_END)
			end = out.len;
		if (is_names_type(frame.type))
			names = out.len;
		record_put(&out, &frame, &head, &body);
		buf_free(&head);
		buf_free(&body);
	}
	buf_free(&value);
	return out;
}

static void try_forged(const char *label, const struct buf *b, struct tried *sum)
{
	struct sink s = { .data = b->data, .len = b->len };
	struct tried t = try_ranges(label, &s, 30, false);

	sum->ranges += t.ranges;
	sum->seeks += t.seeks;
}

static void test_forged_tags(void)
{
	const struct shape shape = { "forged", 1200, 2, 50000, true, true, true, false, 0 };
	const struct forgery none = { .tag = TAG_PLACE, .every = 1, .change = place_off };
	struct sink s = { 0 };
	struct tried t = { 0 };
	struct buf b;

	write_segment(&s, &shape);
	b = forge(&s, &none);
	CHECK(b.len == s.len && !memcmp(b.data, s.data, s.len));
	buf_free(&b);
	for (size_t i = 0; i < FORGERIES; i++) {
		b = forge(&s, &forgeries[i]);
		CHECK_CASE(forgeries[i].label, b.len != s.len || memcmp(b.data, s.data, s.len));
		try_forged(forgeries[i].label, &b, &t);
		buf_free(&b);
	}
	printf("%-24s %llu ranges, %llu passed over rows\n", "forged", (unsigned long long)t.ranges,
	       (unsigned long long)t.seeks);
	CHECK(t.seeks > t.ranges / 10);
	free(s.data);
}

/* Where the record of that type begins that is the last of the segment, which is whole. */
static size_t last_of(const struct sink *s, unsigned type)
{
	size_t found = 0;

	for (size_t at = 0; at < s->len;) {
		struct frame frame;

		CHECK(frame_get(s->data + at, &frame));
		if (frame.type == type)
			found = at;
		at += frame_size(&frame);
	}
	return found;
}

static void add_footer(struct buf *b, const uint8_t *like, uint64_t end_at, uint64_t segment_len)
{
	struct buf head = { 0 }, value = { 0 };
	struct frame frame;

	CHECK(frame_get(like, &frame));
	frame.type = ET_REC_FOOTER;
	buf_u64(&value, end_at);
	buf_varint(&head, TAG_END_AT);
	buf_bytes(&head, value.data, value.len);
	buf_reset(&value);
	buf_u64(&value, segment_len);
	buf_varint(&head, TAG_SEGMENT_LEN);
	buf_bytes(&head, value.data, value.len);
	record_put(b, &frame, &head, NULL);
	buf_free(&value);
	buf_free(&head);
}

static void try_and_free(const char *label, struct buf *b)
{
	struct tried t = { 0 };

	try_forged(label, b, &t);
	buf_free(b);
	*b = (struct buf){ 0 };
}

/* FOOTER and END where they do not belong. */
static void test_forged_ends(void)
{
	const struct shape shape = { "forged ends", 1000, 0, 50000, false, true, false, false, 0 };
	struct sink s = { 0 }, other = { 0 };
	size_t end, footer, chunk;
	struct buf b = { 0 };

	write_segment(&s, &shape);
	write_segment(&other, &shape);
	end = last_of(&s, ET_REC_END);
	footer = last_of(&s, ET_REC_FOOTER);
	chunk = last_of(&s, ET_REC_CHUNK);
	CHECK(end && footer && chunk && footer + FOOTER_SIZE == s.len);

	/* Of another capture; also with this one's file id. */
	buf_add(&b, s.data, footer);
	buf_add(&b, other.data + other.len - FOOTER_SIZE, FOOTER_SIZE);
	try_and_free("FOOTER of another capture", &b);
	buf_add(&b, s.data, footer);
	add_footer(&b, s.data, last_of(&other, ET_REC_END), other.len);
	try_and_free("what FOOTER of another capture says", &b);

	/* Behind a capture that was never ended. */
	for (unsigned i = 0; i < 4; i++) {
		const uint64_t says[] = { chunk, 0, end, end - 72 };

		buf_add(&b, s.data, end);
		add_footer(&b, s.data, says[i], end + FOOTER_SIZE);
		try_and_free("FOOTER without END", &b);
	}
	/* END in the midst, where FOOTER of a segment that goes on names it. */
	buf_add(&b, s.data, chunk);
	buf_add(&b, s.data + end, footer - end);
	buf_add(&b, s.data + chunk, end - chunk);
	add_footer(&b, s.data, chunk, b.len + FOOTER_SIZE);
	try_and_free("END in the midst", &b);

	/* Twice; FOOTER names the first, the second, or is there twice too. */
	for (unsigned i = 0; i < 3; i++) {
		buf_add(&b, s.data, footer);
		if (i == 2)
			buf_add(&b, s.data + footer, FOOTER_SIZE);
		buf_add(&b, s.data + end, footer - end);
		add_footer(&b, s.data, i ? b.len - (footer - end) : end, b.len + FOOTER_SIZE);
		try_and_free("END twice", &b);
	}
	free(s.data);
	free(other.data);
}

int main(void)
{
	/* Where the clock is set back by hours, hardly any range can be sought: here it is not. */
	rng_state = 3;
	test_forged_tags();
	test_forged_ends();
	return check_result();
}
