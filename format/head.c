/* SPDX-License-Identifier: BSD-2-Clause */
/* head.c - the tags of a record's head (SPEC.md 3.2). */
#include "head.h"
#include "error.h"

#include <string.h>

static bool is_row_record(unsigned type)
{
	return type == ET_REC_CHUNK || type == ET_REC_PROC || type == ET_REC_LOST;
}

static bool name_ok(const uint8_t *p, uint64_t n)
{
	if (!p || !n || n >= sizeof(((struct et_column *)0)->name))
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!(p[i] >= 'a' && p[i] <= 'z') && !(p[i] >= '0' && p[i] <= '9') && p[i] != '_')
			return false;
	}
	return true;
}

static void parse_schema(struct head *h, struct cursor *c)
{
	unsigned last = 0;

	while (!c->failed && cur_left(c)) {
		struct et_column *col = &h->schema.columns[h->schema.n];
		uint64_t id = cur_varint(c), len;
		const uint8_t *name;

		if (id <= last || id > LIMIT_COLUMN_ID) {
			c->failed = true;
			return;
		}
		*col = (struct et_column){ .id = (uint8_t)id };
		last = (unsigned)id;
		col->type = cur_u8(c);
		col->unit = cur_u8(c);
		col->kinds = cur_u16(c);
		len = cur_varint(c);
		name = cur_take(c, len);
		if (!name_ok(name, len)) {
			c->failed = true;
			return;
		}
		memcpy(col->name, name, len);
		h->schema.places[id] = (uint8_t)++h->schema.n;
	}
}

/* (id, count) pairs, ids ascending; ids of n and more go to other. */
static void parse_counts(struct cursor *c, uint64_t *counts, unsigned n, uint64_t *other)
{
	uint64_t last = 0;

	while (!c->failed && cur_left(c)) {
		uint64_t id = cur_varint(c), count = cur_varint(c);

		if (id <= last)
			c->failed = true;
		else if (id < n)
			counts[id] = count;
		else if (other)
			*other += count;
		else
			c->failed = true;
		last = id;
	}
}

/* Stored numbers of an ET_OPT are one higher than what they stand for. */
static void shift_stat(struct et_stat *s, const struct et_column *col)
{
	if (!col || col->type != ET_OPT)
		return;
	if (s->n) {
		unsigned skip = s->set[0] == 0;

		s->n = (uint8_t)(s->n - skip);
		for (unsigned i = 0; i < s->n; i++)
			s->set[i] = s->set[i + skip] - 1;
		s->min = s->n ? s->set[0] : 1;
		s->max = s->n ? s->set[s->n - 1] : 0;
		return;
	}
	s->min = s->min ? s->min - 1 : 0;
	s->max = s->max ? s->max - 1 : 0;
}

static void parse_stats(struct head *h, struct cursor *c, const struct schema *schema)
{
	while (!c->failed && cur_left(c)) {
		struct et_stat s = { 0 };
		uint64_t id = cur_varint(c), n = cur_varint(c);

		if (id > LIMIT_COLUMN_ID || n > 16) {
			c->failed = true;
			return;
		}
		s.column = (uint8_t)id;
		s.n = (uint8_t)n;
		for (unsigned i = 0; i < n; i++) {
			s.set[i] = cur_varint(c);
			if (i && s.set[i] <= s.set[i - 1])
				c->failed = true;
		}
		s.min = n ? s.set[0] : cur_varint(c);
		s.max = n ? s.set[n - 1] : cur_varint(c);
		if (s.min > s.max)
			c->failed = true;
		shift_stat(&s, schema_find(schema, s.column));
		if (h->rec.n_stats < ET_STATS_MAX)
			h->rec.stats[h->rec.n_stats++] = s;
	}
}

static void parse_directory(struct head *h, struct cursor *c)
{
	int last = -1;
	uint64_t at = 0;

	while (!c->failed && cur_left(c)) {
		struct stream *s = &h->streams[h->n_streams];
		uint64_t column = cur_varint(c);
		unsigned part = cur_u8(c);
		uint8_t encoding = cur_u8(c);
		uint64_t n = cur_varint(c), stored = cur_varint(c);
		int key = (int)(column * 2 + part);

		if (column > LIMIT_COLUMN_ID || part > 1 || key <= last || n > LIMIT_RAW ||
		    stored > LIMIT_BODY) {
			c->failed = true;
			return;
		}
		*s = (struct stream){ (uint8_t)column, (uint8_t)part, encoding, (uint32_t)n,
				      (uint32_t)stored, (uint32_t)at };
		last = key;
		at += stored;
		h->n_streams++;
	}
	if (at != h->rec.body_len)
		c->failed = true;
}

static void parse_time(struct head *h, struct cursor *c)
{
	uint64_t span;

	h->rec.ts_min = cur_u64(c);
	span = cur_varint(c);
	h->rec.ts_max = h->rec.ts_min + span;
	if (h->rec.ts_max < h->rec.ts_min)
		c->failed = true;
}

static struct et_str rest(struct cursor *c)
{
	size_t n = cur_left(c);

	return (struct et_str){ (const char *)cur_take(c, n), (uint32_t)n };
}

