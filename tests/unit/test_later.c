/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies that are read later, against those that are read in their turn: the same rows,
 * faults and counts, for all files of tests/files and for such with bytes changed and cut
 * off; whether the reader waits for each or goes ahead.
 */
#include "check.h"
#include "memory_io.h"

#include <dirent.h>
#include <stdio.h>

#define AHEAD 5

static void add(uint64_t *hash, const void *p, size_t len)
{
	for (const unsigned char *c = p; len; c++, len--)
		*hash = (*hash ^ *c) * 0x100000001b3ull;
}

/* What reading has told. Faults are added up, for those met ahead come earlier. */
struct told {
	uint64_t rows, faults, fault_hash, row_hash, failed;
	struct et_reader_stats stats;
	uint64_t loaded;	/* bodies that came later */
};

static void on_fault(void *ctx, const struct et_error *fault)
{
	struct told *t = ctx;
	uint64_t hash = 0xcbf29ce484222325ull;

	add(&hash, &fault->code, sizeof(fault->code));
	add(&hash, &fault->at, sizeof(fault->at));
	add(&hash, fault->what, strlen(fault->what));
	t->faults++;
	t->fault_hash += hash;
}

static void take_rows(struct told *t, struct et_chunk *c)
{
	struct et_event ev;

	for (uint32_t row = 0; row < et_chunk_rows(c); row++) {
		struct et_error err = { 0 };
		int r = et_chunk_event(c, row, &ev, &err);

		add(&t->row_hash, &r, sizeof(r));
		if (r) {
			add(&t->row_hash, err.what, strlen(err.what));
			break;
		}
		t->rows++;
		for (unsigned id = 1; id < ET_FIELD_END; id++) {
			if (!ET_HAS(&ev, id))
				continue;
			add(&t->row_hash, &id, sizeof(id));
			if (et_fields[id].type == ET_STR)
				add(&t->row_hash, ev.v[id].s.ptr, ev.v[id].s.len);
			else if (et_fields[id].type == ET_LIST)
				add(&t->row_hash, ev.v[id].l.ptr, ev.v[id].l.len);
			else
				add(&t->row_hash, &ev.v[id].u, sizeof(ev.v[id].u));
		}
	}
}

static void settle(struct told *t, struct et_reader *r, struct et_chunk *c)
{
	struct et_error loaded = { 0 }, settled = { 0 };
	int code = et_chunk_load(c, &loaded), again = et_reader_settle(r, c, &settled);

	CHECK(code == again && loaded.what == settled.what);
	t->loaded++;
	t->failed += code != ET_OK;
	if (!code)
		take_rows(t, c);
	et_chunk_free(c);
}

/* ahead: chunks that the reader goes on before the first is loaded; -1: none comes later. */
static int read_all(const uint8_t *data, size_t len, int ahead, struct told *t)
{
	struct et_chunk *waiting[AHEAD + 1], *c;
	struct et_record rec;
	struct et_reader *r;
	struct et_io io;
	int n = 0, code;

	*t = (struct told){ 0 };
	CHECK(et_io_memory(data, len, &io) == ET_OK);
	code = et_reader_open(&io, on_fault, t, &r, NULL);
	if (code)
		return code;
	while (!(code = et_reader_next(r, &rec, NULL))) {
		int later = ET_EOF;

		if (!rec.rows)
			continue;
		if (ahead >= 0)
			later = et_reader_later(r, &waiting[n], NULL);
		CHECK(later == ET_OK || (later == ET_EOF && (ahead < 0 || !waiting[n])));
		if (!later && n++ < ahead)
			continue;
		for (int i = 0; i < n; i++)
			settle(t, r, waiting[i]);
		n = 0;
		if (!later)
			continue;
		if (et_reader_chunk(r, &c, NULL)) {
			t->failed++;
			continue;
		}
		take_rows(t, c);
		et_chunk_free(c);
	}
	for (int i = 0; i < n; i++)
		settle(t, r, waiting[i]);
	et_reader_stats(r, &t->stats);
	et_reader_close(r);
	return code;
}

static uint64_t all_rows, all_failed, all_loaded, all_faults;

