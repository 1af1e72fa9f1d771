/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landlock.c - a Landlock domain with no rule, or one: all that the running kernel
 * knows to forbid is forbidden. What is open already keeps the rights it was opened with.
 *
 * Numbers are written out, as the headers may be older than the kernel. They are
 * those of linux/landlock.h, and the calls have one number on all architectures.
 */
#include "landlock.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif
#ifndef __NR_landlock_add_rule
#define __NR_landlock_add_rule 445
#endif
#ifndef __NR_landlock_restrict_self
#define __NR_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1u

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

#define FS_FIRST 0x1fffu	/* execute, read, write, list, remove and make, each kind */
#define FS_REFER (1u << 13)
#define FS_TRUNCATE (1u << 14)
#define FS_IOCTL_DEV (1u << 15)
#define FS_READ_FILE (1u << 2)
#define RULE_PATH_BENEATH 1
#define NET_TCP 3u		/* bind and connect */
#define SCOPE_ABSTRACT_UNIX 1u
#define SCOPE_SIGNAL 2u

/* What each version of the interface added. A kernel refuses what it does not know. */
static const struct {
	int version;
	struct ruleset adds;
} versions[] = {
	{ 1, { .fs = FS_FIRST } },
	{ 2, { .fs = FS_REFER } },
	{ 3, { .fs = FS_TRUNCATE } },
	{ 4, { .net = NET_TCP } },
	{ 5, { .fs = FS_IOCTL_DEV } },
	{ 6, { .scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL } },
};

/* As the kernel has it, without padding. */
struct __attribute__((packed)) path_beneath {
	uint64_t allowed;
	int32_t folder;
};

static int restrict_self(int ruleset, int folder)
{
	const struct path_beneath rule = { FS_READ_FILE, folder };

	if (folder >= 0 &&
	    syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0))
		return errno;
	return syscall(__NR_landlock_restrict_self, ruleset, 0) ? errno : 0;
}

int landlock_enter(bool signals, int folder)
{
	long version = syscall(__NR_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	struct ruleset all = { 0 };
	int fd, error;

	if (version < 0)
		return errno;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (version < versions[i].version)
			break;
		all.fs |= versions[i].adds.fs;
		all.net |= versions[i].adds.net;
		all.scoped |= versions[i].adds.scoped;
	}
	if (signals)
		all.scoped &= ~(uint64_t)SCOPE_SIGNAL;
	/* Members that an old kernel does not have are 0 then, which it accepts. */
	fd = (int)syscall(__NR_landlock_create_ruleset, &all, sizeof(all), 0);
	if (fd < 0)
		return errno;
	error = restrict_self(fd, folder);
	close(fd);
	return error;
}
