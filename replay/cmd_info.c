/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_info.c - what a capture is: where from, how complete, and where its bytes go. */
#include "command.h"

#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "escape.h"
#include "exeset.h"
#include "print.h"
#include "times.h"

/* Types and columns of later versions are counted together under 0. */
struct info {
	struct source *source;
	uint64_t records[ET_REC_TYPE_END], record_bytes[ET_REC_TYPE_END];
	struct et_column_size columns[256];
	uint8_t boot_id[16];
	char program[128];
	int64_t last_wall;
	int64_t clock;		/* offset of the wall clock, as last said; 0: not yet */
	uint64_t clock_ts;	/* from when on it held */
	unsigned clock_steps;	/* how often it was set, by more than its drift */
	bool ended;
	char reason[128];
	struct exeset exes;	/* of all segments */
	const struct et_exe *exe;
	size_t n_exes;
	struct et_reader_stats stats;
};

static uint64_t events_of(const struct info *f)
{
	uint64_t n = 0;

	for (unsigned k = 1; k < ET_KIND_END; k++)
		n += k == ET_LOST ? 0 : f->stats.rows[k];
	return n;
}

static uint64_t bytes_of(const struct info *f)
{
	return f->source->size ? f->source->size : f->stats.bytes;
}

static void copy(char *to, size_t size, struct et_str s)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;

	if (n)
		memcpy(to, s.ptr, n);
	to[n] = 0;
}

/* ---- Reading ---------------------------------------------------------------------- */

static int take_sizes(struct info *f, const struct et_record *rec)
{
	struct et_column_size sizes[256];
	struct et_chunk *c;
	struct et_error err;
	unsigned n;
	int r = et_reader_chunk(f->source->reader, &c, &err);

	if (r) {
		if (r == ET_UNSUPPORTED)
			source_fault(f->source, rec, &err);
		else
			source_failed(f->source);
		return r == ET_NOMEM ? ET_NOMEM : ET_OK;
	}
	source_losses(f->source, c, INT64_MIN, INT64_MAX);
	n = et_chunk_sizes(c, sizes, 256);
	for (unsigned i = 0; i < n && i < 256; i++) {
		f->columns[sizes[i].column].stored += sizes[i].stored;
		f->columns[sizes[i].column].raw += sizes[i].raw;
	}
	et_chunk_free(c);
	return ET_OK;
}

/* A moment that the capture tells of: the last may be its end. */
static void take_clock(struct info *f, struct et_clock clock)
{
	uint64_t change = (uint64_t)clock.offset - (uint64_t)f->clock;

	f->last_wall = et_clock_wall(clock);
	/* Of a row that came late, from before the clock was set. */
	if (f->clock && clock.ts < f->clock_ts)
		return;
	if (f->clock && change + 100000000 > 200000000)
		f->clock_steps++;
	f->clock = clock.offset;
	f->clock_ts = clock.ts;
}

static int take_record(struct info *f, const struct et_record *rec)
{
	unsigned type = rec->type < ET_REC_TYPE_END ? rec->type : 0;

	/* Names are those of a segment. */
	if (rec->type == ET_REC_FILE && exeset_add(&f->exes, f->source->names))
		return ET_NOMEM;
	/* Strings of the head are lent until the next call on the reader. */
	if (rec->type == ET_REC_FILE) {
		memcpy(f->boot_id, rec->boot_id, sizeof(f->boot_id));
		copy(f->program, sizeof(f->program), rec->program);
		f->clock = 0;
		if (rec->has_started)
			take_clock(f, rec->started);
	} else if (rec->type == ET_REC_END) {
		copy(f->reason, sizeof(f->reason), rec->reason);
		f->ended = true;
	}
	source_take(f->source, rec);
	f->records[type]++;
	f->record_bytes[type] += rec->size;
	if (rec->type == ET_REC_END)
		take_clock(f, rec->ended);
	if (!rec->rows)
		return ET_OK;
	for (unsigned i = 0; i < rec->n_clocks; i++)
		take_clock(f, rec->clocks[i]);
	f->last_wall = et_record_wall(rec, rec->ts_max);
	return take_sizes(f, rec);
}

/* ---- Text ------------------------------------------------------------------------- */

static void label(struct out *o, const char *name)
{
	out_printf(o, "%-16s", name);
}

static void line(struct out *o, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	label(o, name);
	escape_name(o, value, strlen(value));
	out_char(o, '\n');
}

