/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verifying and recovering: an intact capture has no fault; whatever is done to one
 * is told, and what a recovery makes of it has no fault, no event that was not
 * written, none twice, and counts those that are gone.
 */
#include "check.h"
#include "events.h"
#include "memory_io.h"

#include "bytes.h"
#include "record.h"

#define CHUNKS 5
#define ROWS 12
#define EVENTS (CHUNKS * ROWS)

static struct et_event sent[EVENTS];
static struct sink file;
static char last_fault[256];
static struct et_gap last_gap;
static unsigned faults;

static void note_fault(void *ctx, const struct et_error *fault)
{
	(void)ctx;
	faults++;
	snprintf(last_fault, sizeof(last_fault), "%s", fault->what);
}

static void note_gap(void *ctx, const struct et_gap *gap)
{
	(void)ctx;
	if (gap->count)
		last_gap = *gap;
}

/* Chunks with names between them, a step of the wall clock, and losses. */
static void make_file(struct sink *to, unsigned seed, bool end)
{
	static const struct et_pair host[] = { { "hostname", { "box", 3 } } };
	struct et_name user = { 0, false, { "root", 4 } };
	struct et_writer_options opt = { .program = "test", .started = { 1000, 5000 } };
	uint64_t lost[ET_CAUSE_END] = { 0 }, ts = 1000000;
	struct et_io io = sink_io(to);
	struct et_batch *b = et_batch_new();
	struct et_writer *w;
	char text[4096];

	rng_state = seed;
	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	CHECK(et_writer_host(w, host, 1, NULL) == ET_OK);
	for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
		struct et_event gap = { .realtime = 5000 };

		user.id = chunk;
		CHECK(et_writer_names(w, ET_REC_USERS, &user, 1, NULL) == ET_OK);
		et_batch_reset(b);
		for (unsigned row = 0; row < ROWS; row++) {
			struct et_event ev;

			rng_event(&ev, 1 + rng() % 4, &ts, text);
			ev.realtime = ts < 3000000 ? 5000 : -700000;
			/* So that no two are the same. */
			et_set_uint(&ev, ET_F_PID, seed * 1000 + chunk * ROWS + row);
			CHECK(et_batch_add(b, &ev, NULL) == ET_OK);
			if (to == &file)
				sent[chunk * ROWS + row] = event_copy(&ev);
		}
		CHECK(et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) == ET_OK);
		if (chunk != 2)
			continue;
		et_set_uint(&gap, ET_F_KIND, ET_LOST);
		et_set_uint(&gap, ET_F_TS, ts - 100);
		et_set_uint(&gap, ET_F_UNTIL, ts);
		et_set_uint(&gap, ET_F_COUNT, 7);
		et_set_uint(&gap, ET_F_CAUSE, ET_CAUSE_RING_FULL);
		lost[ET_CAUSE_RING_FULL] = 7;
		et_batch_reset(b);
		CHECK(et_batch_add(b, &gap, NULL) == ET_OK);
		CHECK(et_writer_batch(w, ET_REC_LOST, b, lost, NULL) == ET_OK);
	}
	if (end)
		CHECK(et_writer_end(w, (struct et_clock){ ts, 0 }, lost, "test", NULL) == ET_OK);
	et_writer_close(w);
	et_batch_free(b);
}

static int verify(const void *data, size_t len, struct et_reader_stats *stats)
{
	struct et_io io;

	faults = 0;
	CHECK(et_io_memory(data, len, &io) == ET_OK);
	return et_verify(&io, note_fault, NULL, stats, NULL);
}

struct outcome {
	int rc;
	struct et_recovery report;
	unsigned events, losses;	/* in the result; of the first file */
	uint64_t lost;			/* counts of its rows of kind lost, cause damaged */
	bool ended;
};

/* Every event of the result was written, and none is there twice. */
static void read_result(const struct sink *out, struct outcome *o, const char *label)
{
	bool seen[EVENTS] = { false };
	struct et_record rec;
	struct et_reader *r;
	struct et_io io;

	CHECK(et_io_memory(out->data, out->len, &io) == ET_OK);
	CHECK_CASE(label, et_reader_open(&io, NULL, NULL, &r, NULL) == ET_OK);
	while (et_reader_next(r, &rec, NULL) == ET_OK) {
		struct et_chunk *c;

		o->ended = rec.type == ET_REC_END || rec.type == ET_REC_FOOTER;
		if (!rec.rows || et_reader_chunk(r, &c, NULL))
			continue;
		for (uint32_t row = 0; row < rec.rows; row++) {
			struct et_event ev;
			uint64_t id;

			CHECK_CASE(label, et_chunk_event(c, row, &ev, NULL) == ET_OK);
			if (ev.v[ET_F_KIND].u == ET_LOST) {
				o->losses++;
				if (ev.v[ET_F_CAUSE].u == ET_CAUSE_DAMAGED)
					o->lost += ev.v[ET_F_COUNT].u;
				continue;
			}
			id = ev.v[ET_F_PID].u - 1000;
			if (id >= EVENTS)
				continue;
			CHECK_CASE(label, !seen[id] && !event_differs(&ev, &sent[id]) &&
						  ev.realtime == sent[id].realtime);
			seen[id] = true;
			o->events++;
		}
		et_chunk_free(c);
	}
	et_reader_close(r);
}

