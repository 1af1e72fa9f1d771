/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_binaries.c - executables that are as they were, replaced, gone, or no file at all.
 */
#include "check.h"

#include "binaries.h"
#include "memory_io.h"
#include "unpack.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NO_PID 0x7ffffffe

static char folder[PATH_MAX];

static char *path_of(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* A copy of this program: an ELF file that has an interpreter and, usually, a build-id. */
static void put_elf(const char *name)
{
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0700);
	char buf[65536];
	ssize_t n;

	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		CHECK(write(to, buf, (size_t)n) == n);
	close(from);
	close(to);
}

static void put_text(const char *name, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0700);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* What a file is like now. */
static struct stat now(const char *name)
{
	struct stat st;

	CHECK(stat(path_of(name), &st) == 0);
	return st;
}

/* Notes that pid executed the file as it was then. */
static void note(struct binaries *x, struct ids *noted, const char *name, struct stat st,
		 uint32_t pid, bool stamped)
{
	struct unpack_stamp stamp = { (uint64_t)st.st_size,
				      st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec };
	struct et_event ev = { 0 };

	et_set_uint(&ev, ET_F_PID, pid);
	et_set_str(&ev, ET_F_EXE, path_of(name), (uint32_t)strlen(path_of(name)));
	et_set_uint(&ev, ET_F_EXE_DEV, major(st.st_dev) << 20 | minor(st.st_dev));
	et_set_uint(&ev, ET_F_EXE_INODE, st.st_ino);
	binaries_note(x, noted, &ev, stamped ? &stamp : NULL);
}

/* The executables of a file that is written now, in its order. To be closed. */
struct file {
	struct sink sink;
	struct et_writer *writer;
	struct et_reader *reader;
	struct et_context *context;
};

static void file_begin(struct file *f)
{
	struct et_writer_options options = { .program = "test" };
	struct et_io io;

	*f = (struct file){ .context = et_context_new() };
	io = sink_io(&f->sink);
	CHECK(et_writer_open(&io, &options, &f->writer, NULL) == ET_OK);
}

static size_t file_read(struct file *f, const struct et_exe **exes)
{
	struct et_record rec;
	struct et_io io;

	et_writer_close(f->writer);
	CHECK(et_io_memory(f->sink.data, f->sink.len, &io) == ET_OK);
	CHECK(et_reader_open(&io, NULL, NULL, &f->reader, NULL) == ET_OK);
	while (et_reader_next(f->reader, &rec, NULL) == ET_OK)
		CHECK(et_context_take(f->context, f->reader, &rec, NULL) == ET_OK);
	return et_context_exes(f->context, exes);
}

static void file_close(struct file *f)
{
	et_reader_close(f->reader);
	et_context_free(f->context);
	free(f->sink.data);
}

static void check_files(void)
{
	static const struct {
		const char *name;
		bool read;	/* it is an ELF file and was found */
		bool sized;
	} expected[] = {
		{ "sound", true, true },
		{ "sound-unsized", true, true },
		{ "text", false, true },
		{ "replaced", false, true },
		{ "rewritten", false, true },
		{ "gone", false, true },
		{ "gone-unsized", false, false },
		{ "pipe", false, true },
		{ "link", false, true },
		{ "self", true, true },
	};
	struct binaries *x = binaries_new(-1, false);
	struct ids noted = { .n = 0 };
	struct stat st;
	char other[PATH_MAX + 64];
	const struct et_exe *e;
	struct file f;
	size_t n;

	CHECK(x != NULL);
	if (!x)
		return;
	put_elf("sound");
	note(x, &noted, "sound", now("sound"), NO_PID, true);
	note(x, &noted, "sound", now("sound"), NO_PID, true);	/* is known by now */
	put_elf("sound-unsized");
	note(x, &noted, "sound-unsized", now("sound-unsized"), NO_PID, false);
	put_text("text", "#!/bin/sh\n");
	note(x, &noted, "text", now("text"), NO_PID, true);

	/* Another file under the name. */
	put_elf("replaced");
	st = now("replaced");
	put_elf("other");
	strcpy(other, path_of("other"));
	CHECK(rename(other, path_of("replaced")) == 0);
	note(x, &noted, "replaced", st, NO_PID, true);
	/* Another program in the same file, as large: only the time tells. */
	put_elf("rewritten");
	st = now("rewritten");
	st.st_mtim.tv_nsec ^= 1;
	note(x, &noted, "rewritten", st, NO_PID, true);
	put_elf("gone");
	st = now("gone");
	CHECK(unlink(path_of("gone")) == 0);
	note(x, &noted, "gone", st, NO_PID, true);
	note(x, &noted, "gone-unsized", st, NO_PID, false);
	/* Opening these would wait for ever, or lead elsewhere. */
	CHECK(mkfifo(path_of("pipe"), 0700) == 0);
	note(x, &noted, "pipe", now("pipe"), NO_PID, true);
	CHECK(symlink("sound", path_of("link")) == 0);
	note(x, &noted, "link", now("link"), NO_PID, true);
	/* A name that leads nowhere, but the process lives. */
	CHECK(stat("/proc/self/exe", &st) == 0);
	note(x, &noted, "self", st, (uint32_t)getpid(), true);

	file_begin(&f);
	binaries_want(x, &noted);
	CHECK(binaries_write(x, f.writer, NULL) == ET_OK);
	CHECK(binaries_write_rest(x, 2000, f.writer, NULL) == ET_OK);
	n = file_read(&f, &e);
	CHECK(n == sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < n && i < sizeof(expected) / sizeof(expected[0]); i++, e++) {
		CHECK_CASE(expected[i].name,
			   e->path.len == strlen(path_of(expected[i].name)) &&
			   !memcmp(e->path.ptr, path_of(expected[i].name), e->path.len));
		CHECK_CASE(expected[i].name, (e->interpreter.len > 0) == expected[i].read);
		CHECK_CASE(expected[i].name, !!(e->known & ET_EXE_SIZE) == expected[i].sized);
		CHECK_CASE(expected[i].name, !!(e->known & ET_EXE_MTIME) == expected[i].sized);
	}
	file_close(&f);
	binaries_free(x);
	ids_free(&noted);
}

