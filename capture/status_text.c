/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "civil.h"
#include "say.h"
#include "units.h"

#define NS_PER_S UINT64_C(1000000000)

/* Of a file's name, and the directory that it is relative to. */
#define NAME_BYTES 4096u

static const enum et_kind kinds[] = { ET_EXEC, ET_FAIL, ET_FORK, ET_EXIT };

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

void status_measure(struct status_rate *rate, uint64_t events, uint64_t now)
{
	uint64_t since = now - rate->at;

	if (since < NS_PER_S)
		return;
	/* In ms, or many events of a long time would be too many. */
	rate->per_1000s = (events - rate->events) * 1000000 / (since / 1000000);
	rate->since = since;
	rate->at = now;
	rate->events = events;
}

const char *status_state_name(enum status_state state)
{
	static const char *const names[STATUS_STATES] = { "starting", "recording", "flight",
							   "blocked",  "failed",    "ending" };

	return names[state];
}

static const char *mode_name(enum status_mode mode)
{
	static const char *const names[STATUS_MODES] = { "everything", "filtered", "following" };

	return names[mode];
}

static uint64_t events_of(const struct status *st)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < N_KINDS; i++)
		sum += st->events[kinds[i]];
	return sum;
}

static uint64_t lost_of(const struct status *st)
{
	uint64_t sum = 0;

	for (unsigned i = 1; i < ET_CAUSE_END; i++)
		sum += st->lost[i];
	return sum;
}

