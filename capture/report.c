/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "output.h"
#include "say.h"
#include "series.h"
#include "units.h"

#define NS_PER_S 1000000000.0

/* The reader of the pipe has gone, as is its right. */
static bool pipe_closed(const struct report *r)
{
	return r->writer.error.code == ET_IO && r->writer.error.sys == EPIPE &&
	       output_is_pipe(r->output);
}

/* "0 lost", or the number and each cause. Returns the number. */
static uint64_t describe_losses(const struct report *r, char *text, size_t size)
{
	uint64_t lost[ET_CAUSE_END], sum = 0;
	const char *mark = " (";
	size_t len;

	memcpy(lost, r->lost, sizeof(lost));
	lost[ET_CAUSE_WRITE_FAILED] += r->writer.unwritten;
	for (unsigned i = 1; i < ET_CAUSE_END; i++)
		sum += lost[i];
	len = (size_t)snprintf(text, size, "%" PRIu64 " lost", sum);
	for (unsigned i = 1; i < ET_CAUSE_END; i++) {
		if (!lost[i] || len >= size)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%" PRIu64 " %s", mark, lost[i],
					et_cause_name(i));
		mark = ", ";
	}
	if (sum && len < size)
		snprintf(text + len, size - len, ")%s",
			 lost[ET_CAUSE_RING_FULL] ? ", a larger --ring-size helps" : "");
	return sum;
}

static void say_summary(const struct report *r)
{
	const uint64_t *rows = r->writer.stats.rows;
	uint64_t events = rows[ET_EXEC] + rows[ET_FAIL] + rows[ET_FORK] + rows[ET_EXIT];
	char losses[256], size[UNITS_TEXT], each[48] = "", files[32] = "";
	uint64_t lost = describe_losses(r, losses, sizeof(losses));
	const char *name = output_name(r->output);

	if (r->options->quiet) {
		if (lost)
			say_at(SAY_WARNING, "%s: %s", name, losses);
		return;
	}
	if (output_is_series(r->output))
		snprintf(files, sizeof(files), ", %" PRIu64 " %s", output_files(r->output),
			 output_files(r->output) == 1 ? "file" : "files");
	if (events)
		snprintf(each, sizeof(each), " (%.1f bytes/event)",
			 (double)r->writer.stats.bytes / (double)events);
	say_at(lost ? SAY_WARNING : SAY_NOTICE,
	       "%s: %" PRIu64 " exec, %" PRIu64 " failed, %" PRIu64 " fork, %" PRIu64 " exit; "
	       "%s; %s%s%s in %.1f s", name, rows[ET_EXEC], rows[ET_FAIL], rows[ET_FORK],
	       rows[ET_EXIT], losses, units_show_size(r->writer.stats.bytes, size), each, files,
	       (double)r->elapsed / NS_PER_S);
}

/* What can be done about a failed write. */
static const char *remedy(int error)
{
	switch (error) {
	case ENOSPC:
		return "; make room, or record to another file system";
	case EDQUOT:
		return "; the quota is used up: make room, or record to another file system";
	case EFBIG:
		return "; raise the limit on the size of files (ulimit -f)";
	case EIO:
		return "; the kernel's log may tell more (dmesg)";
	default:
		return "";
	}
}

static void say_error(const struct report *r)
{
	const struct et_error *e = &r->writer.error;
	const char *name = output_name(r->output);

	if (e->code == ET_IO && e->sys == ECANCELED)
		say("nobody reads standard output; the capture ends early");
	else if (e->code == ET_IO)
		say("cannot write %s at byte %" PRIu64 ": %s%s%s", name, e->at, strerror(e->sys),
		    !output_kept(r->output) ? "; nothing was recorded"
		    : !r->writer.stats.bytes ? ""
		    : r->writer.ended ? "; the capture ends there and says so"
		    : "; what was written before is readable", remedy(e->sys));
	else
		say("cannot write %s: %s", name, e->what);
	if (r->writer.trim_error && output_kept(r->output))
		say("cannot cut %s to whole records: %s; it may end in part of one", name,
		    strerror(r->writer.trim_error));
}

static void say_sync(const struct report *r, const struct syncer_report *sync)
{
	say_at(SAY_WARNING, "%u of %u syncs of %s failed, the first with: %s; after a crash of the "
	       "machine it may lack what was written; copy it elsewhere", sync->failed, sync->done,
	       output_name(r->output), strerror(sync->error));
}

void report_dump(const struct options *opt, const struct dump *dump)
{
	char size[UNITS_TEXT];

	if (dump->error && dump->bytes && !dump->cut)
		say("wrote %s, %s, but cannot bring it to the disk: %s", dump->path ? dump->path : "",
		    units_show_size(dump->bytes, size), strerror(dump->error));
	else if (dump->error && dump->bytes)
		say("cannot write all to %s: %s; it holds the older part, %s", dump->path ? dump->path : "",
		    strerror(dump->error), units_show_size(dump->bytes, size));
	else if (dump->error)
		say("cannot write what is in memory: %s", series_why(dump->error));
	else if (!opt->quiet)
		say_at(SAY_NOTICE, "wrote %s, %s", dump->path ? dump->path : "", units_show_size(dump->bytes, size));
}

int report_say(const struct report *r)
{
	struct syncer_report sync;
	int ret = EXIT_DONE;
	bool gone;
	int error = output_finish(r->output, &gone);

	if (pipe_closed(r))
		return EXIT_DONE;
	if (r->writer.snapshot_error)
		say_at(SAY_WARNING, "cannot read /proc: %s; what ran before is not in the capture",
		       strerror(r->writer.snapshot_error));
	if (r->writer.error.code != ET_OK) {
		say_error(r);
		ret = EXIT_FAILED;
	} else if (error) {
		say("cannot close %s: %s", output_name(r->output), strerror(error));
		ret = EXIT_FAILED;
	}
	output_sync_report(r->output, &sync);
	if (sync.failed) {
		say_sync(r, &sync);
		ret = EXIT_FAILED;
	}
	if (gone && output_kept(r->output)) {
		say("%s was removed while it was written; the capture is gone",
		    output_name(r->output));
		ret = EXIT_FAILED;
	}
	if (output_kept(r->output))
		say_summary(r);
	return ret;
}
