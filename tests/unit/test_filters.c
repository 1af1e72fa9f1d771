/* SPDX-License-Identifier: BSD-2-Clause */
/* test_filters.c - what --pid, --uid, --cgroup and --comm of the recorder take. */
#include "check.h"
#include "filters.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *label;
	enum filters_kind kind;
	const char *value;
	const char *words;	/* one behind the other, each with a bar; NULL: refused */
	const char *error;	/* then, a part of the message */
} cases[] = {
	{ "one pid", FILTERS_PID, "1", "1|", NULL },
	{ "pids", FILTERS_PID, "1,2,2147483647", "1|2|2147483647|", NULL },
	{ "pid 0", FILTERS_PID, "0", NULL, "--pid: '0'" },
	{ "pid over the limit", FILTERS_PID, "2147483648", NULL, "'2147483648'" },
	{ "pid that wraps", FILTERS_PID, "18446744073709551617", NULL, "--pid" },
	{ "pid with a sign", FILTERS_PID, "+1", NULL, "'+1'" },
	{ "pid with a point", FILTERS_PID, "1.0", NULL, "'1.0'" },
	{ "pid by name", FILTERS_PID, "7,sh", NULL, "'sh' is not the number of a process" },
	{ "no pid", FILTERS_PID, "", NULL, "--pid: ''" },
	{ "a comma too many", FILTERS_PID, "1,", NULL, "--pid: ''" },
	{ "uids", FILTERS_UID, "0,4294967294,root", "0|4294967294|root|", NULL },
	{ "no uid has this number", FILTERS_UID, "4294967295", NULL, "'4294967295'" },
	{ "name that begins with digits", FILTERS_UID, "0day", "0day|", NULL },
	{ "no uid", FILTERS_UID, ",0", NULL, "--uid: ''" },
	{ "comms", FILTERS_COMM_NAME, "cc1,a b,*", "cc1|a b|*|", NULL },
	{ "comm of 15 bytes", FILTERS_COMM_NAME, "fifteen-bytes-x", "fifteen-bytes-x|", NULL },
	{ "comm of 16 bytes", FILTERS_COMM_NAME, "x,sixteen-bytes-xy", NULL, "of 1 to 15 bytes" },
	{ "no comm", FILTERS_COMM_NAME, "", NULL, "--comm: ''" },
	{ "a path is no list", FILTERS_CGROUP, "/a,b", "/a,b|", NULL },
	{ "no path", FILTERS_CGROUP, "", NULL, "--cgroup: ''" },
};

static void takes_lists(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filters f = { .error = "" };
		bool ok = filters_add(&f, cases[i].kind, cases[i].value);
		char words[256] = "";

		CHECK_CASE(cases[i].label, ok == !!cases[i].words);
		for (size_t k = 0; k < filters_count(&f, cases[i].kind); k++) {
			strcat(words, f.of[cases[i].kind].words[k]);
			strcat(words, "|");
		}
		if (cases[i].words)
			CHECK_CASE(cases[i].label, strcmp(words, cases[i].words) == 0);
		else
			CHECK_CASE(cases[i].label, strstr(f.error, cases[i].error));
		filters_free(&f);
	}
}

/* Given again an option adds to its values; kinds are apart. */
static void adds_up(void)
{
	struct filters f = { .error = "" };
	char own[16];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	CHECK(filters_add(&f, FILTERS_UID, "7,8") && filters_add(&f, FILTERS_UID, "root"));
	CHECK(filters_add(&f, FILTERS_PID, own) && filters_add(&f, FILTERS_COMM_NAME, "sh"));
	CHECK(filters_resolve(&f, NULL));
	CHECK(filters_count(&f, FILTERS_UID) == 3 && filters_count(&f, FILTERS_CGROUP) == 0);
	CHECK(filters_has(&f, FILTERS_UID, 7) && filters_has(&f, FILTERS_UID, 8));
	CHECK(filters_has(&f, FILTERS_UID, 0) && !filters_has(&f, FILTERS_UID, 1));
	CHECK(filters_has(&f, FILTERS_PID, (uint64_t)getpid()) && !filters_has(&f, FILTERS_PID, 7));
	CHECK(filters_has_comm(&f, "sh") && !filters_has_comm(&f, "s"));
	filters_free(&f);
}

static void says_what_is_not_there(void)
{
	static const struct {
		enum filters_kind kind;
		const char *value, *mount, *error;
	} absent[] = {
		{ FILTERS_UID, "no-such-user", NULL, "there is no user 'no-such-user'" },
		{ FILTERS_PID, "2147483647", NULL, "there is no process 2147483647" },
		{ FILTERS_CGROUP, "/a", NULL, "no cgroup v2 hierarchy" },
		{ FILTERS_CGROUP, "/no/such/dir", "/tmp", "there is no cgroup '/no/such/dir'" },
		{ FILTERS_CGROUP, "/", "/tmp", "'/' below /tmp is not a cgroup" },
		{ FILTERS_CGROUP, "/tmp", "/tmp", "'' below /tmp is not a cgroup" },
	};

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		struct filters f = { .error = "" };

		CHECK(filters_add(&f, absent[i].kind, absent[i].value));
		CHECK(!filters_resolve(&f, absent[i].mount));
		CHECK_CASE(absent[i].error, strstr(f.error, absent[i].error));
		filters_free(&f);
	}
}

int main(void)
{
	takes_lists();
	adds_up();
	says_what_is_not_there();
	return check_result();
}
