/* SPDX-License-Identifier: BSD-2-Clause */
#include "lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroups.h"
#include "host.h"

/* Of getpwuid_r and getgrgid_r: a group of very many members has a large entry. */
#define ENTRY_FIRST 16384u
#define ENTRY_MAX (1u << 20)

struct question {
	uint64_t kind;
	uint64_t ids[LOOKUP_BATCH];
};

/* An answer is one byte, for none is not the end of the socket, and the name. */
struct answer {
	char mark;
	char name[LOOKUP_BYTES];
};

struct clerk {
	int fd;
	int cgroups; /* the hierarchy's root, -1: none */
	char *entry;
	size_t entry_size;
};

static bool give(const struct clerk *c, const char *name)
{
	struct answer a = { .mark = '=' };
	size_t len = name ? strlen(name) : 0;

	if (len > LOOKUP_BYTES)
		len = 0;
	if (len)
		memcpy(a.name, name, len);
	return write(c->fd, &a, 1 + len) == (ssize_t)(1 + len);
}

static bool grow(struct clerk *c)
{
	size_t size = c->entry_size * 2;
	char *entry = size > ENTRY_MAX ? NULL : realloc(c->entry, size);

	if (!entry)
		return false;
	c->entry = entry;
	c->entry_size = size;
	return true;
}

static const char *user_name(struct clerk *c, uint64_t id)
{
	struct passwd entry, *found = NULL;
	int ret;

	do
		ret = getpwuid_r((uid_t)id, &entry, c->entry, c->entry_size, &found);
	while (ret == EINTR || (ret == ERANGE && grow(c)));
	return !ret && found ? found->pw_name : NULL;
}

static const char *group_name(struct clerk *c, uint64_t id)
{
	struct group entry, *found = NULL;
	int ret;

	do
		ret = getgrgid_r((gid_t)id, &entry, c->entry, c->entry_size, &found);
	while (ret == EINTR || (ret == ERANGE && grow(c)));
	return !ret && found ? found->gr_name : NULL;
}

static bool give_cgroups(const struct clerk *c, const uint64_t *ids, size_t n)
{
	char *paths[LOOKUP_BATCH] = { NULL };
	bool ok = true;

	if (c->cgroups >= 0)
		cgroups_find(c->cgroups, ids, paths, n);
	for (size_t i = 0; i < n; i++) {
		ok = ok && give(c, paths[i]);
		free(paths[i]);
	}
	return ok;
}

static bool give_all(struct clerk *c, const struct question *q, size_t n)
{
	bool ok = true;

	if (q->kind == ID_CGROUP)
		return give_cgroups(c, q->ids, n);
	for (size_t i = 0; i < n && ok; i++)
		ok = give(c, q->kind == ID_USER ? user_name(c, q->ids[i])
						: group_name(c, q->ids[i]));
	return ok;
}

void lookup_serve(int fd)
{
	struct clerk c = { .fd = fd, .cgroups = -1, .entry_size = ENTRY_FIRST };
	char *mount = host_cgroup_mount();
	struct question q;
	ssize_t len;

	if (mount)
		c.cgroups = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(mount);
	c.entry = malloc(c.entry_size);
	while (c.entry && (len = read(fd, &q, sizeof(q))) > 0)
		if (!give_all(&c, &q, (size_t)len / sizeof(uint64_t) - 1))
			break;
	free(c.entry);
}

bool lookup_ask(int fd, enum id_kind kind, const uint64_t *ids, size_t n)
{
	struct question q = { .kind = kind };
	size_t len = (1 + n) * sizeof(uint64_t);

	memcpy(q.ids, ids, n * sizeof(*ids));
	return write(fd, &q, len) == (ssize_t)len;
}

int lookup_take(int fd, char name[LOOKUP_BYTES])
{
	struct answer a;
	ssize_t len;

	do
		len = read(fd, &a, sizeof(a));
	while (len < 0 && errno == EINTR);
	if (len <= 0)
		return -1;
	memcpy(name, a.name, (size_t)len - 1);
	return (int)len - 1;
}
