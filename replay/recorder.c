/* SPDX-License-Identifier: BSD-2-Clause */
#include "recorder.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "exectrace-record"

/* The directory of the running program with its final slash; 0 when not known. */
static size_t own_directory(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size);
	char *slash = n > 0 && (size_t)n < size ? memrchr(path, '/', (size_t)n) : NULL;

	return slash ? (size_t)(slash + 1 - path) : 0;
}

/* Whether the recorder is in this directory; its path is then in r. */
static bool is_in(struct recorder *r, const char *directory, size_t n, const char *relative)
{
	int len = snprintf(r->path, sizeof(r->path), "%.*s%s%s%s", (int)n, directory, relative,
			   *relative ? "/" : "", NAME);

	return len > 0 && (size_t)len < sizeof(r->path) && !access(r->path, F_OK);
}

int recorder_find(struct recorder *r, struct reason *why)
{
	static const char installed[] = EXECTRACE_LIBEXECDIR;
	char own[sizeof(r->path)];
	size_t n = own_directory(own, sizeof(own));

	/* One pair belongs together: never the recorder of another installation. */
	if (n ? is_in(r, own, n, "") || is_in(r, own, n, EXECTRACE_LIBEXEC_FROM_BIN)
	      : is_in(r, "", 0, installed))
		return 0;
	return reason_set(why, EXIT_FAILED,
			  "this build has no recorder: " NAME
			  " is neither beside exectrace nor in %.*s%s; "
			  "build it with libbpf, libelf, clang and bpftool",
			  (int)n, own, n ? EXECTRACE_LIBEXEC_FROM_BIN : installed);
}
