/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread without privilege: it has none when its creator goes on, and it never runs
 * where it could not give that up.
 */
#include "check.h"
#include "privilege.h"
#include "thread.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>

#define THREADS 200

/* ---- Giving up as it is seen here: the linker leads all calls to this --------------- */

static int refuse;		/* errno; 0: it is not refused */
static unsigned drops;		/* calls that are done: the creator reads it without a lock */
static uint64_t kept;

int __real_privilege_drop(uint64_t keep);
int __wrap_privilege_drop(uint64_t keep);

int __wrap_privilege_drop(uint64_t keep)
{
	int error = refuse ? refuse : __real_privilege_drop(keep);

	kept = keep;
	drops++;
	return error;
}

/* ---- Tests -------------------------------------------------------------------------- */

struct seen {
	unsigned runs;
	uint64_t effective;
	int no_new_privs;
};

static void look_around(void *arg)
{
	struct seen *s = arg;

	s->runs++;
	s->effective = privilege_effective();
	s->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static void test_drops(uint64_t keep)
{
	const uint64_t before = privilege_effective();
	const int before_nnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	struct seen s = { 0 };
	pthread_t thread;

	drops = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK(thread_start(&thread, keep, look_around, &s) == 0);
		CHECK(drops == i + 1 && kept == keep);
		pthread_join(thread, NULL);
	}
	CHECK(s.runs == THREADS && s.effective == (before & keep) && s.no_new_privs == 1);
	/* It is that thread's matter alone. */
	CHECK(privilege_effective() == before);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == before_nnp);
}

static void test_refused(void)
{
	struct seen s = { 0 };
	pthread_t thread;

	refuse = EPERM;
	CHECK(thread_start(&thread, 0, look_around, &s) == EPERM);
	refuse = 0;
	CHECK(s.runs == 0);
}

int main(void)
{
	test_drops(0);
	test_drops(PRIVILEGE_KILL);
	test_refused();
	return check_result();
}
