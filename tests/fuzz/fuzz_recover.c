/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes, verified and recovered. What comes out of a recovery is a capture that
 * nothing is wrong with, and recovering that once more changes no event of it.
 */
#include "../unit/memory_io.h"

#include <exectrace.h>

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What this version cannot judge is no fault of the recovery. */
static void count(void *ctx, const struct et_error *fault)
{
	unsigned *faults = ctx;

	if (fault->code == ET_UNSUPPORTED)
		return;
	fprintf(stderr, "at byte %llu: %s\n", (unsigned long long)fault->at, fault->what);
	++*faults;
}

static void ignore(void *ctx, const struct et_error *fault)
{
	(void)ctx;
	(void)fault;
}

static bool recover(const struct et_io *in, struct sink *out, struct et_recovery *report)
{
	const struct et_recover_calls calls = { .fault = ignore };
	struct et_io io = sink_io(out);

	return et_recover(in, &io, &calls, report, NULL) == ET_OK;
}

static void need_clean(const struct sink *out)
{
	struct et_reader_stats stats;
	unsigned faults = 0;
	struct et_io io;

	if (et_io_memory(out->data, out->len, &io) || !out->len)
		return;
	et_verify(&io, count, &faults, &stats, NULL);
	if (faults || stats.damaged || stats.missing || stats.truncated || stats.unclean)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink first = { 0 }, second = { 0 };
	struct et_recovery one, two;
	struct et_reader_stats stats;
	struct et_io io;

	if (et_io_memory(data, size, &io) == ET_OK)
		et_verify(&io, ignore, NULL, &stats, NULL);
	if (et_io_memory(data, size, &io) == ET_OK && recover(&io, &first, &one)) {
		need_clean(&first);
		io = pipe_io(first.data, first.len);
		if (first.len && (!recover(&io, &second, &two) || two.faults || two.events != one.events))
			abort();
		need_clean(&second);
	}
	free(first.data);
	free(second.data);
	return 0;
}
