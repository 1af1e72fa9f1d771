/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is printed: quoting that reads back to the same bytes and carries no
 * control byte, JSON that loses nothing, times, and the lines of events.
 */
#include "check.h"
#include "derive.h"
#include "escape.h"
#include "events.h"
#include "print.h"
#include "printer.h"
#include "template.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

/* What a printer has put into memory so far, as a string; empties it. */
static const char *taken(struct out *o)
{
	out_char(o, 0);
	o->len = 0;
	return o->buf;
}

/* ---- Escaping ------------------------------------------------------------------ */

static void test_escapes(void)
{
	static const struct {
		const char *text, *word, *name, *json;
	} cases[] = {
		{ "", "''", "", "" },
		{ "ls", "ls", "ls", "ls" },
		{ "/usr/bin/a-b_c+d,e:f@g%h=i.1", "/usr/bin/a-b_c+d,e:f@g%h=i.1", NULL, NULL },
		{ "a b", "'a b'", "a b", "a b" },
		{ "it's", "'it'\\''s'", "it's", "it's" },
		{ "\"", "'\"'", "\"", "\\\"" },
		{ "\\", "'\\'", "\\\\", "\\\\" },
		{ "[x]", "'[x]'", "[x]", "[x]" },
		{ "<cut>", "'<cut>'", "<cut>", "<cut>" },
		{ "$HOME", "'$HOME'", "$HOME", "$HOME" },
		{ "~", "'~'", "~", "~" },
		{ "#", "'#'", "#", "#" },
		{ "!", "'!'", "!", "!" },
		{ "a\nb", "$'a\\nb'", "a\\nb", "a\\nb" },
		{ "\t\r\a\b\f\v", "$'\\t\\r\\a\\b\\f\\v'", "\\t\\r\\a\\b\\f\\v",
		  "\\t\\r\\u0007\\u0008\\u000c\\u000b" },
		{ "\x1b[2J", "$'\\033[2J'", "\\033[2J", "\\u001b[2J" },
		{ "\0331", "$'\\0331'", "\\0331", "\\u001b1" },
		{ "\x7f", "$'\\177'", "\\177", "\\u007f" },
		{ "'\n\\", "$'\\'\\n\\\\'", "'\\n\\\\", "'\\n\\\\" },
		{ "\xc3\xa9", "\xc3\xa9", "\xc3\xa9", "\xc3\xa9" },
		{ "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7",
		  "\xf0\x9f\x90\xa7" },
		/* C1 control, no-break space, right-to-left override, zero width, tag. */
		{ "\302\23331m", "$'\\302\\23331m'", "\\302\\23331m", "\\u009b31m" },
		{ "a\302\240b", "$'a\\302\\240b'", "a\\302\\240b", "a\\u00a0b" },
		{ "\xe2\x80\xaex", "$'\\342\\200\\256x'", "\\342\\200\\256x", "\\u202ex" },
		{ "\xe2\x80\x8b", "$'\\342\\200\\213'", "\\342\\200\\213", "\\u200b" },
		{ "\xf3\xa0\x81\x81", "$'\\363\\240\\201\\201'", "\\363\\240\\201\\201",
		  "\\udb40\\udc41" },
		/* Not UTF-8: alone, overlong, a surrogate, too high, cut. */
		{ "\xff", "$'\\377'", "\\377", "\xef\xbf\xbd" },
		{ "\xc0\xaf", "$'\\300\\257'", "\\300\\257", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "$'\\355\\240\\200'", "\\355\\240\\200",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", "$'\\364\\220\\200\\200'", "\\364\\220\\200\\200",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x82", "$'\\342\\202'", "\\342\\202", "\xef\xbf\xbd\xef\xbf\xbd" },
	};
	struct out o;

	out_open(&o, -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *s = cases[i].text;
		size_t n = strlen(s);
		bool lossy;

		escape_word(&o, s, n, false);
		CHECK_CASE(cases[i].word, !strcmp(taken(&o), cases[i].word));
		if (!cases[i].name)
			continue;
		escape_name(&o, s, n);
		CHECK_CASE(cases[i].word, !strcmp(taken(&o), cases[i].name));
		lossy = escape_json(&o, s, n);
		CHECK_CASE(cases[i].word, !strcmp(taken(&o), cases[i].json));
		CHECK_CASE(cases[i].word,
			   lossy == (strstr(cases[i].json, "\xef\xbf\xbd") != NULL));
	}
	/* In front of a command NAME=x would be an assignment. */
	escape_word(&o, "A=1", 3, true);
	CHECK(!strcmp(taken(&o), "'A=1'"));
	escape_message(&o, "a\\b\x1b", 4);
	CHECK(!strcmp(taken(&o), "a\\b\\033"));
	out_close(&o);
}