static struct outcome recover(const void *data, size_t len, const char *label)
{
	const struct et_recover_calls calls = { .fault = note_fault, .gap = note_gap };
	struct outcome o = { 0 };
	struct sink out = { 0 };
	struct et_reader_stats stats;
	struct et_io in, io = sink_io(&out);

	CHECK(et_io_memory(data, len, &in) == ET_OK);
	o.rc = et_recover(&in, &io, &calls, &o.report, NULL);
	CHECK(out.closed == 1);
	if (!o.rc && out.len) {
		CHECK_CASE(label, verify(out.data, out.len, &stats) == ET_OK && !faults);
		CHECK_CASE(label, !stats.unclean && !stats.missing && out.len == o.report.bytes);
		read_result(&out, &o, label);
		CHECK_CASE(label, o.ended);
	}
	free(out.data);
	return o;
}

static void test_intact(void)
{
	struct et_reader_stats stats;
	struct outcome o;

	CHECK(verify(file.data, file.len, &stats) == ET_OK && !faults);
	CHECK(stats.segments == 1 && !stats.unclean && stats.lost[ET_CAUSE_RING_FULL] == 7);
	o = recover(file.data, file.len, "intact");
	CHECK(!o.rc && o.events == EVENTS && o.losses == 1 && !o.report.missing && !o.report.faults &&
	      !o.report.unknown && o.report.bytes == file.len);
}

static void test_prefixes(void)
{
	struct et_reader_stats stats;
	unsigned last = 0;

	for (size_t len = 0; len < file.len; len++) {
		struct outcome o = recover(file.data, len, "prefix");

		CHECK(o.rc == ET_OK || o.rc == ET_CORRUPT);
		CHECK(o.events >= last && o.events % ROWS == 0);
		/* A record whose head is whole says how many go with it. */
		CHECK(o.lost == o.report.missing && o.lost % ROWS == 0 && o.lost <= ROWS);
		/* Whole records are kept; without END nobody knows what came behind. */
		CHECK(o.rc || o.report.unknown || o.events == EVENTS);
		last = o.events;
		if (len)
			CHECK(verify(file.data, len, &stats) != ET_OK || stats.unclean ||
			      last == EVENTS);
	}
	CHECK(last == EVENTS);
}

static void check_damaged(const struct outcome *o, const char *label)
{
	uint64_t all = o->events + o->report.missing;

	CHECK_CASE(label, o->rc == ET_OK || o->rc == ET_CORRUPT);
	/*
	 * With END in place every event that is not there is counted. The row of kind
	 * lost may be one of them: of a row that is gone nobody can say its kind.
	 */
	CHECK_CASE(label, o->rc || o->report.unknown ||
				  (all >= EVENTS && all <= EVENTS + 1 &&
				   o->lost == o->report.missing && o->report.events == o->events));
}

static void test_flips(void)
{
	uint8_t *data = malloc(file.len);

	memcpy(data, file.data, file.len);
	for (size_t at = 0; at < file.len; at++) {
		struct et_reader_stats stats;
		struct outcome o;

		data[at] ^= (uint8_t)(1 + rng() % 255);
		o = recover(data, file.len, "flip");
		check_damaged(&o, "flip");
		CHECK(!o.rc && o.events >= EVENTS - ROWS);
		/* Only what is unused may change without anybody's notice. */
		if (verify(data, file.len, &stats) == ET_OK)
			CHECK(!faults && o.events == EVENTS && !o.report.faults);
		data[at] = file.data[at];
	}
	free(data);
}

static void test_blocks(void)
{
	const size_t block = 512;
	uint8_t *data = malloc(file.len + block);

	for (size_t at = 0; at + block <= file.len; at += block) {
		struct outcome o;

		memcpy(data, file.data, file.len);
		memset(data + at, 0, block);
		o = recover(data, file.len, "zeroed");
		check_damaged(&o, "zeroed");

		memcpy(data, file.data, at + block);
		memcpy(data + at + block, file.data + at, file.len - at);
		o = recover(data, file.len + block, "doubled");
		check_damaged(&o, "doubled");
	}
	free(data);
}