static void parse_tag(struct head *h, uint64_t tag, struct cursor *c, const struct schema *schema)
{
	const uint8_t *p;
	uint64_t rows;

	switch (tag) {
	case TAG_VERSION:
		rows = cur_varint(c);
		h->major = rows > UINT16_MAX ? UINT16_MAX : (unsigned)rows;
		cur_varint(c);
		break;
	case TAG_INCOMPAT:
		h->incompat = cur_u64(c);
		break;
	case TAG_COMPAT:
	case TAG_INDEX_AT:
	case TAG_SEGMENT_LEN:
		cur_u64(c);		/* for others to use */
		break;
	case TAG_CLOCK:
		h->clock = cur_varint(c);
		break;
	case TAG_BOOT_ID:
		p = cur_take(c, sizeof(h->rec.boot_id));
		if (p)
			memcpy(h->rec.boot_id, p, sizeof(h->rec.boot_id));
		break;
	case TAG_PROGRAM:
		h->rec.program = rest(c);
		break;
	case TAG_SCHEMA:
		parse_schema(h, c);
		break;
	case TAG_ROWS:
		rows = cur_varint(c);
		if (!rows || rows > LIMIT_ROWS)
			c->failed = true;
		h->rec.rows = (uint32_t)rows;
		break;
	case TAG_TIME:
		parse_time(h, c);
		break;
	case TAG_REALTIME:
		h->rec.realtime = (int64_t)cur_u64(c);
		break;
	case TAG_LOST:
		parse_counts(c, h->rec.lost, ET_CAUSE_END, &h->rec.lost_other);
		break;
	case TAG_KINDS:
		parse_counts(c, h->kinds, KIND_MAX + 1, NULL);
		break;
	case TAG_STATS:
		parse_stats(h, c, schema);
		break;
	case TAG_COLUMNS:
		parse_directory(h, c);
		break;
	case TAG_END_TIME:
		h->rec.end_ts = cur_u64(c);
		break;
	case TAG_REASON:
		h->rec.reason = rest(c);
		break;
	default:
		c->at = c->end;		/* a later version's */
	}
}

/* Number of rows that carry the column, as the head counts the kinds. */
static uint64_t rows_of(const struct head *h, unsigned kinds)
{
	uint64_t n = 0;

	for (unsigned k = 0; k <= KIND_MAX; k++) {
		if (kinds >> k & 1)
			n += h->kinds[k];
	}
	return n;
}

static const char *check_streams(const struct head *h, const struct schema *schema)
{
	uint64_t raw = 0, values = 0;

	for (unsigned i = 0; i < h->n_streams; i++) {
		const struct stream *s = &h->streams[i];
		const struct et_column *col = schema_find(schema, s->column);

		raw += stream_raw(s);
		values += s->column ? s->n : 0;
		if (s->column && !col)
			return "a chunk has a column that the file's schema lacks";
		if (!s->column && !s->part && s->n > LIMIT_STRINGS)
			return "a chunk has more strings than the format allows";
		if (s->column && !s->part && s->n != rows_of(h, col->kinds))
			return "a column does not have as many values as rows carry it";
		if (s->column && s->part && (col->type != ET_LIST || s->n > LIMIT_ITEMS))
			return "a column has items that it cannot have";
	}
	/* Also columns that are absent are handed out as one value for each row. */
	if (raw > LIMIT_RAW || values > LIMIT_VALUES ||
	    (uint64_t)h->rec.rows * schema->n > LIMIT_VALUES)
		return "a chunk decodes to more than the format allows";
	return NULL;
}

static const char *check_rows(const struct head *h, unsigned seen, const struct schema *schema)
{
	const unsigned needed = 1u << TAG_ROWS | 1u << TAG_TIME | 1u << TAG_REALTIME |
				1u << TAG_KINDS | 1u << TAG_COLUMNS;

	if ((seen & needed) != needed)
		return "a chunk's head lacks what it needs";
	for (unsigned k = 0; k <= KIND_MAX; k++) {
		if (h->kinds[k] > h->rec.rows)
			return "a chunk's kinds do not add up to its rows";
	}
	if (h->kinds[0] || rows_of(h, ~0u) != h->rec.rows)
		return "a chunk's kinds do not add up to its rows";
	return check_streams(h, schema);
}

int head_parse(struct head *h, const struct frame *f, const uint8_t *data, uint64_t at,
	       const struct schema *schema, struct et_error *err)
{
	struct cursor c = cur_make(data, f->head_len);
	const unsigned header = 1u << TAG_VERSION | 1u << TAG_CLOCK | 1u << TAG_SCHEMA;
	const char *fault = NULL;
	uint64_t last = 0;
	unsigned seen = 0;

	memset(&h->rec, 0, sizeof(h->rec));
	memset(h->kinds, 0, sizeof(h->kinds));
	h->rec.type = f->type;
	h->rec.at = at;
	h->rec.size = frame_size(f);
	h->rec.head_len = f->head_len;
	h->rec.body_len = f->body_len;
	h->rec.seq = f->seq;
	h->schema.n = 0;
	memset(h->schema.places, 0, sizeof(h->schema.places));
	h->n_streams = 0;
	h->incompat = 0;
	h->major = 0;
	h->clock = CLOCK_ID_BOOTTIME;
	while (cur_left(&c)) {
		uint64_t tag = cur_varint(&c);
		struct cursor value = cur_sub(&c, cur_varint(&c));

		if (c.failed || tag <= last)
			return et_fail(err, ET_CORRUPT, at, "a record's tags are out of order");
		last = tag;
		if (tag < 32)
			seen |= 1u << tag;
		parse_tag(h, tag, &value, schema);
		if (!cur_done(&value))
			return et_fail(err, ET_CORRUPT, at, "a record's head breaks the format");
	}
	for (unsigned k = 1; k <= KIND_MAX; k++)
		h->rec.kinds[k < ET_KIND_END ? k : 0] += h->kinds[k];
	if (is_row_record(f->type))
		fault = check_rows(h, seen, schema);
	else if (f->type == ET_REC_FILE && (seen & header) != header)
		fault = "a file header lacks what it needs";
	return fault ? et_fail(err, ET_CORRUPT, at, fault) : ET_OK;
}
