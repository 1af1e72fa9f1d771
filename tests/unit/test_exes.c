/* SPDX-License-Identifier: BSD-2-Clause */
/* Executables that travel in a capture: what is written is read, and nothing else is. */
#include "check.h"
#include "memory_io.h"

#include "bounds.h"
#include "bytes.h"
#include "exes.h"

#define TEXT(s)                                                                               \
	{                                                                                     \
		s, sizeof(s) - 1                                                              \
	}
#define ALL (ET_EXE_DEV | ET_EXE_INODE | ET_EXE_SIZE | ET_EXE_MTIME)

static const struct et_exe first[] = {
	{ .known = ALL,
	  .dev = 8 << 20 | 1,
	  .inode = 42,
	  .size = 1234567,
	  .mtime = 1700000000123456789,
	  .path = TEXT("/usr/bin/ls"),
	  .build_id = TEXT("\0\1\2\3 with a NUL"),
	  .interpreter = TEXT("/lib64/ld-linux-x86-64.so.2") },
	{ .path = TEXT("memfd:x") },
	{ .known = ET_EXE_MTIME, .mtime = -1, .path = TEXT("/\xff") },
	{ .known = ALL,
	  .dev = UINT64_MAX,
	  .inode = UINT64_MAX,
	  .size = UINT64_MAX,
	  .mtime = INT64_MIN,
	  .path = TEXT("/most") },
};

/* The first once more, with less known of it; the same file made anew; another number known.
 */
static const struct et_exe second[] = {
	{ .known = ALL,
	  .dev = 8 << 20 | 1,
	  .inode = 42,
	  .size = 1234567,
	  .mtime = 1700000000123456789,
	  .path = TEXT("/usr/bin/ls") },
	{ .known = ALL,
	  .dev = 8 << 20 | 1,
	  .inode = 42,
	  .size = 1234567,
	  .mtime = 1700000000123456790,
	  .path = TEXT("/usr/bin/ls") },
	{ .known = ET_EXE_SIZE, .path = TEXT("memfd:x") },
};

