/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a capture, through a file that seeks and through a pipe, all of it
 * and ranges of times: every record, name, column and event that the reader is
 * willing to hand out is read.
 */
#include "../unit/memory_io.h"

#include <exectrace.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So that nothing of the reading can be left out as unused. */
static volatile uint64_t seen;

/* Touches every byte, so that a bad pointer is found here. */
static uint64_t touch_event(const struct et_event *ev)
{
	uint64_t sum = 0;

	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		struct et_str s = { NULL, 0 };
		uint32_t at = 0;

		if (!ET_HAS(ev, f))
			continue;
		switch (et_fields[f].type) {
		case ET_STR:
			s = ev->v[f].s;
			for (uint32_t i = 0; i < s.len; i++)
				sum += (uint8_t)s.ptr[i];
			break;
		case ET_LIST:
			while (et_list_next(&ev->v[f].l, &at, &s))
				sum += s.len;
			break;
		default:
			sum += ev->v[f].u;
		}
	}
	return sum;
}

/* The chunk of the record at hand, whose body is read at once or, where that can be, later. */
static struct et_chunk *get_chunk(struct et_reader *r, bool later)
{
	struct et_chunk *c;
	int code = later ? et_reader_later(r, &c, NULL) : ET_EOF;

	if (code == ET_EOF)
		return et_reader_chunk(r, &c, NULL) ? NULL : c;
	if (code)
		return NULL;
	seen = et_chunk_memory(c);
	code = et_chunk_load(c, NULL);
	if (et_reader_settle(r, c, NULL) != code)
		abort();
	if (!code)
		return c;
	et_chunk_free(c);
	return NULL;
}

static uint64_t read_chunk(struct et_reader *r, bool later)
{
	struct et_column_size sizes[8];
	struct et_chunk *c = get_chunk(r, later);
	uint64_t sum = 0;

	if (!c)
		return 0;
	et_chunk_sizes(c, sizes, 8);
	for (uint32_t row = 0; row < et_chunk_rows(c) && row < 5000; row++) {
		struct et_event ev;

		if (et_chunk_event(c, row, &ev, NULL))
			break;
		sum += touch_event(&ev);
	}
	for (unsigned column = 0; column < 256; column++) {
		const struct et_span *spans;
		const uint64_t *uints;
		const uint32_t *ids;
		struct et_stored numbers;

		/* The two forms of a column are of one mind. */
		if (!et_chunk_stored(c, column, &numbers, NULL) &&
		    !et_chunk_uints(c, column, &uints, NULL))
			for (uint32_t row = 0; row < et_chunk_rows(c); row++)
				if (uints[row] != et_stored_number(&numbers, row))
					abort();
		et_chunk_ids(c, column, &ids, NULL);
		et_chunk_lists(c, column, &spans, &ids, NULL);
	}
	et_chunk_free(c);
	return sum;
}

/* range: for how many of the first row records one is told, and of which kinds; 0: none. */
static void read_capture(const struct et_io *io, bool bodies, unsigned range)
{
	struct et_context *names = et_context_new();
	struct et_reader_stats stats;
	struct et_record rec;
	struct et_reader *r;
	uint64_t sum = 0;

	if (et_reader_open(io, NULL, NULL, &r, NULL) == ET_OK) {
		while (et_reader_next(r, &rec, NULL) == ET_OK) {
			et_context_take(names, r, &rec, NULL);
			sum += (uint64_t)et_record_wall(&rec, rec.ts_min) + et_record_has_comm(&rec, "sh", 2);
			if (rec.rows && bodies)
				sum += read_chunk(r, rec.at / 8 % 2);
			if (rec.rows && range) {
				int64_t since = et_record_wall(&rec, rec.ts_max);

				et_reader_range(r, since, range & 1 ? INT64_MAX : since);
				range /= 2;
			}
		}
		et_reader_stats(r, &stats);
		et_reader_close(r);
		seen = sum + stats.missing;
	}
	et_context_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct et_io io;

	if (et_io_memory(data, size, &io) == ET_OK)
		read_capture(&io, true, 0);
	if (et_io_memory(data, size, &io) == ET_OK)
		read_capture(&io, true, 1 + size % 15);
	io = pipe_io(data, size);
	read_capture(&io, size & 1, size % 2);
	return 0;
}