static void compare(const uint8_t *data, size_t len, const char *label)
{
	struct told turn, later;
	int code = read_all(data, len, -1, &turn);

	for (int ahead = 0; ahead <= AHEAD; ahead += AHEAD) {
		CHECK_CASE(label, read_all(data, len, ahead, &later) == code);
		CHECK_CASE(label, turn.rows == later.rows && turn.failed == later.failed);
		CHECK_CASE(label, turn.row_hash == later.row_hash);
		CHECK_CASE(label, turn.faults == later.faults && turn.fault_hash == later.fault_hash);
		CHECK_CASE(label, !memcmp(&turn.stats, &later.stats, sizeof(turn.stats)));
	}
	all_rows += turn.rows;
	all_failed += turn.failed;
	all_faults += turn.faults;
	all_loaded += later.loaded;
}

/* Also with a byte changed or with its end missing, in some places of each. */
static void compare_file(const char *path, const char *name)
{
	FILE *file = fopen(path, "rb");
	static uint8_t data[1 << 20];
	size_t len = file ? fread(data, 1, sizeof(data), file) : 0;

	CHECK(file && len < sizeof(data));
	if (file)
		fclose(file);
	compare(data, len, name);
	for (size_t at = 60; at < len; at += 61 + len / 40) {
		data[at] ^= 0x10;
		compare(data, len, name);
		data[at] ^= 0x10;
		compare(data, at, name);
	}
}

static void test_misuse(const uint8_t *data, size_t len)
{
	struct et_record rec;
	struct et_reader *r = NULL;
	struct et_chunk *c;
	struct et_io io;

	CHECK(!et_io_memory(data, len, &io) && !et_reader_open(&io, NULL, NULL, &r, NULL));
	CHECK(!et_reader_next(r, &rec, NULL) && !rec.rows);
	CHECK(et_reader_later(r, &c, NULL) == ET_MISUSE && !c);
	while (!rec.rows)
		CHECK(!et_reader_next(r, &rec, NULL));
	CHECK(!et_reader_later(r, &c, NULL) && et_chunk_memory(c) > 0);
	CHECK(et_reader_settle(r, c, NULL) == ET_MISUSE);
	CHECK(!et_chunk_load(c, NULL) && et_chunk_load(c, NULL) == ET_MISUSE);
	CHECK(!et_reader_settle(r, c, NULL));
	et_chunk_free(c);
	et_reader_close(r);
	/* Where nothing can be read at an offset, everything comes in its turn. */
	io = pipe_io(data, len);
	CHECK(!et_reader_open(&io, NULL, NULL, &r, NULL));
	do
		CHECK(!et_reader_next(r, &rec, NULL));
	while (!rec.rows);
	CHECK(et_reader_later(r, &c, NULL) == ET_EOF && !c && !et_reader_chunk(r, &c, NULL));
	et_chunk_free(c);
	et_reader_close(r);
}

int main(int argc, char **argv)
{
	char folder[4096], path[4400];
	struct dirent *e;
	unsigned files = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s", argc > 1 ? argv[1] : "SPEC.md");
	snprintf(strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder, 32, "tests/files");
	dir = opendir(folder);
	CHECK(dir);
	while (dir && (e = readdir(dir))) {
		const char *end = strrchr(e->d_name, '.');

		if (!end || strcmp(end, ".etz"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		compare_file(path, e->d_name);
		files++;
		if (!strcmp(e->d_name, "good-kinds.etz")) {
			FILE *file = fopen(path, "rb");
			uint8_t data[65536];
			size_t len = file ? fread(data, 1, sizeof(data), file) : 0;

			test_misuse(data, len);
			if (file)
				fclose(file);
		}
	}
	if (dir)
		closedir(dir);
	printf("%u files, %llu rows, %llu faults, %llu bodies failed, %llu came later\n", files,
	       (unsigned long long)all_rows, (unsigned long long)all_faults,
	       (unsigned long long)all_failed, (unsigned long long)all_loaded);
	CHECK(files > 100 && all_rows > 1000 && all_failed > 100 && all_loaded > 1000);
	return check_result();
}