/* More than can wait: all of them are told, in whatever order. */
static void check_many(void)
{
	enum { N = 20000 };
	static bool told[N];
	struct binaries *x = binaries_new(-1, false);
	struct ids noted = { .n = 0 };
	const struct et_exe *e;
	struct file f;
	size_t n;

	CHECK(x != NULL);
	if (!x)
		return;
	for (unsigned i = 0; i < N; i++) {
		struct stat st = { .st_ino = 1000000 + i };

		note(x, &noted, "many", st, NO_PID, true);
	}
	file_begin(&f);
	binaries_want(x, &noted);
	CHECK(binaries_write(x, f.writer, NULL) == ET_OK);
	CHECK(binaries_write_rest(x, 2000, f.writer, NULL) == ET_OK);
	n = file_read(&f, &e);
	CHECK(n == N);
	for (size_t i = 0; i < n; i++, e++) {
		uint64_t number = e->inode - 1000000;

		CHECK(number < N && !told[number]);
		told[number % N] = true;
	}
	file_close(&f);
	binaries_free(x);
	binaries_free(NULL);
	ids_free(&noted);
}

/* Each file has those that its own events name, also long after they were looked at. */
static void check_again(void)
{
	struct binaries *x = binaries_new(-1, true);
	const struct et_exe *e;

	CHECK(x != NULL);
	if (!x)
		return;
	put_elf("first");
	put_elf("second");
	for (unsigned i = 0; i < 60; i++) {
		struct ids noted = { .n = 0 };
		struct file f;
		size_t n;

		file_begin(&f);
		/* The first is named by few files, in between by none, and gone by then. */
		if (i < 3 || i == 50) {
			struct stat st = { .st_ino = 1 };

			note(x, &noted, "first", i == 50 ? st : now("first"), NO_PID, true);
		}
		note(x, &noted, "second", now("second"), NO_PID, true);
		note(x, &noted, "second", now("second"), NO_PID, true);
		binaries_want(x, &noted);
		CHECK(binaries_write(x, f.writer, NULL) == ET_OK);
		binaries_want(x, &noted);
		CHECK(binaries_write(x, f.writer, NULL) == ET_OK);
		CHECK(binaries_write_rest(x, 2000, f.writer, NULL) == ET_OK);
		n = file_read(&f, &e);
		CHECK(n == (i < 3 || i == 50 ? 2 : 1));
		for (size_t k = 0; k < n; k++)
			CHECK((e[k].interpreter.len > 0) == (e[k].inode != 1));
		file_close(&f);
		binaries_restart(x);
		ids_free(&noted);
	}
	binaries_free(x);
}

int main(void)
{
	const char *base = getenv("TMPDIR");
	char command[PATH_MAX + 64];

	snprintf(folder, sizeof(folder), "%s/exectrace-exes-XXXXXX", base ? base : "/tmp");
	CHECK(mkdtemp(folder) != NULL);
	check_files();
	check_many();
	check_again();
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	CHECK(system(command) == 0);
	return check_result();
}
