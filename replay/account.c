/* SPDX-License-Identifier: BSD-2-Clause */
#include "account.h"

/* ---- What the reader has met ------------------------------------------------------------- */

static void add_stats(struct et_reader_stats *to, const struct et_reader_stats *st)
{
	for (unsigned k = 0; k < ET_KIND_END; k++)
		to->rows[k] += st->rows[k];
	for (unsigned c = 0; c < ET_CAUSE_END; c++)
		to->lost[c] += st->lost[c];
	to->lost_other += st->lost_other;
	to->missing += st->missing;
	to->unread += st->unread;
	to->damaged += st->damaged;
	to->damaged_bytes += st->damaged_bytes;
	to->segments += st->segments;
	to->unclean += st->unclean;
	to->not_ended += st->not_ended;
	to->truncated |= st->truncated;
	to->bytes += st->bytes;
}

/* What settling a chunk can have changed. */
static void add_late(struct et_reader_stats *to, const struct et_reader_stats *late)
{
	for (unsigned k = 0; k < ET_KIND_END; k++)
		to->rows[k] += late->rows[k];
	to->missing += late->missing;
	to->damaged += late->damaged;
	to->damaged_bytes += late->damaged_bytes;
}

static void remove_late(struct et_reader_stats *from, const struct et_reader_stats *late)
{
	for (unsigned k = 0; k < ET_KIND_END; k++)
		from->rows[k] -= late->rows[k];
	from->missing -= late->missing;
	from->damaged -= late->damaged;
	from->damaged_bytes -= late->damaged_bytes;
}

void source_reader_stats(const struct source *s, struct et_reader_stats *out)
{
	if (s->n_ahead) {
		*out = s->seen;
		add_late(out, &s->late);
	} else {
		et_reader_stats(s->reader, out);
	}
}

static void add_reader(struct et_reader_stats *to, const struct source *s)
{
	struct et_reader_stats st;

	if (!s->reader)
		return;
	source_reader_stats(s, &st);
	add_stats(to, &st);
}

void source_stats(const struct source *s, struct et_reader_stats *out)
{
	*out = s->past;
	if (!s->parts)
		add_reader(out, s);
	for (size_t i = 0; i < s->n_parts; i++)
		add_reader(out, s->parts[i]);
	ledger_stats(s->own, out);
	out->segments -= s->again_segments;
	for (unsigned k = 0; k < ET_KIND_END; k++)
		out->rows[k] -= s->again[k];
}

void account_note(const struct source *s, struct et_reader_stats *st)
{
	et_reader_stats(s->reader, st);
	remove_late(st, &s->late);
}

void account_late(struct source *s, const struct et_reader_stats *before,
		  const struct et_reader_stats *after)
{
	struct et_reader_stats found = *after;

	remove_late(&found, before);
	add_late(&s->late, &found);
}

void account_past(struct source *s)
{
	add_reader(&s->past, s);
}

/* ---- What was read, and what is missing --------------------------------------------------- */

void source_failed(struct source *s)
{
	struct source *t = source_teller(s);
	struct et_reader_stats st;

	if (s->fresh)
		ledger_failed(t->own, s->own_at, &s->last);
	if (s->wanted && t->all)
		ledger_failed(t->all, s->all_at, &s->last);
	s->fresh = s->wanted = false;
	source_reader_stats(s, &st);
	s->missing_seen = st.missing;
}

bool source_is_copy(const struct source *s)
{
	const struct source *t = s->whole ? s->whole : s;
	const struct ledger *l = t->all ? t->all : t->own;
	size_t at = t->all ? s->all_at : s->own_at;

	return at != LEDGER_NONE && l->v[at].copied;
}

void source_losses(struct source *s, struct et_chunk *c, int64_t since, int64_t until)
{
	struct source *t = source_teller(s);

	if (s->fresh)
		ledger_losses(t->own, s->own_at, c, since, until);
	if (s->wanted && t->all)
		ledger_losses(t->all, s->all_at, c, since, until);
}

void account_leave(struct source *s)
{
	struct source *t = source_teller(s);
	struct et_reader_stats st;
	bool unread;

	source_reader_stats(s, &st);
	/* The input ended within the body of the last rows. */
	if (st.missing > s->missing_seen)
		source_failed(s);
	unread = st.unread > s->unread_seen;
	ledger_left(t->own, s->own_at, s->base + st.bytes, unread);
	if (t->all)
		ledger_left(t->all, s->all_at, s->base + st.bytes, unread);
	s->own_at = s->all_at = LEDGER_NONE;
}

static void enter_segment(struct source *s, const struct et_record *rec)
{
	struct source *t = source_teller(s);
	size_t n = t->own->n;

	account_leave(s);
	s->own_at = ledger_segment(t->own, rec, t);
	t->again_segments += t->own->n == n && s->own_at != LEDGER_NONE;
	if (t->all)
		s->all_at = ledger_segment(t->all, rec, t);
}

static void take_rows(struct source *s, const struct et_record *rec, bool jumped)
{
	struct source *t = source_teller(s);

	s->fresh = s->wanted = ledger_record(t->own, s->own_at, rec, s->base + rec->at, jumped);
	if (t->all)
		s->wanted = ledger_record(t->all, s->all_at, rec, s->base + rec->at, jumped);
	if (!rec->rows)
		return;
	for (unsigned k = 0; k < ET_KIND_END && !s->fresh; k++)
		t->again[k] += rec->kinds[k];
	if (s->fresh && !s->wanted)
		t->elsewhere += rec->rows;
	s->last = (struct ledger_rows){ rec->seq, s->base + rec->at, rec->rows, rec->kinds[ET_LOST],
					et_record_wall(rec, rec->ts_min),
					et_record_wall(rec, rec->ts_max) };
}

void account_take(struct source *s, const struct et_record *rec)
{
	struct et_reader_stats st;

	source_reader_stats(s, &st);
	if (rec->type == ET_REC_FILE) {
		enter_segment(s, rec);
	} else if (rec->rows || rec->type == ET_REC_END) {
		take_rows(s, rec, st.unread > s->unread_seen);
		s->unread_seen = st.unread;
	}
	s->missing_seen = st.missing;
}
