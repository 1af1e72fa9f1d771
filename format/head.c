/* SPDX-License-Identifier: BSD-2-Clause */
/* head.c - the tags of a record's head (SPEC.md 3.2). */
#include "head.h"
#include "clocks.h"
#include "comms.h"
#include "error.h"

#include <string.h>

#define TYPE(type) (1u << (type))
#define FILE_TYPE TYPE(ET_REC_FILE)
#define ROW_TYPES (TYPE(ET_REC_CHUNK) | TYPE(ET_REC_PROC) | TYPE(ET_REC_LOST))
#define END_TYPE TYPE(ET_REC_END)
#define FOOTER_TYPE TYPE(ET_REC_FOOTER)

/* Types of record in which a tag means something; elsewhere it is passed over unread. */
static const uint32_t tag_types[] = {
	[TAG_VERSION] = FILE_TYPE,
	[TAG_INCOMPAT] = FILE_TYPE,
	[TAG_COMPAT] = FILE_TYPE,
	[TAG_BOOT_ID] = FILE_TYPE,
	[TAG_CLOCK] = FILE_TYPE,
	[TAG_PROGRAM] = FILE_TYPE,
	[TAG_SCHEMA] = FILE_TYPE,
	[TAG_STARTED] = FILE_TYPE,
	[TAG_PLACE] = ~(FILE_TYPE | FOOTER_TYPE),
	[TAG_ROWS] = ROW_TYPES,
	[TAG_TIME] = ROW_TYPES,
	[TAG_REALTIME] = ROW_TYPES,
	[TAG_LATEST] = ROW_TYPES,
	[TAG_LOST] = ROW_TYPES | END_TYPE,
	[TAG_KINDS] = ROW_TYPES | END_TYPE,
	[TAG_STATS] = ROW_TYPES,
	[TAG_COMMS] = ROW_TYPES,
	[TAG_COLUMNS] = ROW_TYPES,
	[TAG_END_TIME] = END_TYPE,
	[TAG_REASON] = END_TYPE,
	[TAG_STEP_BACK] = END_TYPE,
	[TAG_END_AT] = FOOTER_TYPE,
	[TAG_SEGMENT_LEN] = FOOTER_TYPE,
	[TAG_SERIES] = FILE_TYPE,
};

static bool is_row_record(unsigned type)
{
	return type < 32 && ROW_TYPES >> type & 1;
}