/* A shell's reading of one quoted word; false when it is not one. */
static bool unquote(const char *p, char *to, size_t *n)
{
	*n = 0;
	while (*p) {
		bool c_like = p[0] == '$' && p[1] == '\'';

		if (*p == '\\') {
			to[(*n)++] = p[1];
			p += 2;
			continue;
		}
		if (!c_like && *p != '\'') {
			to[(*n)++] = *p++;
			continue;
		}
		for (p += c_like ? 2 : 1; *p != '\''; p++) {
			static const char letters[] = "abtnvfr\\'",
					  bytes[] = "\a\b\t\n\v\f\r\\'";

			if (!*p)
				return false;
			if (!c_like || *p != '\\') {
				to[(*n)++] = *p;
				continue;
			}
			p++;
			if (*p >= '0' && *p <= '7') {
				to[(*n)++] = (char)((p[0] - '0') << 6 | (p[1] - '0') << 3 |
						    (p[2] - '0'));
				p += 2;
			} else {
				const char *at = strchr(letters, *p);

				if (!at)
					return false;
				to[(*n)++] = bytes[at - letters];
			}
		}
		p++;
	}
	return true;
}

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static void test_word_reads_back(void)
{
	struct out o;

	out_open(&o, -1);
	for (int round = 0; round < 20000; round++) {
		char text[64], back[64];
		size_t n = (size_t)(rng() % 12), got;
		const char *word;

		for (size_t i = 0; i < n; i++)
			text[i] = (char)(rng() % 3 ? 0x20 + rng() % 0x60 : 1 + rng() % 255);
		escape_word(&o, text, n, rng() % 2);
		word = taken(&o);
		CHECK(is_clean(word));
		CHECK(unquote(word, back, &got) && got == n && !memcmp(back, text, n));
		escape_name(&o, text, n);
		CHECK(is_clean(taken(&o)));
		escape_json(&o, text, n);
		CHECK(is_clean(taken(&o)));
	}
	out_close(&o);
}

static void test_base64(void)
{
	/* RFC 4648, section 10. */
	static const char *const cases[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};
	struct out o;

	out_open(&o, -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		escape_base64(&o, cases[i][0], strlen(cases[i][0]));
		CHECK_CASE(cases[i][1], !strcmp(taken(&o), cases[i][1]));
	}
	out_close(&o);
}

static void test_width(void)
{
	CHECK(escape_width("abc", 3) == 3);
	CHECK(escape_width("\xc3\xa9", 2) == 1);
	CHECK(escape_width("\xe4\xb8\xad\xe6\x96\x87", 6) == 4);
	CHECK(escape_width("e\xcc\x81", 3) == 1);
	CHECK(escape_fit("abc", 3, 2) == 2);
	CHECK(escape_fit("\xe4\xb8\xad\xe6\x96\x87", 6, 3) == 3);
	CHECK(escape_fit("abc", 3, 9) == 3);
}

/* ---- Times --------------------------------------------------------------------- */

static void test_times(void)
{
	static const struct {
		int64_t wall;
		const char *utc;
	} walls[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ 1709251199999999999, "2024-02-29T23:59:59.999999999Z" },
		{ 1709251200000000000, "2024-03-01T00:00:00.000000000Z" },
		{ 951782400000000000, "2000-02-29T00:00:00.000000000Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
	};
	static const struct {
		uint64_t ns;
		const char *text;
	} durations[] = {
		{ 0, "0ns" },
		{ 999, "999ns" },
		{ 1000, "1.000us" },
		{ 12345, "12.34us" },
		{ 999999, "999.9us" },
		{ 1000000, "1.000ms" },
		{ 1500000000, "1.500s" },
		{ 59999999999, "59.99s" },
		{ 60000000000, "1m00s" },
		{ 3599000000000, "59m59s" },
		{ 3600000000000, "1h00m" },
		{ 86400000000000, "1d00h" },
		{ UINT64_MAX, "213503d23h" },
	};
	struct out o;

	out_open(&o, -1);
	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		times_rfc3339(&o, walls[i].wall);
		CHECK_CASE(walls[i].utc, !strcmp(taken(&o), walls[i].utc));
		times_clock(&o, walls[i].wall, -64800);
		times_date(&o, walls[i].wall, 64800);
		taken(&o);
	}
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		times_duration(&o, durations[i].ns);
		CHECK_CASE(durations[i].text, !strcmp(taken(&o), durations[i].text));
	}
	times_clock(&o, 999999, 3600);
	CHECK(!strcmp(taken(&o), "01:00:00.000999"));
	times_date(&o, 0, -1);
	CHECK(!strcmp(taken(&o), "1969-12-31"));
	times_zone(&o, -12600);
	CHECK(!strcmp(taken(&o), "UTC-03:30"));
	out_close(&o);
}

