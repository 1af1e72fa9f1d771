/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that travel in a capture: the later word counts. */
#include "check.h"
#include "memory_io.h"

static const struct et_name users[] = {
	{ 1000, false, { "ann", 3 } }, { 0, false, { "root", 4 } }, { 0, true, { "wheel", 5 } },
};
static const struct et_name later[] = { { 1000, false, { "anna", 4 } }, { 7, false, { "", 0 } } };
static const struct et_name groups[] = { { 42, false, { "/a/b", 4 } } };
static const struct et_pair host[] = { { "hostname", { "box", 3 } }, { "x", { "", 0 } } };

static void write_capture(struct sink *sink, bool second)
{
	static const uint64_t lost[ET_CAUSE_END];
	struct et_writer_options opt = { .program = "test" };
	struct et_io io = sink_io(sink);
	struct et_writer *w;

	CHECK(et_writer_open(&io, &opt, &w, NULL) == ET_OK);
	if (second) {
		CHECK(et_writer_names(w, ET_REC_USERS, later, 1, NULL) == ET_OK);
	} else {
		CHECK(et_writer_host(w, host, 2, NULL) == ET_OK);
		CHECK(et_writer_names(w, ET_REC_USERS, users, 3, NULL) == ET_OK);
		CHECK(et_writer_names(w, ET_REC_CGROUPS, groups, 1, NULL) == ET_OK);
		CHECK(et_writer_names(w, ET_REC_USERS, later, 2, NULL) == ET_OK);
	}
	CHECK(et_writer_end(w, (struct et_clock){ 0 }, lost, "test", NULL) == ET_OK);
	et_writer_close(w);
}

/* Reads the records of one segment into c. */
static void take_segment(struct et_context *c, struct et_reader *r, unsigned segment)
{
	struct et_record rec;

	do {
		CHECK(et_reader_next(r, &rec, NULL) == ET_OK && rec.segment == segment);
		CHECK(et_context_take(c, r, &rec, NULL) == ET_OK);
	} while (rec.type != ET_REC_FOOTER);
}

/* Each name once, whatever their order: 0 and 7 and 1000, and a group. */
static void check_all_names(const struct et_context *c)
{
	struct et_name name;
	uint64_t ids = 0;
	unsigned n = 0;

	for (size_t at = 0; et_context_next(c, false, &at, &name); n++) {
		ids += name.id;
		CHECK(!name.group && !strcmp(name.name.ptr, et_context_user(c, name.id)));
		CHECK(name.name.len == strlen(name.name.ptr));
	}
	CHECK(n == 3 && ids == 1007);
	n = 0;
	for (size_t at = 0; et_context_next(c, true, &at, &name); n++)
		CHECK(name.group && name.id == 0 && !strcmp(name.name.ptr, "wheel"));
	CHECK(n == 1);
}

static void check_first(const struct et_context *c)
{
	const struct et_pair *pairs;
	uint64_t id;

	CHECK(!strcmp(et_context_user(c, 1000), "anna"));
	CHECK(!strcmp(et_context_user(c, 0), "root"));
	CHECK(!strcmp(et_context_user(c, 7), ""));
	CHECK(!et_context_user(c, 1));
	CHECK(!strcmp(et_context_group(c, 0), "wheel"));
	CHECK(!et_context_group(c, 1000));
	CHECK(!strcmp(et_context_cgroup(c, 42), "/a/b"));
	CHECK(!strcmp(et_context_host(c, "hostname"), "box"));
	CHECK(!strcmp(et_context_host(c, "x"), ""));
	CHECK(!et_context_host(c, "y"));
	CHECK(et_context_pairs(c, &pairs) == 2);
	CHECK(et_context_find_user(c, "anna", &id) && id == 1000);
	CHECK(!et_context_find_user(c, "ann", &id));
	CHECK(et_context_find_group(c, "wheel", &id) && id == 0);
	check_all_names(c);
}

int main(void)
{
	struct et_context *c = et_context_new();
	struct sink sink = { 0 };
	struct et_reader *r;
	struct et_io io;

	write_capture(&sink, false);
	write_capture(&sink, true);
	CHECK(et_io_memory(sink.data, sink.len, &io) == ET_OK);
	CHECK(et_reader_open(&io, NULL, NULL, &r, NULL) == ET_OK);
	take_segment(c, r, 0);
	check_first(c);

	/* A new segment knows nothing of the one before. */
	take_segment(c, r, 1);
	CHECK(!strcmp(et_context_user(c, 1000), "anna"));
	CHECK(!et_context_user(c, 0) && !et_context_host(c, "hostname"));
	et_reader_close(r);
	et_context_free(c);
	free(sink.data);
	return check_result();
}
