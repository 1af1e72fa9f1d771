/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write_capture - writes the capture that standard input describes, for tests that
 * make up their own events.
 *
 *	write_capture < TEXT > FILE
 *
 * A line is words between blanks; in a value, %XX is the byte of that number:
 *
 *	segment boot=32 hex digits, ts=N, realtime=N	begins one; all may be absent,
 *		series=16 hex digits, number=N		as these
 *	host KEY VALUE | user ID NAME | group ID NAME | cgroup ID NAME
 *	exe PATH NAME=VALUE...		dev, inode, size, mtime, build_id, interpreter
 *	lost CAUSE COUNT		that many more, which no row tells of
 *	exec|fail|fork|exit|proc|lost_row FIELD=VALUE...
 *	chunk				the rows so far become records
 *	end ts=N REASON
 *
 * Fields are named as in JSON, and realtime; an argument list is items with a comma
 * behind each. An event that has no realtime has that of the one before.
 */
#include <exectrace.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct et_writer *writer;
static struct et_batch *batch;
static enum et_record_type type;
static uint64_t lost[ET_CAUSE_END], now;
static int64_t realtime;

static void die(const char *what, const char *word)
{
	fprintf(stderr, "write_capture: %s: %s\n", what, word);
	exit(1);
}

static void need(int code, const struct et_error *err)
{
	if (code)
		die("the library refuses", err->what ? err->what : "?");
}

static void flush(void)
{
	struct et_error err = { 0 };

	need(et_writer_batch(writer, type, batch, lost, &err), &err);
	et_batch_reset(batch);
}

/* Decodes %XX in place; returns the length. */
static uint32_t unescape(char *s)
{
	char *to = s;
	char hex[3] = "";

	for (char *p = s; *p; p++) {
		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		memcpy(hex, p + 1, 2);
		*to++ = (char)strtoul(hex, NULL, 16);
		p += 2;
	}
	*to = 0;
	return (uint32_t)(to - s);
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t n = strtoull(s, &end, 10);

	if (*end || !*s)
		die("not a number", s);
	return n;
}

/* The value behind key= among the words that follow; NULL: it is not there. */
static char *value_of(char *const *words, const char *key)
{
	for (; *words; words++)
		if (!strncmp(*words, key, strlen(key)) && (*words)[strlen(key)] == '=')
			return *words + strlen(key) + 1;
	return NULL;
}

static void put_hex(uint8_t *to, const char *hex, unsigned n)
{
	char two[3] = "";

	for (unsigned i = 0; hex && i < n; i++) {
		memcpy(two, hex + i * 2, 2);
		to[i] = (uint8_t)strtoul(two, NULL, 16);
	}
}

static void begin(char *const *words)
{
	const char *ts = value_of(words, "ts"), *wall = value_of(words, "realtime");
	const char *nth = value_of(words, "number");
	struct et_writer_options opt = { .program = "write_capture" };
	struct et_error err = { 0 };
	struct et_io io;

	et_writer_close(writer);
	put_hex(opt.boot_id, value_of(words, "boot"), 16);
	put_hex(opt.series, value_of(words, "series"), 8);
	opt.number = nth ? number(nth) : 0;
	realtime = wall ? (int64_t)number(wall) : 0;
	now = ts ? number(ts) : 0;
	opt.started = (struct et_clock){ now, realtime };
	memset(lost, 0, sizeof(lost));
	need(et_io_fd(dup(STDOUT_FILENO), &io), &err);
	need(et_writer_open(&io, &opt, &writer, &err), &err);
}

/* Returns what is behind the list. */
static char *put_list(struct et_event *ev, unsigned field, char *s, char *list)
{
	char *to = list;
	uint32_t n = 0;

	for (char *comma; (comma = strchr(s, ',')); s = comma + 1, n++) {
		*comma = 0;
		to += unescape(s);
		memmove(to - strlen(s), s, strlen(s) + 1);
		to++;
	}
	ev->known |= 1ull << field;
	ev->v[field].l = (struct et_list){ list, (uint32_t)(to - list), n };
	return to;
}