/* ---- Events -------------------------------------------------------------------- */

struct sample {
	struct et_event ev;
	const char *text, *json; /* the line behind the ids, and the object behind its time */
};

static void text_field(struct et_event *ev, enum et_field_id id, const char *s)
{
	et_set_str(ev, id, s, (uint32_t)strlen(s));
}

static void list_field(struct et_event *ev, const char *s, uint32_t len, uint32_t n)
{
	ev->known |= 1ull << ET_F_ARGV;
	ev->v[ET_F_ARGV].l = (struct et_list){ s, len, n };
}

#define ARGV(ev, s, n) list_field(ev, s, sizeof(s), n)

static struct et_event event_of(unsigned kind)
{
	struct et_event ev = { 0 };

	et_set_uint(&ev, ET_F_KIND, kind);
	et_set_uint(&ev, ET_F_TS, 7);
	if (kind == ET_LOST)
		return ev;
	et_set_uint(&ev, ET_F_PID, 42);
	et_set_uint(&ev, ET_F_PPID, 1);
	et_set_uint(&ev, ET_F_UID, 0);
	text_field(&ev, ET_F_COMM, "co\nmm");
	return ev;
}

#define AT(ts) "\"ts\":" #ts ",\"pid\":42,\"ppid\":1,\"uid\":0,\"comm\":\"co\\nmm\""
#define HEAD AT(7)
#define EXIT_HEAD AT(1500007)

static void check_sample(const struct sample *s)
{
	struct source source = { .names = et_context_new() };
	struct input_row row = { .ev = s->ev, .source = &source };
	struct options opt = { .utc = true, .no_header = true };
	struct printer text;
	const char *line, *at;
	char expected[512];
	struct out o;

	out_open(&o, -1);
	json_row(&o, &row);
	line = taken(&o);
	snprintf(expected, sizeof(expected),
		 "{\"kind\":\"%s\",\"time\":\"1970-01-01T00:00:00.000000000Z\",%s}\n",
		 et_kind_name((unsigned)s->ev.v[ET_F_KIND].u), s->json);
	if (strcmp(line, expected))
		fprintf(stderr, "is:     %sshould: %s", line, expected);
	CHECK_CASE(s->text, !strcmp(line, expected));

	printer_open(&text, &opt);
	CHECK(printer_row(&text, &o, &row));
	line = taken(&o);
	at = strlen(line) > 45 ? line + 45 : line;
	snprintf(expected, sizeof(expected), "%s\n", s->text);
	if (strcmp(at, expected))
		fprintf(stderr, "is:     %sshould: %s", at, expected);
	CHECK_CASE(s->text, !strcmp(at, expected));
	printer_close(&text);

	opt.screen = 50;
	printer_open(&text, &opt);
	CHECK(printer_row(&text, &o, &row));
	line = taken(&o);
	CHECK_CASE(s->text, escape_width(line, strlen(line) - 1) <= 50);
	printer_close(&text);
	out_close(&o);
	et_context_free(source.names);
}