/* What was appended to a capture that is cut off is found in the record it fell into. */
static void test_appended(void)
{
	struct sink both = { 0 }, second = { 0 };
	struct outcome o;

	make_file(&second, 2, true);
	for (size_t cut = second.len / 4; cut < second.len; cut += 17) {
		both.len = 0;
		sink_write(&both, second.data, cut);
		sink_write(&both, file.data, file.len);
		o = recover(both.data, both.len, "appended");
		CHECK(!o.rc && o.events == EVENTS && o.report.segments == 2);
	}
	free(both.data);
	free(second.data);
}

/* Without the file header: columns are taken to be ours. */
static void test_headless(void)
{
	uint8_t *data = malloc(file.len);
	struct outcome o;

	memcpy(data, file.data, file.len);
	memset(data, 0, RECORD_FIXED);
	o = recover(data, file.len, "no header");
	CHECK(!o.rc && o.events == EVENTS && o.report.faults && !o.report.missing);
	o = recover(data + 300, file.len - 300, "beginning cut off");
	CHECK(!o.rc && o.events == EVENTS);
	memset(data, 0, file.len);
	o = recover(data, file.len, "zeros");
	CHECK(o.rc == ET_CORRUPT);
	free(data);
}

/* ---- What is told of gaps --------------------------------------------------------------- */

static size_t find_chunk(unsigned nth)
{
	size_t at = 0;
	struct frame f;

	for (;; at += frame_size(&f)) {
		CHECK(frame_get(file.data + at, &f));
		if (f.type == ET_REC_CHUNK && !nth--)
			return at;
	}
}

/* Whether a chunk's events lie where the last gap says that they did. */
static bool gap_holds(unsigned chunk)
{
	bool holds = last_gap.count == ROWS;

	for (unsigned row = 0; row < ROWS; row++) {
		const struct et_event *ev = &sent[chunk * ROWS + row];
		int64_t wall = (int64_t)ev->v[ET_F_TS].u + ev->realtime;

		holds = holds && wall >= last_gap.from && wall <= last_gap.until;
	}
	return holds;
}

/* A record of names behind the gap has its count, but no time. */
static void test_gap_times(void)
{
	uint8_t *data = malloc(file.len);
	struct outcome o;

	memcpy(data, file.data, file.len);
	memset(data + find_chunk(1), 0, RECORD_FIXED);
	o = recover(data, file.len, "before names");
	CHECK(!o.rc && o.report.missing == ROWS && gap_holds(1));
	/* No more rows come, only what says that there were some. */
	memcpy(data, file.data, file.len);
	memset(data + find_chunk(1), 0, RECORD_FIXED);
	o = recover(data, find_chunk(2), "before names, at the end");
	CHECK(!o.rc && o.report.missing == ROWS && o.lost == ROWS && gap_holds(1));
	CHECK(last_gap.until == INT64_MAX);
	/* Without the file header nothing says what the wall clock was at the start. */
	o = recover(file.data + find_chunk(1), file.len - find_chunk(1), "no start");
	CHECK(!o.rc && o.report.missing == ROWS && gap_holds(0));
	CHECK(last_gap.from == sent[ROWS].realtime);
	free(data);
}

/* One chunk, END, and the chunk again. */
static void make_odd(struct sink *to, uint64_t lost_at_end)
{
	struct et_writer_options opt = { .program = "test", .started = { 1000, 5000 } };
	uint64_t lost[ET_CAUSE_END] = { 0 };
	struct et_batch *b = et_batch_new();
	struct et_io io = sink_io(to);
	struct et_writer *w;

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	for (unsigned row = 0; row < ROWS; row++)
		CHECK(et_batch_add(b, &sent[row], NULL) == ET_OK);
	CHECK(et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) == ET_OK);
	lost[ET_CAUSE_RING_FULL] = lost_at_end;
	CHECK(et_writer_end(w, (struct et_clock){ 9000000, 0 }, lost, "test", NULL) == ET_OK);
	CHECK(et_writer_batch(w, ET_REC_CHUNK, b, lost, NULL) == ET_OK);
	et_writer_close(w);
	et_batch_free(b);
}

/* Rows behind END are not kept, and that is not kept quiet; a count may be as large as it likes. */
static void test_odd(void)
{
	struct sink out = { 0 };
	struct outcome o;

	make_odd(&out, UINT64_MAX);
	o = recover(out.data, out.len, "odd");
	CHECK(!o.rc && o.events == ROWS && o.losses == 1 && o.report.missing == ROWS && o.report.faults == 1);
	free(out.data);
}

