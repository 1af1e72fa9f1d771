/* SPDX-License-Identifier: BSD-2-Clause */
#include "copy.h"
#include "need.h"

#include <stdio.h>

const struct user users[N_USERS] = {
	{ "builder", 1000, 560 }, { "ann", 1001, 240 }, { "ben", 1002, 122 },
	{ "root", 0, 100 },       { "rare", 1003, 2 },
};

static const char *const projects[] = {
	"kettle", "harbour", "lantern", "orchard", "compass", "granite", "thimble", "meadow",
	"anvil",  "bramble", "cinder",  "drift",   "ember",   "fathom",  "gannet",  "heron",
};

static const struct user *user_of(uint32_t share)
{
	const struct user *user = users;

	while (share >= user->share)
		share -= user++->share;
	return user;
}

void copy_make(uint64_t seed, uint64_t number, struct copy *out)
{
	uint64_t salt = mix(seed, number), who = mix(salt, 1), where = mix(salt, 2);
	const struct user *user = user_of(pick(who, 1024));

	out->salt = salt;
	out->user = user;
	out->session = (uint32_t)who % SESSIONS;
	snprintf(out->tty, sizeof(out->tty), "pts/%u",
		 (uint32_t)(user - users) * SESSIONS + out->session);
	snprintf(out->root, sizeof(out->root), "%s%s/src/%s-%u.%u/build-%04x",
		 user->id ? "/home/" : "/", user->name, projects[where % 16], pick(where, 4),
		 (uint32_t)(where >> 8) % 30, (uint32_t)(where >> 16) & 0xffff);
}

/* As large as inode numbers of cgroups are on a machine that has been up for some days. */
uint64_t copy_cgroup(const struct user *user, uint32_t session)
{
	return 41000u + (uint64_t)user->id * 7 + session;
}

void copy_cgroup_path(const struct user *user, uint32_t session, char *path)
{
	snprintf(path, 64, "/user.slice/user-%u.slice/session-%u.scope", user->id,
		 session + 1);
}