static void test_exec(void)
{
	struct sample s = { .ev = event_of(ET_EXEC) };

	text_field(&s.ev, ET_F_FILENAME, "/bin/ls");
	text_field(&s.ev, ET_F_EXE, "/usr/bin/ls");
	ARGV(&s.ev, "ls\0\0a b\0\xff\0\xc3\xa9", 5);
	s.text = "exec      ls '' 'a b' $'\\377' \xc3\xa9";
	s.json = HEAD
		",\"filename\":\"/bin/ls\",\"exe\":\"/usr/bin/ls\",\"argv\":[\"ls\",\"\","
		"\"a "
		"b\",\"\xef\xbf\xbd\",\"\xc3\xa9\"],\"argv_b64\":[null,null,null,\"/"
		"w==\",null]";
	check_sample(&s);

	/* Another file than argv[0] says: another name, another place, a link. */
	text_field(&s.ev, ET_F_EXE, "/bin/busybox");
	ARGV(&s.ev, "ls", 1);
	s.text = "exec      [/bin/busybox] ls";
	s.json = HEAD ",\"filename\":\"/bin/ls\",\"exe\":\"/bin/busybox\",\"argv\":[\"ls\"]";
	check_sample(&s);
	text_field(&s.ev, ET_F_FILENAME, "/tmp/ls");
	text_field(&s.ev, ET_F_EXE, "/tmp/l s");
	s.text = "exec      ['/tmp/l s'] ls";
	s.json = HEAD ",\"filename\":\"/tmp/ls\",\"exe\":\"/tmp/l s\",\"argv\":[\"ls\"]";
	check_sample(&s);
	ARGV(&s.ev, "/tmp/ls", 1);
	s.text = "exec      /tmp/ls";
	s.json = HEAD ",\"filename\":\"/tmp/ls\",\"exe\":\"/tmp/l s\",\"argv\":[\"/tmp/ls\"]";
	check_sample(&s);

	/* An argument may look like a mark; it is quoted, the mark is not. */
	s.ev = event_of(ET_EXEC);
	text_field(&s.ev, ET_F_EXE, "/bin/x");
	ARGV(&s.ev, "x\0<cut>", 2);
	et_set_uint(&s.ev, ET_F_ARGC, 9);
	et_set_uint(&s.ev, ET_F_ARGV_BYTES, 500);
	et_set_uint(&s.ev, ET_F_ARGV_TRUNCATED, 1);
	et_set_uint(&s.ev, ET_F_ARGV_UNREADABLE, 0);
	s.text = "exec      x '<cut>' <cut: 2 of 9 arguments, 8 of 500 bytes>";
	s.json = HEAD
		",\"exe\":\"/bin/x\",\"argv\":[\"x\",\"<cut>\"],\"argc\":9,\"argv_bytes\":500,"
		"\"argv_truncated\":true";
	check_sample(&s);

	s.ev = event_of(ET_EXEC);
	ARGV(&s.ev, "", 0);
	s.ev.v[ET_F_ARGV].l.len = 0;
	s.text = "exec      <no arguments>";
	s.json = HEAD ",\"argv\":[]";
	check_sample(&s);

	s.ev = event_of(ET_EXEC);
	text_field(&s.ev, ET_F_FILENAME, "./configure");
	text_field(&s.ev, ET_F_INTERPRETER, "/bin/sh");
	text_field(&s.ev, ET_F_EXE, "/usr/bin/dash");
	ARGV(&s.ev, "/bin/sh\0./configure", 2);
	s.text = "exec      /bin/sh ./configure";
	s.json = HEAD ",\"filename\":\"./configure\",\"interpreter\":\"/bin/sh\",\"exe\":"
		      "\"/usr/bin/dash\",\"argv\":[\"/bin/sh\",\"./configure\"]";
	check_sample(&s);
}

static void test_others(void)
{
	struct sample s = { .ev = event_of(ET_FAIL) };

	text_field(&s.ev, ET_F_FILENAME, "/usr/bin/l\xff");
	et_set_uint(&s.ev, ET_F_ERRNO, 2);
	et_set_uint(&s.ev, ET_F_ARGV_UNREADABLE, 1);
	s.text = "ENOENT    [$'/usr/bin/l\\377'] <arguments unreadable>";
	s.json = HEAD ",\"filename\":\"/usr/bin/"
		      "l\xef\xbf\xbd\",\"filename_b64\":\"L3Vzci9iaW4vbP8=\","
		      "\"argv_unreadable\":true,\"errno\":2,\"error\":\"ENOENT\"";
	check_sample(&s);

	s.ev = event_of(ET_FORK);
	et_set_uint(&s.ev, ET_F_START, 6);
	s.text = "fork      (co\\nmm)";
	s.json = "\"ts\":7,\"pid\":42,\"start\":6,\"ppid\":1,\"uid\":0,\"comm\":\"co\\nmm\"";
	check_sample(&s);

	s.ev = event_of(ET_EXIT);
	et_set_uint(&s.ev, ET_F_TS, 1500007);
	et_set_uint(&s.ev, ET_F_EXEC_TS, 7);
	et_set_uint(&s.ev, ET_F_EXIT_CODE, 127);
	et_set_uint(&s.ev, ET_F_CORE, 0);
	et_set_uint(&s.ev, ET_F_UTIME, 9);
	s.text = "exit 127  (co\\nmm) after 1.500ms";
	s.json = EXIT_HEAD ",\"exit_code\":127,\"duration\":1500000,\"utime\":9,\"exec_ts\":7";
	check_sample(&s);

	s.ev = event_of(ET_EXIT);
	et_set_uint(&s.ev, ET_F_TS, 1500007);
	et_set_uint(&s.ev, ET_F_EXEC_TS, 7);
	et_set_uint(&s.ev, ET_F_SIGNAL, 11);
	et_set_uint(&s.ev, ET_F_CORE, 1);
	s.text = "SIGSEGV (core)  (co\\nmm) after 1.500ms";
	s.json = EXIT_HEAD ",\"signal\":11,\"signal_name\":\"SIGSEGV\",\"core\":true,\"duration\":"
			   "1500000,\"exec_ts\":7";
	check_sample(&s);

	s.ev = event_of(ET_EXIT);
	et_set_uint(&s.ev, ET_F_SIGNAL, 40);
	s.text = "signal 40  (co\\nmm)";
	s.json = HEAD ",\"signal\":40";
	check_sample(&s);

	s.ev = event_of(ET_PROC);
	et_set_uint(&s.ev, ET_F_CGROUP, 99);
	s.text = "running   (co\\nmm)";
	s.json = HEAD ",\"cgroup_id\":99";
	check_sample(&s);

	s.ev = event_of(ET_LOST);
	et_set_uint(&s.ev, ET_F_UNTIL, 1007);
	et_set_uint(&s.ev, ET_F_CPU, 1);
	et_set_uint(&s.ev, ET_F_COUNT, 17);
	et_set_uint(&s.ev, ET_F_CAUSE, ET_CAUSE_RING_FULL);
	s.text = "LOST      <17 events lost: ring_full on cpu 1, within 1.000us>";
	s.json = "\"ts\":7,\"until\":1007,\"cpu\":1,\"count\":17,\"cause\":\"ring_full\"";
	check_sample(&s);
}