/* ---- Lies with right checksums -------------------------------------------------------- */

/* Puts the record of that type, the nth, anew with a tag's value changed. */
static bool forge(struct sink *out, unsigned type, unsigned nth, unsigned tag, size_t byte, uint8_t add)
{
	size_t at = 0;
	bool done = false;

	out->len = 0;
	while (at < file.len) {
		struct buf head = { 0 }, body = { 0 }, record = { 0 };
		struct cursor c;
		struct frame f;
		size_t size;

		CHECK(frame_get(file.data + at, &f));
		size = frame_size(&f);
		c = cur_make(file.data + at + RECORD_FIXED, f.head_len);
		while (cur_left(&c)) {
			uint64_t id = cur_varint(&c);
			struct cursor v = cur_sub(&c, cur_varint(&c));
			uint8_t value[4096];
			size_t len = cur_left(&v);

			memcpy(value, cur_take(&v, len), len);
			if (f.type == type && !nth && id == tag && byte < len) {
				value[byte] = (uint8_t)(value[byte] + add);
				done = true;
			}
			buf_varint(&head, id);
			buf_bytes(&head, value, len);
		}
		if (f.type == type)
			nth--;
		buf_add(&body, file.data + at + RECORD_FIXED + f.head_len, f.body_len);
		record_put(&record, &f, &head, &body);
		sink_write(out, record.data, record.len);
		buf_free(&head);
		buf_free(&body);
		buf_free(&record);
		at += size;
	}
	return done;
}

static const struct {
	const char *label;
	unsigned type, nth, tag;
	size_t byte;
	uint8_t add;
	const char *fault;
} lies[] = {
	{ "PLACE at", ET_REC_CHUNK, 1, TAG_PLACE, 0, 1, "PLACE is not where" },
	{ "PLACE back", ET_REC_CHUNK, 1, TAG_PLACE, 2, 8, "PLACE does not lead" },
	{ "latest of TIME", ET_REC_CHUNK, 1, TAG_TIME, 8, 1, "TIME is not" },
	{ "LATEST", ET_REC_CHUNK, 3, TAG_LATEST, 2, 0xff, "LATEST is before" },
	{ "STATS", ET_REC_CHUNK, 2, TAG_STATS, 24, 1, "STATS" },
	{ "COMMS", ET_REC_CHUNK, 1, TAG_COMMS, 0, 1, "COMMS" },
	{ "LOST of a chunk", ET_REC_CHUNK, 3, TAG_LOST, 1, 1, "LOST counts fewer" },
	{ "LOST of END", ET_REC_END, 0, TAG_LOST, 1, 1, "LOST is not the sum" },
	{ "KINDS of END", ET_REC_END, 0, TAG_KINDS, 1, 1, "KINDS of END" },
	{ "STEP_BACK", ET_REC_END, 0, TAG_STEP_BACK, 1, 0xff, "STEP_BACK is smaller" },
	{ "END_AT", ET_REC_FOOTER, 0, TAG_END_AT, 0, 8, "FOOTER does not say" },
	{ "SEGMENT_LEN", ET_REC_FOOTER, 0, TAG_SEGMENT_LEN, 0, 8, "FOOTER does not say" },
};

static void test_lies(void)
{
	struct et_reader_stats stats;
	struct sink out = { 0 };

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct outcome o;

		CHECK_CASE(lies[i].label, forge(&out, lies[i].type, lies[i].nth, lies[i].tag,
						lies[i].byte, lies[i].add));
		CHECK_CASE(lies[i].label, verify(out.data, out.len, &stats) == ET_CORRUPT && faults);
		if (faults == 1)
			CHECK_CASE(last_fault, strstr(last_fault, lies[i].fault));
		o = recover(out.data, out.len, lies[i].label);
		CHECK_CASE(lies[i].label, !o.rc && o.events == EVENTS && !o.report.missing);
	}
	/* The forger itself changes nothing. */
	CHECK(forge(&out, ET_REC_CHUNK, 0, TAG_ROWS, 0, 0));
	CHECK(out.len == file.len && !memcmp(out.data, file.data, file.len));
	free(out.data);
}

int main(void)
{
	make_file(&file, 1, true);
	test_intact();
	test_prefixes();
	test_flips();
	test_blocks();
	test_appended();
	test_headless();
	test_gap_times();
	test_odd();
	test_lies();
	for (unsigned i = 0; i < EVENTS; i++)
		event_free(&sent[i]);
	free(file.data);
	return check_result();
}
