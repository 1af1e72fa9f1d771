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

#include "account.h"
#include "moment.h"

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

const char *source_guess(int fd, bool *capture)
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

static void add_fault(struct et_error *faults, uint64_t *n, uint64_t *last_at,
		      const struct et_error *fault)
{
	if (*n < SOURCE_FAULTS)
		faults[*n] = *fault;
	*last_at = fault->at;
	++*n;
}

static void on_fault(void *ctx, const struct et_error *fault)
{
	struct source *part = ctx, *s = source_teller(part);
	struct source_step *step = part->step;
	struct et_error at = *fault;

	at.at += part->base;
	if (step)
		add_fault(step->faults, &step->n_faults, &step->fault_at, &at);
	else
		add_fault(s->faults, &s->n_faults, &s->fault_at, &at);
}

/* What was met with a step now counts. */
static void take_faults(struct source *s, const struct source_step *step)
{
	uint64_t kept = step->n_faults < SOURCE_FAULTS ? step->n_faults : SOURCE_FAULTS;

	for (uint64_t i = 0; i < kept; i++)
		add_fault(s->faults, &s->n_faults, &s->fault_at, &step->faults[i]);
	s->n_faults += step->n_faults - kept;
	if (step->n_faults)
		s->fault_at = step->fault_at;
}

static void on_failure(struct source *s, const struct et_error *err)
{
	s->failure = *err;
	s->failure.at += s->base;
	source_teller(s)->failure = s->failure;
}

int source_refuse(const struct source *s, const struct et_error *err, struct reason *why)
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
		if (s->capture)
			return reason_set(why, EXIT_DAMAGED,
					  "%s: damaged at its beginning: %s (at byte %llu)",
					  name, err->what, (unsigned long long)err->at);
		if (s->guessed)
			return reason_set(why, EXIT_FAILED, "%s: not a capture: %s", name,
					  s->guessed);
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
	memset(s->columns, 0, sizeof(s->columns));
	for (unsigned i = 0; i < n; i++) {
		s->columns[schema[i].id / 64] |= 1ull << schema[i].id % 64;
		k += schema[i].id >= ET_FIELD_END;
	}
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

/* whole: what it is a part of, or NULL. NULL: no memory. */
static struct source *source_new(const char *name, struct source *whole)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->whole = whole;
	s->fd = -1;
	s->name = strdup(name);
	s->own_at = s->all_at = LEDGER_NONE;
	s->names = et_context_new();
	s->own = whole ? NULL : ledger_new();
	if (s->name && s->names && (s->own || whole))
		return s;
	source_close(s);
	return NULL;
}

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

int source_open_io(const struct et_io *io, int fd, const char *name, struct source **out,
		   struct reason *why)
{
	struct source *s = source_new(name, NULL);

