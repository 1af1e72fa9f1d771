/* SPDX-License-Identifier: BSD-2-Clause */
/* copy.c - records from one file into another (SPEC.md 3.2). */
#include "copy.h"
#include "error.h"

int copy_header(struct et_writer *w, const struct buf *head, struct et_error *err)
{
	writer_begin(w, ET_REC_FILE);
	buf_add(&w->head, head->data, head->len);
	return writer_put(w, ET_REC_FILE, err);
}

/* What a tag of the head says; NULL where it is not there. */
struct said {
	const uint8_t *p;
	size_t len;
};

static struct said find_lost(const struct buf *head)
{
	struct cursor c = cur_make(head->data, head->len);

	while (cur_left(&c)) {
		uint64_t tag = cur_varint(&c);
		struct cursor value = cur_sub(&c, cur_varint(&c));

		if (tag == TAG_LOST)
			return (struct said){ value.at, cur_left(&value) };
	}
	return (struct said){ NULL, 0 };
}

/* Counts by cause: ours, and behind them those of causes that are not known here. */
static void put_lost(struct et_writer *w, struct said said, const uint64_t *lost)
{
	struct cursor c = cur_make(said.p, said.len);

	buf_reset(&w->value);
	for (unsigned i = 1; i < ET_CAUSE_END; i++) {
		if (lost[i]) {
			buf_varint(&w->value, i);
			buf_varint(&w->value, lost[i]);
		}
	}
	while (cur_left(&c)) {
		uint64_t cause = cur_varint(&c), count = cur_varint(&c);

		if (cause >= ET_CAUSE_END) {
			buf_varint(&w->value, cause);
			buf_varint(&w->value, count);
		}
	}
	put_tag(&w->head, TAG_LOST, &w->value);
}

/* The tags that are said anew and would stand before tag next. */
static void put_new_tags(struct et_writer *w, const struct head *h, unsigned *done, uint64_t next,
			 struct said said, const uint64_t *lost)
{
	bool end = h->rec.type == ET_REC_END;

	for (; *done < next && *done <= TAG_STEP_BACK; ++*done) {
		if (*done == TAG_LATEST && h->rec.rows && w->has_latest)
			writer_u64_tag(w, TAG_LATEST, (uint64_t)w->latest);
		else if (*done == TAG_LOST && (h->rec.rows || end))
			put_lost(w, said, lost);
		else if (*done == TAG_KINDS && end)
			put_counts(&w->head, TAG_KINDS, w->kinds, KIND_MAX + 1, &w->value);
		else if (*done == TAG_STEP_BACK && end)
			writer_number_tag(w, TAG_STEP_BACK, w->step_back);
	}
}

/* Whether a tag of the record is said anew, or, before PLACE, means nothing in it. */
static bool replaced(const struct head *h, uint64_t tag)
{
	bool end = h->rec.type == ET_REC_END, rows = h->rec.rows;

	return tag <= TAG_PLACE || (tag == TAG_LATEST && rows) || (tag == TAG_LOST && (rows || end)) ||
	       ((tag == TAG_KINDS || tag == TAG_STEP_BACK) && end);
}

int copy_record(struct et_writer *w, const struct head *h, const struct buf *head,
		const uint8_t *body, const uint64_t lost[ET_CAUSE_END], struct et_error *err)
{
	struct cursor c = cur_make(head->data, head->len);
	struct said said = find_lost(head);
	unsigned done = TAG_PLACE + 1;
	int rc;

	writer_begin(w, h->rec.type);
	while (cur_left(&c)) {
		uint64_t tag = cur_varint(&c);
		struct cursor value = cur_sub(&c, cur_varint(&c));

		if (replaced(h, tag))
			continue;
		put_new_tags(w, h, &done, tag, said, lost);
		buf_varint(&w->head, tag);
		buf_bytes(&w->head, value.at, cur_left(&value));
	}
	put_new_tags(w, h, &done, UINT64_MAX, said, lost);
	if (body)
		buf_add(&w->body, body, h->rec.body_len);
	rc = writer_put(w, h->rec.type, err);
	if (rc)
		return rc;
	for (unsigned k = 0; h->rec.rows && k <= KIND_MAX; k++)
		w->kinds[k] += h->kinds[k];
	w->rows += h->rec.rows;
	w->stats.chunks += h->rec.type == ET_REC_CHUNK;
	return ET_OK;
}
