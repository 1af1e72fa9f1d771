/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of a recording, in its three ways, to the letter. */
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static const struct status example = {
	.state = STATUS_RECORDING,
	.mode = STATUS_FILTERED,
	.pid = 4242,
	.since = INT64_C(1795282902344000000),
	.elapsed = 61500000000,
	.events = { [ET_EXEC] = 1, [ET_FAIL] = 20, [ET_FORK] = 300, [ET_EXIT] = UINT64_C(1) << 40 },
	.lost = { [ET_CAUSE_RING_FULL] = 7, [ET_CAUSE_SKIPPED] = 2 },
	.bytes = 65536,
	.files = 2,
	.directory = "/var/log",
	.file = "trace.etz",
	.rate = { .since = 2500000000, .per_1000s = 12005 },
	.ring_size = 8 << 20,
	.ring_used = 24,
	.ring_peak = 4096,
	.parcels = 8,
	.parcels_full = 3,
};

static bool says(const char *text, const char *part)
{
	bool found = text && strstr(text, part);

	if (!found)
		fprintf(stderr, "no '%s' in: %s\n", part, text ? text : "(nothing)");
	return found;
}

static void test_json(void)
{
	char *text = status_json(&example);

	CHECK(says(text, "{\"version\":\""));
	CHECK(says(text, "\"pid\":4242,\"state\":\"recording\",\"mode\":\"filtered\","
			 "\"since\":\"2026-11-21T17:41:42.344Z\",\"elapsed\":61500000000,"
			 "\"events\":1099511628097,\"kinds\":{\"exec\":1,\"fail\":20,\"fork\":300,"
			 "\"exit\":1099511627776},\"lost\":9,\"lost_by_cause\":{\"ring_full\":7,"));
	CHECK(says(text, "\"skipped\":2"));
	CHECK(says(text, "\"rate\":{\"events_per_second\":12.005,\"over\":2500000000},"
			 "\"bytes\":65536,\"files\":2,\"file\":\"/var/log/trace.etz\","
			 "\"ring\":{\"bytes\":8388608,\"used\":24,\"peak\":4096},"
			 "\"queue\":{\"parcels\":8,\"full\":3}}"));
	free(text);
}

static void test_lines(void)
{
	char *text = status_lines(&example);

	CHECK(says(text, "state    recording (filtered), process 4242\n"
			 "since    2026-11-21T17:41:42.344Z, for 61.5 s\n"
			 "events   1099511628097 (1 exec, 20 failed, 300 fork, 1099511627776 exit); "
			 "12.005 a second in the last 2.5 s\n"
			 "lost     9 (7 ring_full, 2 skipped)\n"
			 "written  64.0 KiB in 2 files, now /var/log/trace.etz\n"
			 "ring     24 bytes in use, 4.0 KiB at most so far, of 8.0 MiB\n"
			 "queue    3 of 8 parcels are full\n"));
	free(text);
}

static void test_metrics(void)
{
	char *text = status_metrics(&example);

	CHECK(says(text, "# TYPE exectrace_events_total counter\n"
			 "exectrace_events_total{kind=\"exec\"} 1\n"));
	CHECK(says(text, "\nexectrace_lost_total{cause=\"ring_full\"} 7\n"));
	CHECK(says(text, "\nexectrace_state{state=\"recording\"} 1\n"));
	CHECK(says(text, "\nexectrace_state{state=\"blocked\"} 0\n"));
	CHECK(says(text, "\nexectrace_start_time_seconds 1795282902.344\n"));
	CHECK(says(text, "\nexectrace_queue_full_parcels 3\n"));
	CHECK(text && text[strlen(text) - 1] == '\n');
	free(text);
}

static void test_names(void)
{
	const struct {
		const char *directory, *file, *shown;
	} cases[] = {
		{ "/tmp", "/a/b.etz", "\"file\":\"/a/b.etz\"" },
		{ NULL, "b.etz", "\"file\":\"b.etz\"" },
		{ "/tmp", "a\"b\\c.etz", "\"file\":\"/tmp/a\\\"b\\\\c.etz\"" },
		{ "/tmp", "a\nb\x1b[31m", "\"file\":\"/tmp/a\\\\012b\\\\033[31m\"" },
		{ "/tmp", "\xff", "\"file\":\"/tmp/\\\\377\"" },
		{ "/tmp", "gr\xc3\xbc\xc3\x9f", "\"file\":\"/tmp/gr\xc3\xbc\xc3\x9f\"" },
		{ "/tmp", NULL, "\"files\":2,\"ring\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct status st = example;
		char *text;

		st.directory = cases[i].directory;
		st.file = cases[i].file;
		text = status_json(&st);
		CHECK_CASE(cases[i].shown, says(text, cases[i].shown));
		free(text);
	}
}

static void test_times(void)
{
	const struct {
		int64_t seconds;
		const char *shown;
	} cases[] = {
		{ 0, "\"1970-01-01T00:00:00.007Z\"" },
		{ 951782399, "\"2000-02-28T23:59:59.007Z\"" },
		{ 951782400, "\"2000-02-29T00:00:00.007Z\"" },
		{ 951868800, "\"2000-03-01T00:00:00.007Z\"" },
		{ 4107542399, "\"2100-02-28T23:59:59.007Z\"" },
		{ 4107542400, "\"2100-03-01T00:00:00.007Z\"" },
		{ 1798761599, "\"2026-12-31T23:59:59.007Z\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct status st = example;
		char *text;

		st.since = cases[i].seconds * 1000000000 + 7654321;
		text = status_json(&st);
		CHECK_CASE(cases[i].shown, says(text, cases[i].shown));
		free(text);
	}
}

static void test_largest(void)
{
	struct status st = example;
	char *text;

	for (unsigned i = 0; i < ET_KIND_END; i++)
		st.events[i] = UINT64_MAX / ET_KIND_END;
	for (unsigned i = 0; i < ET_CAUSE_END; i++)
		st.lost[i] = UINT64_MAX / ET_CAUSE_END;
	st.bytes = st.files = st.ring_size = st.ring_used = st.ring_peak = UINT64_MAX;
	text = status_metrics(&st);
	CHECK(text && strlen(text) < 8192);
	free(text);
}

static void test_rate(void)
{
	const struct {
		uint64_t at, events, per_1000s, since;
	} turns[] = {
		{ 500000000, 10, 0, 0 },			/* not yet a second */
		{ 1000000000, 2000, 2000000, 1000000000 },
		{ 1900000000, 9000, 2000000, 1000000000 },	/* still the last one */
		{ 3000000000, 2000, 0, 2000000000 },		/* nothing came */
		/* A day of a busy machine. */
		{ UINT64_C(86403000000000), UINT64_C(86400002000), 1000000000, UINT64_C(86400000000000) },
	};
	struct status_rate rate = { .at = 0 };

	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		status_measure(&rate, turns[i].events, turns[i].at);
		CHECK(rate.per_1000s == turns[i].per_1000s);
		CHECK(rate.since == turns[i].since);
	}
}

int main(void)
{
	test_json();
	test_lines();
	test_metrics();
	test_names();
	test_times();
	test_largest();
	test_rate();
	return check_result();
}
