/* SPDX-License-Identifier: BSD-2-Clause */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "times.h"

/* What people hand to a reader of captures by mistake. */
static const struct {
	const char *magic;
	size_t len, at;
	const char *what;
} others[] = {
	{ "\x1f\x8b", 2, 0, "compressed with gzip; unpack it first" },
	{ "\x28\xb5\x2f\xfd", 4, 0, "compressed with zstd; unpack it first" },
	{ "\3757zXZ", 5, 0, "compressed with xz; unpack it first" },
	{ "BZh", 3, 0, "compressed with bzip2; unpack it first" },
	{ "PK\x03\x04", 4, 0, "a zip archive; unpack it first" },
	{ "ustar", 5, 257, "a tar archive; unpack it first" },
	{ "\xd4\xc3\xb2\xa1", 4, 0, "a pcap network capture" },
	{ "\xa1\xb2\xc3\xd4", 4, 0, "a pcap network capture" },
	{ "\x4d\x3c\xb2\xa1", 4, 0, "a pcap network capture" },
	{ "\x0a\x0d\x0d\x0a", 4, 0, "a pcapng network capture" },
	{ "\027\010Dtracing", 10, 0, "a trace-cmd file" },
	{ "PERFILE2", 8, 0, "a perf.data file" },
	{ "\177ELF", 4, 0, "an ELF binary" },
};

static bool is_text(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\t' && p[i] != '\r') ||
		    p[i] == 0x7f)
			return false;
	return n > 0;
}

/* Why a regular file is no capture; NULL when it begins like one or cannot be told. */
static const char *guess(int fd, bool *capture)
{
	static const char magic[] = "\211ETZ\r\n\032\n";
	unsigned char head[512];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	*capture = n > 0 && !memcmp(head, magic, (size_t)n < 8 ? (size_t)n : 8);
	if (n <= 0 || *capture)
		return NULL;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if ((size_t)n >= others[i].at + others[i].len &&
		    !memcmp(head + others[i].at, others[i].magic, others[i].len))
			return others[i].what;
	return is_text(head, (size_t)n) ? "a text file" : NULL;
}

static void on_fault(void *ctx, const struct et_error *fault)
{
	struct source *s = ctx;

	if (s->n_faults < SOURCE_FAULTS)
		s->faults[s->n_faults] = *fault;
	s->fault_at = fault->at;
	s->n_faults++;
}

static int refuse(const struct source *s, bool capture, const char *guessed,
		  const struct et_error *err, struct reason *why)
{
	const char *name = s->name;

	switch (err->code) {
	case ET_EOF:
		return reason_set(why, EXIT_FAILED,
				  "%s: the %s is empty: nothing was recorded into it", name,
				  s->pipe ? "input" : "file");
	case ET_IO:
		return reason_set(why, EXIT_FAILED, "%s: %s", name, strerror(err->sys));
	case ET_NOMEM:
		return reason_set(why, EXIT_FAILED, "out of memory");
	case ET_UNSUPPORTED:
		return reason_set(
			why, EXIT_FAILED,
			"%s: made by a later version of exectrace: %s (at byte %llu)", name,
			err->what, (unsigned long long)err->at);
	default:
		if (capture)
			return reason_set(why, EXIT_DAMAGED,
					  "%s: damaged at its beginning: %s (at byte %llu)",
					  name, err->what, (unsigned long long)err->at);
		if (guessed)
			return reason_set(why, EXIT_FAILED, "%s: not a capture: %s", name,
					  guessed);
		return reason_set(why, EXIT_FAILED, "%s: not a capture: %s (at byte %llu)",
				  name, err->what, (unsigned long long)err->at);
	}
}

/* A file may not pass a column of its own off as one that everybody knows. */
static void tell_apart(struct et_column *c)
{
	for (unsigned id = 1; id < ET_FIELD_END; id++)
		if (et_fields[id].name && !strcmp(et_fields[id].name, c->name))
			snprintf(c->name, sizeof(c->name), "column_%u", c->id);
}

/* Keeps the columns that the library's table does not have: a later version's. */
static void keep_schema(struct source *s)
{
	unsigned n, k = 0;
	const struct et_column *schema = et_reader_schema(s->reader, &n);
	struct et_column *extra;

	free(s->extra);
	s->extra = NULL;
	s->n_extra = 0;
	for (unsigned i = 0; i < n; i++)
		k += schema[i].id >= ET_FIELD_END;
	if (!k)
		return;
	extra = calloc(k, sizeof(*extra));
	if (!extra)
		return;
	for (unsigned i = 0; i < n; i++) {
		if (schema[i].id < ET_FIELD_END)
			continue;
		extra[s->n_extra] = schema[i];
		tell_apart(&extra[s->n_extra++]);
	}
	s->extra = extra;
}