/* In every format, whatever is in an event, a line is one line of printable characters. */
static void test_random_events(void)
{
	static const char every[] = "{time} {kind:^9} {argv:.40}{env}{comm:>20.7}{cwd}{exe:3}{result}";
	struct source source = { .names = et_context_new() };
	struct options opts[] = {
		{ .utc = true, .date = true, .no_header = true },
		{ .json = true },
		{ .csv = true, .no_header = true },
		{ .sh = true },
		{ .template = template_parse(every, NULL) },
	};
	struct printer printers[5];
	uint64_t ts = 1, lines = 0;
	struct out o;

	out_open(&o, -1);
	for (int k = 0; k < 5; k++)
		printer_open(&printers[k], &opts[k]);
	for (int i = 0; i < 5000; i++) {
		struct input_row row = { .wall = (int64_t)rng_number(), .source = &source };
		char buf[16384], *line;

		rng_event(&row.ev, 1 + (unsigned)(rng() % (ET_KIND_END - 1)), &ts, buf);
		if (!printer_row(&printers[i % 5], &o, &row))
			continue;
		lines++;
		out_char(&o, 0);
		line = o.buf;
		CHECK(o.len > 2 && strlen(line) == o.len - 1 && line[o.len - 2] == '\n');
		line[o.len - 2] = 0;
		CHECK(is_clean(line));
		o.len = 0;
	}
	CHECK(lines > 4000);
	for (int k = 0; k < 5; k++)
		printer_close(&printers[k]);
	template_free(opts[4].template);
	out_close(&o);
	et_context_free(source.names);
}

/* ---- Tables -------------------------------------------------------------------- */

/* From the last exec, else from the start; never over what is not known or backwards. */
static void test_duration(void)
{
	struct et_event ev = event_of(ET_EXIT);

	et_set_uint(&ev, ET_F_TS, 100);
	CHECK(derive_duration(&ev) == ET_NONE);
	et_set_uint(&ev, ET_F_START, 30);
	CHECK(derive_duration(&ev) == 70);
	et_set_uint(&ev, ET_F_EXEC_TS, 80);
	CHECK(derive_duration(&ev) == 20);
	et_set_uint(&ev, ET_F_EXEC_TS, 100);
	CHECK(derive_duration(&ev) == 0);
	et_set_uint(&ev, ET_F_EXEC_TS, 101);
	CHECK(derive_duration(&ev) == ET_NONE);
	for (unsigned kind = 1; kind < ET_KIND_END; kind++) {
		et_set_uint(&ev, ET_F_EXEC_TS, 80);
		et_set_uint(&ev, ET_F_KIND, kind);
		CHECK((derive_duration(&ev) == 20) == (kind == ET_EXIT));
	}
}

int main(void)
{
	test_escapes();
	test_word_reads_back();
	test_base64();
	test_width();
	test_times();
	test_exec();
	test_others();
	test_random_events();
	test_duration();
	return check_result();
}