/* Types that this library does not know count as the last of 32. */
static bool tag_counts(uint64_t tag, unsigned type)
{
	return tag < sizeof(tag_types) / sizeof(tag_types[0]) &&
	       tag_types[tag] >> (type < 31 ? type : 31) & 1;
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

static bool name_taken(const struct schema *s, const uint8_t *name, size_t len)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strncmp(s->columns[i].name, (const char *)name, len) && !s->columns[i].name[len])
			return true;
	return false;
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
		if (!name_ok(name, len) || name_taken(&h->schema, name, len)) {
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
	uint64_t last = 0;

	while (!c->failed && cur_left(c)) {
		struct et_stat s = { 0 };
		uint64_t id = cur_varint(c), n = cur_varint(c);

		if (id <= last || id > LIMIT_COLUMN_ID || n > 16) {
			c->failed = true;
			return;
		}
		last = id;
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
		if (h->rec.n_stats == ET_STATS_MAX)
			continue;
		h->stats_unknown |= (uint32_t)!s.min << h->rec.n_stats;
		shift_stat(&s, schema_find(schema, s.column));
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

		if (column > LIMIT_COLUMN_ID || part > 1 || key <= last || !n || n > LIMIT_RAW ||
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

static struct et_clock parse_clock(struct cursor *c)
{
	uint64_t ts = cur_u64(c);

	return (struct et_clock){ ts, (int64_t)cur_u64(c) };
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
		h->has_version = true;
		h->major = rows > UINT16_MAX ? UINT16_MAX : (unsigned)rows;
		cur_varint(c);
		break;
	case TAG_INCOMPAT:
		h->incompat = cur_u64(c);
		break;
	case TAG_COMPAT:
		cur_u64(c);		/* no bit means anything yet */
		break;
	case TAG_STARTED:
		h->rec.started = parse_clock(c);
		h->rec.has_started = true;
		break;
	case TAG_PLACE:
		h->place = cur_varint(c);
		h->names_back = cur_varint(c);
		h->has_place = true;
		break;
	case TAG_LATEST:
		h->rec.latest = (int64_t)cur_u64(c);
		h->rec.has_latest = true;
		break;
	case TAG_COMMS:
		h->rec.comms = rest(c);
		h->rec.has_comms = true;
		if (!comms_ok((const uint8_t *)h->rec.comms.ptr, h->rec.comms.len))
			c->failed = true;
		break;
	case TAG_STEP_BACK:
		h->step_back = cur_varint(c);
		h->has_step_back = true;
		break;
	case TAG_END_AT:
		h->end_at = cur_u64(c);
		break;
	case TAG_SEGMENT_LEN:
		h->segment_len = cur_u64(c);
		break;
	case TAG_CLOCK:
		h->clock = cur_varint(c);
		break;
	case TAG_BOOT_ID:
		p = cur_take(c, sizeof(h->rec.boot_id));
		if (p)
			memcpy(h->rec.boot_id, p, sizeof(h->rec.boot_id));
		break;
	case TAG_SERIES:
		p = cur_take(c, sizeof(h->rec.series));
		if (p)
			memcpy(h->rec.series, p, sizeof(h->rec.series));
		h->rec.number = cur_varint(c);
		h->rec.has_series = true;
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
		/* TIME came before: tags ascend. */
		clocks_parse(c, h->rec.ts_min, h->rec.clocks, &h->rec.n_clocks);
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
		h->rec.ended = parse_clock(c);
		break;
	case TAG_REASON:
		h->rec.reason = rest(c);
		break;
	default:
		c->failed = true;	/* tag_counts() has no such tag */
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

/* Of types that are not known nobody can say. */
static bool may_have_items(const struct et_column *col)
{
	return col->type != ET_UINT && col->type != ET_OPT && col->type != ET_STR;
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
		if (s->column && s->part && (!may_have_items(col) || s->n > LIMIT_ITEMS))
			return "a column has items that it cannot have";
	}
	/* Also columns that are absent are handed out as one value for each row. */
	if (raw > LIMIT_RAW || values > LIMIT_VALUES ||
	    (uint64_t)h->rec.rows * schema->n > LIMIT_VALUES)
		return "a chunk decodes to more than the format allows";
	return NULL;
}

/* Which statistics are of all rows of the kinds that carry the field. */
static void mark_complete(struct head *h, const struct schema *schema)
{
	for (unsigned i = 0; i < h->rec.n_stats; i++) {
		struct et_stat *s = &h->rec.stats[i];
		const struct et_column *col = schema_find(schema, s->column);
		unsigned kinds = s->column < ET_FIELD_END ? et_fields[s->column].kinds : 0;

		/* The kinds of a later version carry what the schema says. */
		s->complete = col && (col->type == ET_UINT || !(h->stats_unknown >> i & 1)) &&
			      !rows_of(h, kinds & ~col->kinds) &&
			      !rows_of(h, ~((1u << ET_KIND_END) - 1) & ~col->kinds);
	}
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

/* What rows cannot do without (SPEC.md 4.1). */
static const char *check_schema(const struct schema *s)
{
	const struct et_column *kind = schema_find(s, ET_F_KIND), *ts = schema_find(s, ET_F_TS);
	const struct et_column *pid = schema_find(s, ET_F_PID);

	if (!kind || kind->type != ET_UINT || !ts || ts->type != ET_UINT ||
	    (pid && pid->type != ET_UINT))
		return "a schema has no kind, no ts, or one that is no plain number";
	return NULL;
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
	memcpy(h->rec.file_id, f->file_id, sizeof(h->rec.file_id));
	h->rec.at = at;
	h->rec.size = frame_size(f);
	h->rec.head_len = f->head_len;
	h->rec.body_len = f->body_len;
	h->rec.seq = f->seq;
	h->schema.n = 0;
	memset(h->schema.places, 0, sizeof(h->schema.places));
	h->n_streams = 0;
	h->stats_unknown = 0;
	h->incompat = 0;
	h->has_version = false;
	h->major = 0;
	h->clock = CLOCK_ID_BOOTTIME;
	h->has_place = h->has_step_back = false;
	h->end_at = h->segment_len = 0;
	while (cur_left(&c)) {
		uint64_t tag = cur_varint(&c);
		struct cursor value = cur_sub(&c, cur_varint(&c));

		if (c.failed || tag <= last)
			return et_fail(err, ET_CORRUPT, at, "a record's tags are out of order");
		last = tag;
		if (tag < 32)
			seen |= 1u << tag;
		if (!tag_counts(tag, f->type))
			continue;
		parse_tag(h, tag, &value, schema);
		if (!cur_done(&value))
			return et_fail(err, ET_CORRUPT, at, "a record's head breaks the format");
	}
	for (unsigned k = 1; k <= KIND_MAX; k++)
		h->rec.kinds[k < ET_KIND_END ? k : 0] += h->kinds[k];
	if (is_row_record(f->type)) {
		fault = check_rows(h, seen, schema);
		mark_complete(h, schema);
	} else if (f->type == ET_REC_FILE && (seen & header) != header) {
		fault = "a file header lacks what it needs";
	} else if (f->type == ET_REC_FILE) {
		fault = check_schema(&h->schema);
	}
	return fault ? et_fail(err, ET_CORRUPT, at, fault) : ET_OK;
}