static void text_moment(struct out *o, int64_t wall, int32_t offset)
{
	times_moment(o, wall, offset);
	out_char(o, ' ');
	times_zone(o, offset);
	out_char(o, '\n');
}

static void put_boot_id(struct out *o, const uint8_t *id)
{
	for (int i = 0; i < 16; i++)
		out_printf(o, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			   id[i]);
}

static bool has_boot_id(const struct info *f)
{
	static const uint8_t none[16];

	return memcmp(f->boot_id, none, sizeof(none)) != 0;
}

static void text_host(struct out *o, const struct info *f)
{
	static const struct {
		const char *key, *label;
	} first[] = {
		{ "hostname", "Host" },      { "kernel", "Kernel" },
		{ "kernel_version", "" },    { "machine", "Machine" },
		{ "cpus", "CPUs" },          { "recorder", "Recorder" },
		{ "options", "Options" },    { "command", "Command" },
		{ "scope", "Scope" },        { "filter", "Filter" },
		{ "features", "Features" },  { "timezone", "Time zone" },
	};
	const size_t n_first = sizeof(first) / sizeof(first[0]);
	const struct et_pair *pairs;
	size_t n = et_context_pairs(f->source->names, &pairs);

	for (size_t i = 0; i < n_first; i++)
		line(o, first[i].label, et_context_host(f->source->names, first[i].key));
	for (size_t i = 0; i < n; i++) {
		bool shown = !strcmp(pairs[i].key, "utc_offset");

		for (size_t k = 0; k < n_first; k++)
			shown |= !strcmp(pairs[i].key, first[k].key);
		if (shown)
			continue;
		escape_name(o, pairs[i].key, strlen(pairs[i].key));
		out_pad(o, 15 - (int)strlen(pairs[i].key));
		out_char(o, ' ');
		escape_name(o, pairs[i].value.ptr, pairs[i].value.len);
		out_char(o, '\n');
	}
}

static void text_times(struct out *o, const struct info *f, const struct options *opt)
{
	const struct source *s = f->source;
	int32_t offset = opt->utc ? 0 : s->offset;

	if (has_boot_id(f)) {
		label(o, "Boot");
		put_boot_id(o, f->boot_id);
		out_char(o, '\n');
	}
	if (!s->started)
		return;
	label(o, "Start");
	text_moment(o, s->start, offset);
	label(o, "End");
	text_moment(o, f->last_wall, offset);
	label(o, "Duration");
	times_duration(o, f->last_wall > s->start ? (uint64_t)f->last_wall - (uint64_t)s->start
						  : 0);
	out_char(o, '\n');
	label(o, "Clock");
	out_printf(o, "boot clock, ns; wall clock set %u time%s\n", f->clock_steps,
		   f->clock_steps == 1 ? "" : "s");
}

static const char *column_name(const struct info *f, unsigned id)
{
	if (!id)
		return "(strings)";
	if (id < ET_FIELD_END && et_fields[id].name)
		return et_fields[id].name;
	for (unsigned i = 0; i < f->source->n_extra; i++)
		if (f->source->extra[i].id == id)
			return f->source->extra[i].name;
	return "(unknown)";
}

static void text_sizes(struct out *o, const struct info *f)
{
	uint64_t events = events_of(f), stored = 0, raw = 0;

	out_text(o, "\nRecords                 Count           Bytes\n");
	for (unsigned t = 1; t <= ET_REC_TYPE_END; t++) {
		unsigned i = t % ET_REC_TYPE_END;

		if (f->records[i])
			out_printf(o, "  %-16s%11llu%16llu\n",
				   i ? et_record_name(i) : "(unknown)",
				   (unsigned long long)f->records[i],
				   (unsigned long long)f->record_bytes[i]);
	}
	out_text(o, "\nColumns                Stored             Raw    Ratio  Bytes/event\n");
	for (unsigned i = 0; i < 256; i++) {
		const struct et_column_size *c = &f->columns[i];

		if (!c->stored && !c->raw)
			continue;
		stored += c->stored;
		raw += c->raw;
		out_text(o, "  ");
		out_printf(o, "%-16s%11llu%16llu%9.1f%13.2f\n", column_name(f, i),
			   (unsigned long long)c->stored, (unsigned long long)c->raw,
			   c->stored ? (double)c->raw / (double)c->stored : 0,
			   events ? (double)c->stored / (double)events : 0);
	}
	out_printf(o, "  %-16s%11llu%16llu%9.1f%13.2f\n", "all", (unsigned long long)stored,
		   (unsigned long long)raw, stored ? (double)raw / (double)stored : 0,
		   events ? (double)stored / (double)events : 0);
}