int source_open_fd(int fd, const char *name, struct source **out, struct reason *why)
{
	struct source *s = calloc(1, sizeof(*s));
	struct et_error err = { 0 };
	struct stat st = { 0 };
	bool capture = false;
	const char *guessed = NULL;
	struct et_io io;
	int r = -1;

	*out = NULL;
	if (s)
		s->name = strdup(name);
	if (!s || !s->name || !(s->names = et_context_new())) {
		reason_set(why, EXIT_FAILED, "out of memory");
		close(fd);
		goto out;
	}
	s->fd = fd;
	if (fstat(fd, &st)) {
		reason_set(why, EXIT_FAILED, "%s: %s", name, strerror(errno));
		close(fd);
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		reason_set(why, EXIT_FAILED, "%s: is a directory, not a capture", name);
		close(fd);
		goto out;
	}
	s->pipe = !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
	if (!s->pipe) {
		s->size = (uint64_t)st.st_size;
		guessed = guess(fd, &capture);
	}
	if (isatty(fd)) {
		reason_set(why, EXIT_FAILED,
			   "%s: is a terminal; a capture has to come from a "
			   "file or a pipe",
			   name);
		close(fd);
		goto out;
	}
	if (et_io_fd(fd, &io)) {
		reason_set(why, EXIT_FAILED, "out of memory");
		close(fd);
		goto out;
	}
	if (et_reader_open(&io, on_fault, s, &s->reader, &err)) {
		refuse(s, capture, guessed, &err, why);
		goto out;
	}
	keep_schema(s);
	*out = s;
	s = NULL;
	r = 0;
out:
	source_close(s);
	return r;
}

int source_open(const char *name, struct source **out, struct reason *why)
{
	bool input = !strcmp(name, "-");
	int fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		       : open(name, O_RDONLY | O_CLOEXEC);

	*out = NULL;
	if (input)
		name = "standard input";
	if (fd < 0)
		return reason_set(why, EXIT_FAILED, "%s: %s", name, strerror(errno));
	return source_open_fd(fd, name, out, why);
}

void source_close(struct source *s)
{
	if (!s)
		return;
	et_reader_close(s->reader);
	et_context_free(s->names);
	free(s->extra);
	free(s->name);
	free(s);
}

bool source_next(struct source *s, struct et_record *rec)
{
	struct et_error err = { 0 };
	int r;

	if (s->ended || s->failure.code)
		return false;
	r = et_reader_next(s->reader, rec, &err);
	if (r == ET_EOF)
		s->ended = true;
	else if (r)
		s->failure = err;
	return !r;
}

/* The first clock or the first row, whichever is earlier, says when it began. */
static void learn_start(struct source *s, const struct et_record *rec)
{
	const char *offset = et_context_host(s->names, "utc_offset");
	const struct et_clock *clocks;
	uint64_t ts = rec->ts_min;

	s->started = true;
	if (et_context_clocks(s->names, &clocks) && clocks[0].ts < ts)
		ts = clocks[0].ts;
	s->start = et_context_realtime(s->names, ts, rec->realtime);
	if (offset && !times_parse_offset(offset, &s->offset))
		s->offset = 0;
}

void source_take(struct source *s, const struct et_record *rec)
{
	struct et_error err;
	int r = et_context_take(s->names, s->reader, rec, &err);

	/* What is wrong with the record has reached on_fault; the rest is still good. */
	if (r == ET_IO || r == ET_NOMEM)
		s->failure = err;
	if (rec->type == ET_REC_FILE)
		keep_schema(s);
	if (rec->rows && !s->started)
		learn_start(s, rec);
}

void source_fault(struct source *s, const struct et_record *rec, const struct et_error *err)
{
	struct et_error at = *err;

	at.at = rec->at;
	on_fault(s, &at);
	s->unreadable += rec->rows;
}

bool source_wait(const struct source *s, int milliseconds)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	/* An interrupted wait counts as readable: the read tells what is the matter. */
	return !s->pipe || poll(&p, 1, milliseconds) != 0;
}
