/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.h - what tells one copy of a build from another: who makes it, and where.
 *
 * The machine that is made up has a few users, of whom one is rarely there, so that
 * a common user, a rare one and one who is absent are questions of different cost.
 */
#ifndef BENCH_COPY_H
#define BENCH_COPY_H

#include <stdint.h>

struct user {
	const char *name;
	uint32_t id;		/* of user and group */
	uint32_t share;		/* of 1024 copies */
};

#define N_USERS 5
extern const struct user users[N_USERS];

#define SESSIONS 4		/* of each user */

struct copy {
	uint64_t salt;		/* its own number by chance */
	const struct user *user;
	uint32_t session;	/* of logins */
	char tty[16];
	char root[96];		/* the directory of the build */
};

void copy_make(uint64_t seed, uint64_t number, struct copy *out);
uint64_t copy_cgroup(const struct user *user, uint32_t session);
/* As CGROUPS has it; room for 64 bytes. */
void copy_cgroup_path(const struct user *user, uint32_t session, char *path);

#endif