static bool same_text(struct et_str a, struct et_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

static bool same(const struct et_exe *a, const struct et_exe *b)
{
	return a->known == b->known && a->dev == b->dev && a->inode == b->inode &&
	       a->size == b->size && a->mtime == b->mtime && same_text(a->path, b->path) &&
	       same_text(a->build_id, b->build_id) &&
	       same_text(a->interpreter, b->interpreter);
}

static struct et_writer *open_writer(struct sink *sink)
{
	struct et_writer_options opt = { .program = "test" };
	struct et_io io = sink_io(sink);
	struct et_writer *w;

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	return w;
}

static void end_writer(struct et_writer *w)
{
	static const uint64_t lost[ET_CAUSE_END];

	CHECK(et_writer_end(w, (struct et_clock){ 0 }, lost, "test", NULL) == ET_OK);
	et_writer_close(w);
}

/* Reads a capture to its end; the context then says what its last segment said. */
static struct et_context *read_all(const struct sink *sink, unsigned *records)
{
	struct et_context *c = et_context_new();
	struct et_reader *r;
	struct et_record rec;
	struct et_io io;

	*records = 0;
	CHECK(et_io_memory(sink->data, sink->len, &io) == ET_OK);
	CHECK(et_reader_open(&io, NULL, NULL, &r, NULL) == ET_OK);
	while (et_reader_next(r, &rec, NULL) == ET_OK) {
		*records += rec.type == ET_REC_EXES;
		CHECK(et_context_take(c, r, &rec, NULL) == ET_OK);
	}
	et_reader_close(r);
	return c;
}

static void test_table(void)
{
	const struct et_exe *v, *expected[] = { &second[0], &first[1],  &first[2],
						&first[3],  &second[1], &second[2] };
	struct sink sink = { 0 };
	struct et_writer *w = open_writer(&sink);
	struct et_context *c;
	unsigned records;

	CHECK(et_writer_exes(w, first, 4, NULL) == ET_OK);
	CHECK(et_writer_exes(w, NULL, 0, NULL) == ET_OK);
	CHECK(et_writer_exes(w, second, 3, NULL) == ET_OK);
	end_writer(w);
	c = read_all(&sink, &records);
	CHECK(records == 2);
	CHECK(et_context_exes(c, &v) == 6);
	for (unsigned i = 0; i < 6; i++)
		CHECK(same(&v[i], expected[i]));
	et_context_free(c);

	/* A new segment knows nothing of the one before. */
	w = open_writer(&sink);
	CHECK(et_writer_exes(w, first, 1, NULL) == ET_OK);
	end_writer(w);
	c = read_all(&sink, &records);
	CHECK(records == 3);
	CHECK(et_context_exes(c, &v) == 1 && same(&v[0], &first[0]));
	et_context_free(c);
	free(sink.data);
}

/* The largest there can be fill a record as the header says. */
static void test_most(void)
{
	static char text[ET_EXE_TEXT_MAX + 1];
	static struct et_exe v[4096];
	struct et_exe one = first[3];
	const struct et_exe *out;
	struct sink sink = { 0 };
	struct et_writer *w = open_writer(&sink);
	struct et_context *c;
	unsigned records;
	size_t len;

	memset(text, 'x', sizeof(text));
	one.path = one.interpreter = (struct et_str){ text, ET_EXE_TEXT_MAX };
	one.build_id = (struct et_str){ text, ET_BUILD_ID_MAX };
	for (unsigned i = 0; i < 4096; i++) {
		v[i] = one;
		v[i].inode -= i;
	}
	CHECK(et_writer_exes(w, v, 4096, NULL) == ET_OK);
	len = sink.len;
	one.build_id.len++;
	CHECK(et_writer_exes(w, &one, 1, NULL) == ET_MISUSE);
	one.build_id.len--;
	one.path.len++;
	CHECK(et_writer_exes(w, &one, 1, NULL) == ET_MISUSE);
	one.path.len = 0;
	CHECK(et_writer_exes(w, &one, 1, NULL) == ET_MISUSE);
	one.path = (struct et_str)TEXT("/a\0b");
	CHECK(et_writer_exes(w, &one, 1, NULL) == ET_MISUSE);
	one.path.len = 2;
	one.interpreter.len++;
	CHECK(et_writer_exes(w, &one, 1, NULL) == ET_MISUSE);
	CHECK(sink.len == len);
	end_writer(w);
	c = read_all(&sink, &records);
	CHECK(et_context_exes(c, &out) == 4096);
	for (unsigned i = 0; i < 4096; i++)
		CHECK(same(&out[i], &v[i]));
	et_context_free(c);
	free(sink.data);
}

/* Bodies of one executable, without the length in front. */
static const struct {
	const char *name;
	bool valid;
	struct et_str tags;
} bodies[] = {
	{ "a path", true, TEXT("\1\2/a") },
	{ "all", true,
	  TEXT("\1\1a\2\1\0\3\1\1\4\2\x80\1\5\x8"
	       "12345678\6\1\0\7\1b") },
	{ "a tag of a later version", true, TEXT("\1\1a\x8\3abc") },
	{ "a tag with nothing in it", true, TEXT("\1\1a\x9\0") },
	{ "nothing", false, TEXT("") },
	{ "no path", false, TEXT("\2\1\1") },
	{ "an empty path", false, TEXT("\1\0") },
	{ "a path with a NUL", false, TEXT("\1\2a\0") },
	{ "a tag twice", false, TEXT("\1\1a\1\1a") },
	{ "tags that descend", false, TEXT("\1\1a\3\1\1\2\1\1") },
	{ "tag 0", false, TEXT("\0\1a\1\1a") },
	{ "a path that is cut", false, TEXT("\1\3/a") },
	{ "a device of no bytes", false, TEXT("\1\1a\2\0") },
	{ "a device and more", false, TEXT("\1\1a\2\2\1\1") },
	{ "a number that is not the shortest", false, TEXT("\1\1a\2\2\x81\0") },
	{ "a time of seven bytes", false,
	  TEXT("\1\1a\5\7"
	       "1234567") },
	{ "a time of nine bytes", false,
	  TEXT("\1\1a\5\x9"
	       "123456789") },
	{ "an empty build-id", false, TEXT("\1\1a\6\0") },
	{ "an empty interpreter", false, TEXT("\1\1a\7\0") },
	{ "an interpreter with a NUL", false, TEXT("\1\1a\7\1\0") },
	{ "a tag without a length", false, TEXT("\1\1a\2") },
};

static void test_bodies(void)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct buf body = { 0 };
		struct et_exe exe;
		struct cursor c;
		bool ok;

		buf_bytes(&body, bodies[i].tags.ptr, bodies[i].tags.len);
		c = cur_make(body.data, body.len);
		ok = exes_next(&c, &exe) && cur_done(&c);
		CHECK_CASE(bodies[i].name, ok == bodies[i].valid);
		/* A byte less of the record is always too little. */
		c = cur_make(body.data, body.len - 1);
		CHECK(!exes_next(&c, &exe));
		buf_free(&body);
	}
}

/* As many as a reader keeps, and one more. */
static void test_limit(void)
{
	struct exes t = { .seed = 1 };
	struct et_exe e = { .known = ET_EXE_INODE, .path = TEXT("a") };

	for (uint32_t i = 0; i < LIMIT_NAMES; i++) {
		e.inode = i;
		if (exes_put(&t, &e) != ET_OK)
			break;
	}
	CHECK(t.n == LIMIT_NAMES);
	CHECK(exes_put(&t, &e) == ET_OK && t.n == LIMIT_NAMES);
	e.inode++;
	CHECK(exes_put(&t, &e) == ET_LIMIT && t.n == LIMIT_NAMES);
	exes_clear(&t);
	CHECK(exes_put(&t, &e) == ET_OK && t.n == 1);
	exes_free(&t);
}

int main(void)
{
	test_table();
	test_most();
	test_bodies();
	test_limit();
	return check_result();
}