static void put_hex(struct out *o, struct et_str bytes)
{
	for (uint32_t i = 0; i < bytes.len; i++)
		out_printf(o, "%02x", (uint8_t)bytes.ptr[i]);
}

static void text_exe(struct out *o, const struct et_exe *e, int32_t offset)
{
	out_text(o, "  ");
	escape_name(o, e->path.ptr, e->path.len);
	out_char(o, '\n');
	if (e->known & (ET_EXE_DEV | ET_EXE_INODE | ET_EXE_SIZE)) {
		out_text(o, "     ");
		if (e->known & ET_EXE_DEV) {
			out_text(o, " device ");
			out_device(o, e->dev);
		}
		if (e->known & ET_EXE_INODE)
			out_printf(o, " inode %llu", (unsigned long long)e->inode);
		if (e->known & ET_EXE_SIZE)
			out_printf(o, " size %llu", (unsigned long long)e->size);
		out_char(o, '\n');
	}
	if (e->known & ET_EXE_MTIME) {
		out_text(o, "      modified ");
		text_moment(o, e->mtime, offset);
	}
	if (e->build_id.len) {
		out_text(o, "      build-id ");
		put_hex(o, e->build_id);
		out_char(o, '\n');
	}
	if (e->interpreter.len) {
		out_text(o, "      interpreter ");
		escape_name(o, e->interpreter.ptr, e->interpreter.len);
		out_char(o, '\n');
	}
}

static void text_exes(struct out *o, const struct info *f, const struct options *opt)
{
	out_text(o, "\nExecutables\n");
	for (size_t i = 0; i < f->n_exes; i++)
		text_exe(o, &f->exe[i], opt->utc ? 0 : f->source->offset);
}

/* A section with a title, where there is anything to say in it. */
static void section(struct out *o, const char *title, const struct out *text)
{
	if (!text->len)
		return;
	out_printf(o, "\n%s\n", title);
	out_bytes(o, text->buf, text->len);
}

static void text_lacks(struct out *o, const struct info *f, const struct options *opt)
{
	const struct source *s = f->source;
	int32_t offset = opt->utc ? 0 : s->offset;
	size_t lines = opt->losses ? SIZE_MAX : CERTIFICATE_LINES;
	struct out text;

	out_open(&text, -1);
	certificate_losses(&text, s->own, opt->losses ? LOSSES_MAX : CERTIFICATE_LINES, lines, offset);
	section(o, "Lost events", &text);
	text.len = 0;
	certificate_gaps(&text, s->own, true, lines, offset);
	section(o, "Missing", &text);
	text.len = 0;
	for (uint64_t i = 0; i < s->n_faults && i < SOURCE_FAULTS; i++)
		out_printf(&text, "  at byte %llu: %s\n", (unsigned long long)s->faults[i].at,
			   s->faults[i].what);
	if (s->n_faults > SOURCE_FAULTS)
		out_printf(&text, "  and %llu more; exectrace verify tells of each\n",
			   (unsigned long long)(s->n_faults - SOURCE_FAULTS));
	section(o, "Faults", &text);
	out_close(&text);
}

static void text_info(struct out *o, const struct info *f, const struct options *opt)
{
	uint64_t events = events_of(f);
	const char *separator = " (";
	struct out state;

	line(o, "File", f->source->name);
	label(o, "State");
	/* Names of files may be in it. */
	out_open(&state, -1);
	report_state(&state, f->source, opt->utc);
	escape_message(o, state.buf, state.len);
	out_close(&state);
	out_char(o, '\n');
	line(o, "Ended", f->ended ? f->reason : NULL);
	text_host(o, f);
	line(o, "Written by", f->program);
	text_times(o, f, opt);
	label(o, "Events");
	out_printf(o, "%llu", (unsigned long long)events);
	for (unsigned k = 1; k < ET_KIND_END; k++) {
		if (k == ET_LOST || !f->stats.rows[k])
			continue;
		out_printf(o, "%s%s %llu", separator, et_kind_name(k),
			   (unsigned long long)f->stats.rows[k]);
		separator = ", ";
	}
	out_text(o, events ? ")\n" : "\n");
	label(o, "Size");
	out_printf(o, "%llu bytes", (unsigned long long)bytes_of(f));
	if (events)
		out_printf(o, ", %.2f an event", (double)bytes_of(f) / (double)events);
	out_printf(o, ", in %llu chunks", (unsigned long long)f->records[ET_REC_CHUNK]);
	if (f->stats.segments > 1)
		out_printf(o, " and %u segments", f->stats.segments);
	out_char(o, '\n');
	if (f->n_exes) {
		label(o, "Executables");
		out_printf(o, "%zu%s\n", f->n_exes, opt->exes ? "" : " (--exes lists them)");
	}
	text_lacks(o, f, opt);
	text_sizes(o, f);
	if (opt->exes)
		text_exes(o, f, opt);
}