static void add(unsigned kind, char *const *words)
{
	static char list[1 << 20];
	enum et_record_type want = kind == ET_PROC ? ET_REC_PROC : kind == ET_LOST ? ET_REC_LOST
										    : ET_REC_CHUNK;
	struct et_event ev = { 0 };
	struct et_error err = { 0 };
	char *room = list;

	if (want != type)
		flush();
	type = want;
	et_set_uint(&ev, ET_F_KIND, kind);
	for (; *words; words++) {
		char *value = strchr(*words, '=');
		unsigned f = 1;

		if (!value)
			die("no value", *words);
		*value++ = 0;
		if (!strcmp(*words, "realtime")) {
			realtime = (int64_t)number(value);
			continue;
		}
		while (f < ET_FIELD_END && (!et_fields[f].name || strcmp(et_fields[f].name, *words)))
			f++;
		if (f == ET_FIELD_END)
			die("no such field", *words);
		if (et_fields[f].type == ET_LIST)
			room = put_list(&ev, f, value, room);
		else if (et_fields[f].type == ET_STR)
			et_set_str(&ev, (enum et_field_id)f, value, unescape(value));
		else
			et_set_uint(&ev, (enum et_field_id)f, number(value));
	}
	ev.realtime = realtime;
	now = ev.v[ET_F_TS].u;
	if (kind == ET_LOST)
		lost[ev.v[ET_F_CAUSE].u] += ev.v[ET_F_COUNT].u;
	need(et_batch_add(batch, &ev, &err), &err);
}

static void put_name(const char *what, char *const *words)
{
	struct et_name name = { .group = *what == 'g' };
	struct et_pair pair = { .key = words[0] };
	struct et_str text = { words[1], unescape(words[1]) };
	struct et_error err = { 0 };

	flush();
	if (*what == 'h') {
		pair.value = text;
		need(et_writer_host(writer, &pair, 1, &err), &err);
		return;
	}
	name.id = number(words[0]);
	name.name = text;
	need(et_writer_names(writer, *what == 'c' ? ET_REC_CGROUPS : ET_REC_USERS, &name, 1, &err),
	     &err);
}

static void put_exe(char *const *words)
{
	struct et_exe exe = { .path = { words[0], unescape(words[0]) } };
	struct et_error err = { 0 };

	flush();
	for (words++; *words; words++) {
		static const char *const numbers[] = { "dev", "inode", "size", "mtime" };
		char *value = strchr(*words, '=');
		unsigned i = 0;

		if (!value)
			die("no value", *words);
		*value++ = 0;
		while (i < 4 && strcmp(numbers[i], *words))
			i++;
		exe.known |= i < 4 ? 1u << i : 0;
		if (!i)
			exe.dev = number(value);
		else if (i == 1)
			exe.inode = number(value);
		else if (i == 2)
			exe.size = number(value);
		else if (i == 3)
			exe.mtime = (int64_t)number(value);
		else if (!strcmp(*words, "build_id"))
			exe.build_id = (struct et_str){ value, unescape(value) };
		else if (!strcmp(*words, "interpreter"))
			exe.interpreter = (struct et_str){ value, unescape(value) };
		else
			die("no such word", *words);
	}
	need(et_writer_exes(writer, &exe, 1, &err), &err);
}

static void run(char **words)
{
	const char *what = words[0];
	unsigned kind = !strcmp(what, "lost_row") ? ET_LOST : !strcmp(what, "lost") ? 0
			: et_kind_parse(what);
	struct et_error err = { 0 };

	if (kind) {
		add(kind, words + 1);
	} else if (!strcmp(what, "segment")) {
		if (writer)
			flush();
		begin(words + 1);
	} else if (!strcmp(what, "chunk")) {
		flush();
	} else if (!strcmp(what, "lost")) {
		flush();
		lost[number(words[1])] += number(words[2]);
	} else if (!strcmp(what, "end")) {
		flush();
		unescape(words[2]);
		need(et_writer_end(writer,
				   (struct et_clock){ number(value_of(words, "ts")), realtime },
				   lost, words[2], &err), &err);
	} else if (!strcmp(what, "exe")) {
		put_exe(words + 1);
	} else {
		put_name(what, words + 1);
	}
}

int main(void)
{
	char *line = NULL, *words[64];
	size_t cap = 0;
	ssize_t len;

	type = ET_REC_CHUNK;
	batch = et_batch_new();
	if (!batch)
		return 1;
	while ((len = getline(&line, &cap, stdin)) > 0) {
		unsigned n = 0;

		for (char *p = strtok(line, " \n"); p && n < 63; p = strtok(NULL, " \n"))
			words[n++] = p;
		words[n] = NULL;
		if (n)
			run(words);
	}
	if (writer)
		flush();
	et_writer_close(writer);
	et_batch_free(batch);
	free(line);
	return 0;
}