/* "2026-11-21T17:31:02.123Z". */
static void put_time(FILE *f, int64_t ns)
{
	struct civil c = civil_split(ns, 0);
	unsigned ms = (unsigned)(c.ns / 1000000);

	civil_from_day(c.day, &c);
	fprintf(f, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", c.year, c.month, c.mday, ms / 3600000,
		ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

/* The file as messages show it, which is UTF-8 whatever its name is; absolute. */
static void file_of(const struct status *st, char text[4 * NAME_BYTES + 1])
{
	char name[NAME_BYTES];
	bool absolute = st->file[0] == '/' || !st->directory;

	snprintf(name, sizeof(name), "%s%s%s", absolute ? "" : st->directory, absolute ? "" : "/",
		 st->file);
	say_shown(text, name);
}

static void put_json_string(FILE *f, const char *text)
{
	putc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', f);
		putc(*text, f);
	}
	putc('"', f);
}

static void put_per_second(FILE *f, const struct status_rate *r)
{
	fprintf(f, "%" PRIu64 ".%03" PRIu64, r->per_1000s / 1000, r->per_1000s % 1000);
}

static void put_json(FILE *f, const struct status *st)
{
	char file[4 * NAME_BYTES + 1];
	const char *comma = "";

	fprintf(f, "{\"version\":\"%s\",\"pid\":%" PRIu32 ",\"state\":\"%s\",\"mode\":\"%s\",\"since\":\"",
		EXECTRACE_VERSION, st->pid, status_state_name(st->state), mode_name(st->mode));
	put_time(f, st->since);
	fprintf(f, "\",\"elapsed\":%" PRIu64 ",\"events\":%" PRIu64 ",\"kinds\":{", st->elapsed,
		events_of(st));
	for (unsigned i = 0; i < N_KINDS; i++, comma = ",")
		fprintf(f, "%s\"%s\":%" PRIu64, comma, et_kind_name(kinds[i]), st->events[kinds[i]]);
	fprintf(f, "},\"lost\":%" PRIu64 ",\"lost_by_cause\":{", lost_of(st));
	comma = "";
	for (unsigned i = 1; i < ET_CAUSE_END; i++, comma = ",")
		fprintf(f, "%s\"%s\":%" PRIu64, comma, et_cause_name(i), st->lost[i]);
	fputs("},\"rate\":{\"events_per_second\":", f);
	put_per_second(f, &st->rate);
	fprintf(f, ",\"over\":%" PRIu64 "},\"bytes\":%" PRIu64 ",\"files\":%" PRIu64, st->rate.since,
		st->bytes, st->files);
	if (st->file) {
		fputs(",\"file\":", f);
		file_of(st, file);
		put_json_string(f, file);
	}
	fprintf(f, ",\"ring\":{\"bytes\":%" PRIu64 ",\"used\":%" PRIu64 ",\"peak\":%" PRIu64 "}",
		st->ring_size, st->ring_used, st->ring_peak);
	fprintf(f, ",\"queue\":{\"parcels\":%u,\"full\":%u}}", st->parcels, st->parcels_full);
}

static void put_lost(FILE *f, const struct status *st)
{
	const char *mark = " (";
	uint64_t sum = lost_of(st);

	fprintf(f, "lost     %" PRIu64, sum);
	for (unsigned i = 1; i < ET_CAUSE_END; i++) {
		if (!st->lost[i])
			continue;
		fprintf(f, "%s%" PRIu64 " %s", mark, st->lost[i], et_cause_name(i));
		mark = ", ";
	}
	fputs(sum ? ")\n" : "\n", f);
}

static void put_lines(FILE *f, const struct status *st)
{
	char file[4 * NAME_BYTES + 1], size[UNITS_TEXT], used[UNITS_TEXT], peak[UNITS_TEXT];

	fprintf(f, "state    %s (%s), process %" PRIu32 "\nsince    ", status_state_name(st->state),
		mode_name(st->mode), st->pid);
	put_time(f, st->since);
	fprintf(f, ", for %" PRIu64 ".%" PRIu64 " s\n", st->elapsed / NS_PER_S,
		st->elapsed / (NS_PER_S / 10) % 10);
	fprintf(f, "events   %" PRIu64 " (%" PRIu64 " exec, %" PRIu64 " failed, %" PRIu64 " fork, %"
		PRIu64 " exit)", events_of(st), st->events[ET_EXEC], st->events[ET_FAIL],
		st->events[ET_FORK], st->events[ET_EXIT]);
	if (st->rate.since) {
		fputs("; ", f);
		put_per_second(f, &st->rate);
		fprintf(f, " a second in the last %" PRIu64 ".%" PRIu64 " s", st->rate.since / NS_PER_S,
			st->rate.since / (NS_PER_S / 10) % 10);
	}
	putc('\n', f);
	put_lost(f, st);
	fprintf(f, "written  %s in %" PRIu64 " file%s", units_show_size(st->bytes, size), st->files,
		st->files == 1 ? "" : "s");
	if (st->file) {
		file_of(st, file);
		fprintf(f, ", now %s", file);
	}
	fprintf(f, "\nring     %s in use, %s at most so far, of %s\n",
		units_show_size(st->ring_used, used), units_show_size(st->ring_peak, peak),
		units_show_size(st->ring_size, size));
	fprintf(f, "queue    %u of %u parcels are full\n", st->parcels_full, st->parcels);
}

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metric(FILE *f, const char *name, const char *type, const char *help, uint64_t value)
{
	head(f, name, type, help);
	fprintf(f, "%s %" PRIu64 "\n", name, value);
}

static void put_metrics(FILE *f, const struct status *st)
{
	head(f, "exectrace_info", "gauge", "Version of the recorder and what it records.");
	fprintf(f, "exectrace_info{version=\"%s\",mode=\"%s\"} 1\n", EXECTRACE_VERSION,
		mode_name(st->mode));
	head(f, "exectrace_state", "gauge", "1 for the state that the recording is in.");
	for (unsigned i = 0; i < STATUS_STATES; i++)
		fprintf(f, "exectrace_state{state=\"%s\"} %d\n",
			status_state_name((enum status_state)i), st->state == (enum status_state)i);
	head(f, "exectrace_start_time_seconds", "gauge", "When the recording began, since 1970.");
	fprintf(f, "exectrace_start_time_seconds %" PRId64 ".%03" PRId64 "\n", st->since / 1000000000,
		st->since / 1000000 % 1000);
	head(f, "exectrace_events_total", "counter", "Events taken.");
	for (unsigned i = 0; i < N_KINDS; i++)
		fprintf(f, "exectrace_events_total{kind=\"%s\"} %" PRIu64 "\n", et_kind_name(kinds[i]),
			st->events[kinds[i]]);
	head(f, "exectrace_lost_total", "counter", "Events lost.");
	for (unsigned i = 1; i < ET_CAUSE_END; i++)
		fprintf(f, "exectrace_lost_total{cause=\"%s\"} %" PRIu64 "\n", et_cause_name(i),
			st->lost[i]);
	metric(f, "exectrace_written_bytes_total", "counter", "Bytes of captures written.", st->bytes);
	metric(f, "exectrace_files_total", "counter", "Captures begun.", st->files);
	metric(f, "exectrace_ring_bytes", "gauge", "Size of the ring between kernel and recorder.",
	       st->ring_size);
	metric(f, "exectrace_ring_used_bytes", "gauge", "What of it is in use.", st->ring_used);
	metric(f, "exectrace_ring_peak_bytes", "gauge", "The most that was found in use.",
	       st->ring_peak);
	metric(f, "exectrace_queue_parcels", "gauge", "Parcels of events that the memory holds.",
	       st->parcels);
	metric(f, "exectrace_queue_full_parcels", "gauge", "Those that wait to be written.",
	       st->parcels_full);
}

static char *printed(void (*put)(FILE *f, const struct status *st), const struct status *st)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (!f)
		return NULL;
	put(f, st);
	failed = ferror(f);
	if (fclose(f) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}

char *status_json(const struct status *st)
{
	return printed(put_json, st);
}

char *status_lines(const struct status *st)
{
	return printed(put_lines, st);
}

char *status_metrics(const struct status *st)
{
	return printed(put_metrics, st);
}