/* ---- JSON ------------------------------------------------------------------------- */

static void json_string(struct out *o, const char *name, const char *value)
{
	if (value && *value)
		json_text(o, ",", name, value, strlen(value));
}

static void json_host(struct out *o, const struct info *f)
{
	const struct et_pair *pairs;
	size_t n = et_context_pairs(f->source->names, &pairs);

	json_string(o, "host", et_context_host(f->source->names, "hostname"));
	json_string(o, "kernel", et_context_host(f->source->names, "kernel"));
	json_string(o, "recorder", et_context_host(f->source->names, "recorder"));
	json_string(o, "options", et_context_host(f->source->names, "options"));
	json_string(o, "program", f->program);
	out_text(o, ",\"properties\":{");
	for (size_t i = 0; i < n; i++) {
		/* A key is a stranger's text too. */
		out_text(o, i ? ",\"" : "\"");
		escape_json(o, pairs[i].key, strlen(pairs[i].key));
		out_text(o, "\":\"");
		escape_json(o, pairs[i].value.ptr, pairs[i].value.len);
		out_char(o, '"');
	}
	out_char(o, '}');
	if (has_boot_id(f)) {
		out_text(o, ",\"boot_id\":\"");
		put_boot_id(o, f->boot_id);
		out_char(o, '"');
	}
}

static void json_sizes(struct out *o, const struct info *f)
{
	const char *before = "";

	out_text(o, ",\"records\":{");
	for (unsigned t = 1; t <= ET_REC_TYPE_END; t++) {
		unsigned i = t % ET_REC_TYPE_END;

		if (!f->records[i])
			continue;
		out_printf(o, "%s\"%s\":{", before, i ? et_record_name(i) : "unknown");
		json_uint(o, "", "count", f->records[i]);
		json_uint(o, ",", "bytes", f->record_bytes[i]);
		out_char(o, '}');
		before = ",";
	}
	out_text(o, "},\"columns\":[");
	before = "{";
	for (unsigned i = 0; i < 256; i++) {
		const struct et_column_size *c = &f->columns[i];
		const char *name = column_name(f, i);

		if (!c->stored && !c->raw)
			continue;
		json_text(o, before, "name", name, strlen(name));
		json_uint(o, ",", "stored", c->stored);
		json_uint(o, ",", "raw", c->raw);
		out_char(o, '}');
		before = ",{";
	}
	out_char(o, ']');
}

static void json_exe(struct out *o, const char *before, const struct et_exe *e)
{
	json_text(o, before, "path", e->path.ptr, e->path.len);
	if (e->known & ET_EXE_DEV) {
		out_text(o, ",\"dev\":\"");
		out_device(o, e->dev);
		out_char(o, '"');
	}
	if (e->known & ET_EXE_INODE)
		json_uint(o, ",", "inode", e->inode);
	if (e->known & ET_EXE_SIZE)
		json_uint(o, ",", "size", e->size);
	if (e->known & ET_EXE_MTIME)
		json_time(o, ",", "mtime", e->mtime);
	if (e->build_id.len) {
		out_text(o, ",\"build_id\":\"");
		put_hex(o, e->build_id);
		out_char(o, '"');
	}
	if (e->interpreter.len)
		json_text(o, ",", "interpreter", e->interpreter.ptr, e->interpreter.len);
	out_char(o, '}');
}

static void json_exes(struct out *o, const struct info *f)
{
	out_text(o, ",\"exes\":[");
	for (size_t i = 0; i < f->n_exes; i++)
		json_exe(o, i ? ",{" : "{", &f->exe[i]);
	out_char(o, ']');
}