	*out = NULL;
	if (!s) {
		io->close(io->ctx);
		return no_memory(why);
	}
	s->io = *io;
	s->fd = fd;
	s->capture = fd < 0;
	if (source_begin(s, why)) {
		source_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

/* Why this cannot be a capture, or NULL. */
static const char *unfit(int fd, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "is a directory, not a capture";
	if (isatty(fd))
		return "is a terminal; a capture has to come from a file or a pipe";
	return NULL;
}

int source_open_fd(int fd, const char *name, struct source **out, struct reason *why)
{
	struct source *s = source_new(name, NULL);
	const char *fault;
	struct stat st;
	off_t at;

	*out = NULL;
	if (!s) {
		no_memory(why);
		goto fail;
	}
	if (fstat(fd, &st)) {
		reason_set(why, EXIT_FAILED, "%s: %s", name, strerror(errno));
		goto fail;
	}
	fault = unfit(fd, &st);
	if (fault) {
		reason_set(why, EXIT_FAILED, "%s: %s", name, fault);
		goto fail;
	}
	s->fd = fd;
	s->pipe = !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
	at = lseek(fd, 0, SEEK_CUR);
	s->origin = at > 0 ? (uint64_t)at : 0;
	s->size = s->pipe ? 0 : (uint64_t)st.st_size;
	if (et_io_fd(fd, &s->io)) {
		/* The descriptor went with it. */
		no_memory(why);
		fd = -1;
		goto fail;
	}
	*out = s;
	return 0;
fail:
	if (fd >= 0)
		close(fd);
	source_close(s);
	return -1;
}

void source_release(struct source *s, struct et_io *io)
{
	if (s->fd >= 0 && !s->pipe)
		s->guessed = source_guess(s->fd, &s->capture);
	*io = s->io;
	s->io = (struct et_io){ 0 };
}

int source_begin(struct source *s, struct reason *why)
{
	struct et_error err = { 0 };
	struct et_io io;

	/* Of what is followed it begins when there is something. */
	if (s->follow)
		return 0;
	source_release(s, &io);
	/* The reader closes it, also when it cannot be opened. */
	if (et_reader_open(&io, on_fault, s, &s->reader, &err))
		return source_refuse(s, &err, why);
	keep_schema(s);
	return 0;
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

int source_follow(const char *name, follow_tell *tell, struct source **out, struct reason *why)
{
	struct stat st;
	struct source *s;

	if (!strcmp(name, "-") || (!stat(name, &st) && !S_ISREG(st.st_mode)))
		return source_open(name, out, why);
	*out = NULL;
	s = source_new(name, NULL);
	if (!s)
		return reason_set(why, EXIT_FAILED, "out of memory");
	s->fd = -1;
	s->pipe = true;
	if (follow_open(name, tell, &s->follow, why)) {
		source_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

int source_open_part(struct source *s, const struct et_io *io, uint64_t base)
{
	struct source *part = source_new(s->name, s);
	int r;

	if (!part) {
		io->close(io->ctx);
		return ET_NOMEM;
	}
	part->base = base;
	part->fd = s->fd;
	r = et_reader_open(io, on_fault, part, &part->reader, NULL);
	if (r) {
		source_close(part);
		return r;
	}
	keep_schema(part);
	s->parts[s->n_parts++] = part;
	return ET_OK;
}

void source_unsplit(struct source *s)
{
	for (size_t i = 0; i < s->n_parts; i++)
		source_close(s->parts[i]);
	free(s->parts);
	s->parts = NULL;
	s->n_parts = 0;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	source_unsplit(s);
	et_reader_close(s->reader);
	follow_close(s->follow);
	if (s->io.close)
		s->io.close(s->io.ctx);
	et_context_free(s->names);
	ledger_free(s->own);
	free(s->gone);
	free(s->extra);
	free(s->name);
	free(s);
}

void source_shown(struct source *s)
{
	source_teller(s)->shown++;
}

void source_hidden(struct source *s)
{
	source_teller(s)->shown--;
}

/* Opens the file that has the name now. False: no more is wanted, or it cannot be read. */
static bool follow_on(struct source *s)
{
	struct et_error err = { 0 };
	struct et_io io;

	if (follow_stopped(s->follow) || follow_next(s->follow, &io))
		return false;
	if (et_reader_open(&io, on_fault, s, &s->reader, &err)) {
		on_failure(s, &err);
		return false;
	}
	keep_schema(s);
	s->next_at = 0;
	s->closed = false;
	return true;
}

static bool stop(struct source *s)
{
	s->stopped = true;
	/* Whole as it is, whatever may still come. */
	s->ended = s->closed;
	return false;
}

static bool next_followed(struct source *s, struct et_record *rec)
{
	struct et_error err = { 0 };

	for (;;) {
		int r;

		if (follow_stopped(s->follow))
			return stop(s);
		if (!s->reader && !follow_on(s))
			return s->failure.code ? false : stop(s);
		r = et_reader_next(s->reader, rec, &err);
		if (!r) {
			s->next_at = rec->at + rec->size;
			s->closed = rec->type == ET_REC_END || rec->type == ET_REC_FOOTER;
			return true;
		}
		if (r != ET_EOF) {
			on_failure(s, &err);
			return false;
		}
		account_leave(s);
		s->missing_seen = s->unread_seen = 0;
		/* Also when it is to stop: what is said of it then is what it says as a file. */
		account_past(s);
		et_reader_close(s->reader);
		s->reader = NULL;
	}
}

void source_advance(struct source *s, struct source_step *step)
{
	step->n_faults = 0;
	step->error = step->failure = (struct et_error){ 0 };
	/* What it meets counts at once. */
	if (s->follow) {
		step->code = next_followed(s, &step->rec) ? ET_OK : ET_EOF;
		return;
	}
	if (!s->n_ahead++)
		account_note(s, &s->seen);
	s->step = step;
	step->code = (enum et_code)et_reader_next(s->reader, &step->rec, &step->error);
	s->step = NULL;
	account_note(s, &step->stats);
}

bool source_reach(struct source *s, const struct source_step *step)
{
	if (s->follow)
		return !step->code;
	s->n_ahead--;
	s->seen = step->stats;
	take_faults(source_teller(s), step);
	if (step->code == ET_EOF) {
		s->ended = true;
		account_leave(s);
	} else if (step->code) {
		on_failure(s, &step->error);
	} else if (step->failure.code) {
		on_failure(s, &step->failure);
	}
	if (s->whole && s->ended) {
		bool all = true;

		for (size_t i = 0; i < s->whole->n_parts; i++)
			all &= s->whole->parts[i]->ended;
		s->whole->ended = all;
	}
	return !step->code;
}

bool source_next(struct source *s, struct et_record *rec)
{
	struct source_step step;

	if (s->ended || s->stopped || s->failure.code)
		return false;
	source_advance(s, &step);
	if (!source_reach(s, &step))
		return false;
	*rec = step.rec;
	return true;
}

int source_settle(struct source *s, struct et_chunk *c, struct et_error *err)
{
	struct et_reader_stats before, after;
	int r;

	et_reader_stats(s->reader, &before);
	r = et_reader_settle(s->reader, c, err);
	if (!r)
		return ET_OK;
	et_reader_stats(s->reader, &after);
	account_late(s, &before, &after);
	/* What was read behind it does not count: reading ends here. */
	if (r == ET_IO)
		on_failure(s, err);
	return r;
}

/* When it began, as soon as that is known; the zone comes with HOST, before any row. */
static void learn_start(struct source *s, const struct et_record *rec)
{
	const char *offset;

	if (rec->has_started && !s->started)
		s->start = et_clock_wall(rec->started);
	s->started |= rec->has_started;
	if (!rec->rows || s->rows)
		return;
	if (!s->started)
		s->start = et_record_wall(rec, rec->ts_min);
	s->started = s->rows = true;
	offset = et_context_host(s->names, "utc_offset");
	if (offset && !moment_parse_offset(offset, &s->offset))
		s->offset = 0;
}

/* Where the boot is not known, nothing says that two segments are of one. */
static uint64_t boot_of(const struct source *s, const struct et_record *rec)
{
	uint64_t id[2];

	memcpy(id, rec->boot_id, sizeof(id));
	if (!id[0] && !id[1])
		return (uintptr_t)s + rec->at;
	return id[0] ^ id[1] * 0x9e3779b97f4a7c15u;
}

void source_learn(struct source *s, const struct et_record *rec, struct source_step *step)
{
	struct et_error err;
	int r;

	s->step = step;
	r = et_context_take(s->names, s->reader, rec, &err);
	s->step = NULL;
	if (step)
		account_note(s, &step->stats);
	/* What is wrong with the record has reached on_fault; the rest is still good. */
	if ((r == ET_IO || r == ET_NOMEM) && step)
		step->failure = err;
	else if (r == ET_IO || r == ET_NOMEM)
		on_failure(s, &err);
	if (rec->type == ET_REC_FILE) {
		keep_schema(s);
		s->boot = boot_of(s, rec);
	}
}

void source_account(struct source *s, const struct et_record *rec)
{
	account_take(s, rec);
	learn_start(s, rec);
}

void source_take(struct source *s, const struct et_record *rec)
{
	source_learn(s, rec, NULL);
	source_account(s, rec);
}

void source_leave_out(struct source *s, const uint64_t columns[4])
{
	for (unsigned i = 0; i < 4; i++)
		source_teller(s)->left_out[i] |= columns[i] & s->columns[i];
	s->undecoded |= columns[0] & s->columns[0] & (~0ull >> (64 - ET_FIELD_END));
}

void source_fault(struct source *s, const struct et_record *rec, const struct et_error *err)
{
	struct et_error at = *err;

	at.at = rec->at;
	on_fault(s, &at);
	source_teller(s)->unreadable += rec->rows;
}

bool source_wait(struct source *s, int milliseconds)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	struct et_error err = { 0 };

	if (!s->pipe)
		return true;
	/* What is left of the record at hand is not what is waited for. */
	if (s->reader && et_reader_pass(s->reader, &err)) {
		on_failure(s, &err);
		return true;
	}
	if (s->follow)
		return follow_wait(s->follow, s->next_at, s->closed, milliseconds);
	/* An interrupted wait counts as readable: the read tells what is the matter. */
	return poll(&p, 1, milliseconds) != 0;
}
