/* SPDX-License-Identifier: BSD-2-Clause */
/* What fdinfo says of programs that were skipped: read again and again, as it grows. */
#include "check.h"
#include "skips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void rewrite(int fd, const char *text)
{
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
}

int main(void)
{
	static const char head[] = "pos:\t0\nflags:\t02000002\nmnt_id:\t14\nino:\t9\n"
				   "prog_type:\t26\nprog_jited:\t1\nrun_cnt:\t99\n";
	char paths[SKIPS_MAX][32], text[256];
	int fds[SKIPS_MAX];
	struct skips s = { 0 };

	CHECK(skips_read(&s) == 0);
	CHECK(skips_watch(&s, "/nonexistent/fdinfo") == -ENOENT);
	CHECK(skips_read(&s) == 0);
	for (unsigned i = 0; i < SKIPS_MAX; i++) {
		strcpy(paths[i], "/tmp/exectrace-test-XXXXXX");
		fds[i] = mkstemp(paths[i]);
		CHECK(fds[i] >= 0);
		rewrite(fds[i], head);
		CHECK(skips_watch(&s, paths[i]) == 0);
		CHECK(unlink(paths[i]) == 0);
	}
	CHECK(skips_watch(&s, "/dev/null") == -ENOSPC);

	/* An older kernel's have no such line. */
	CHECK(skips_read(&s) == 0);
	snprintf(text, sizeof(text), "%srecursion_misses:\t%s\n", head, "7");
	rewrite(fds[0], text);
	CHECK(skips_read(&s) == 7);
	snprintf(text, sizeof(text), "%srecursion_misses:\t%s\nverified_insns:\t5\n", head,
		 "18446744073709551608");
	rewrite(fds[1], text);
	CHECK(skips_read(&s) == UINT64_MAX);
	/* Not a line of that name. */
	snprintf(text, sizeof(text), "%sno_recursion_misses:\t4\n", head);
	rewrite(fds[1], text);
	rewrite(fds[2], "");
	CHECK(skips_read(&s) == 7);
	for (unsigned i = 0; i < SKIPS_MAX; i++)
		close(fds[i]);
	skips_close(&s);
	CHECK(skips_read(&s) == 0);
	return check_result();
}