static void json_faults(struct out *o, const struct source *s)
{
	out_text(o, ",\"faults\":[");
	for (uint64_t i = 0; i < s->n_faults && i < SOURCE_FAULTS; i++) {
		json_uint(o, i ? ",{" : "{", "at", s->faults[i].at);
		json_text(o, ",", "fault", s->faults[i].what, strlen(s->faults[i].what));
		out_char(o, '}');
	}
	out_char(o, ']');
}

static void json_info(struct out *o, const struct info *f)
{
	const struct source *s = f->source;
	const char *before = "";
	struct out state;

	json_text(o, "{", "file", s->name, strlen(s->name));
	json_uint(o, ",", "events", events_of(f));
	out_text(o, ",\"kinds\":{");
	for (unsigned k = 1; k < ET_KIND_END; k++, before = ",")
		json_uint(o, before, et_kind_name(k), f->stats.rows[k]);
	out_char(o, '}');
	json_losses(o, f->stats.lost, f->stats.lost_other);
	out_printf(o, ",\"complete\":%s", report_complete(s) ? "true" : "false");
	out_open(&state, -1);
	report_state(&state, s, true);
	json_text(o, ",", "state", state.buf, state.len);
	out_close(&state);
	json_string(o, "ended", f->ended ? f->reason : NULL);
	json_uint(o, ",", "missing", f->stats.missing + s->unreadable);
	json_uint(o, ",", "damaged", f->stats.damaged);
	out_printf(o, ",\"truncated\":%s", f->stats.truncated ? "true" : "false");
	certificate_json_losses(o, s->own, LOSSES_MAX);
	certificate_json_gaps(o, s->own);
	json_faults(o, s);
	certificate_json_series(o, s->own);
	json_uint(o, ",", "bytes", bytes_of(f));
	json_uint(o, ",", "chunks", f->records[ET_REC_CHUNK]);
	json_uint(o, ",", "segments", f->stats.segments);
	if (s->started) {
		json_time(o, ",", "start", s->start);
		json_time(o, ",", "end", f->last_wall);
		json_uint(o, ",", "clock_steps", f->clock_steps);
	}
	json_host(o, f);
	json_exes(o, f);
	json_sizes(o, f);
	out_text(o, "}\n");
}

/* ---- The command ------------------------------------------------------------------ */

static int info_source(struct source *s, const struct options *opt, struct out *o, bool first)
{
	struct info f = { .source = s, .exes.all = true };
	struct et_record rec;
	int r = ET_OK;

	while (!r && source_next(s, &rec))
		r = take_record(&f, &rec);
	if (r || exeset_add(&f.exes, s->names) || exeset_all(&f.exes, &f.exe, &f.n_exes)) {
		exeset_free(&f.exes);
		say("out of memory");
		return EXIT_FAILED;
	}
	source_stats(s, &f.stats);
	report_series(s->own, &s, 1);
	if (opt->json) {
		json_info(o, &f);
	} else {
		if (!first)
			out_char(o, '\n');
		text_info(o, &f, opt);
	}
	exeset_free(&f.exes);
	return report_source(s, opt);
}

static int info(struct source **sources, size_t n, struct options *opt)
{
	struct ledger *all = ledger_new();
	int code = all ? EXIT_DONE : EXIT_FAILED;
	struct out o;

	if (!all)
		say("out of memory");
	/* That it is complete is in the text. */
	opt->quiet = true;
	out_open(&o, STDOUT_FILENO);
	for (size_t i = 0; i < n && all; i++) {
		sources[i]->all = all;
		code = report_worse(code, info_source(sources[i], opt, &o, !i));
	}
	code = command_end(&o, code);
	if (all)
		code = report_worse(code, report_between(all, opt));
	ledger_free(all);
	for (size_t i = 0; i < n; i++)
		source_close(sources[i]);
	return code;
}

static int info_run(int argc, char **argv)
{
	return command_run(&cmd_info, argc, argv, info);
}

const struct command cmd_info = {
	.name = "info",
	.args = "[options] [FILE...]",
	.summary =
		"tell where a capture is from, whether it is complete, and where its bytes go",
	.options = OPTIONS_SHOW | OPTIONS_INFO | OPTIONS_ENDING,
	.notes = ".\nFILE of - is standard input; without FILE it is trace.etz",
	.run = info_run,
};
