/* SPDX-License-Identifier: BSD-2-Clause */
#include "filters.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "proc.h"
#include "units.h"

#define PASSWD_MAX (1u << 20)

__attribute__((format(printf, 2, 3))) static bool fail(struct filters *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->error, sizeof(f->error), fmt, ap);
	va_end(ap);
	return false;
}

static bool no_memory(struct filters *f)
{
	return fail(f, "out of memory");
}

static bool is_number(const char *word)
{
	return word[strspn(word, "0123456789")] == '\0';
}

/* Whether a word can be meant, before anything is looked up. */
static bool check(struct filters *f, enum filters_kind kind, const char *word)
{
	uint64_t number;

	switch (kind) {
	case FILTERS_PID:
		return units_count(word, 1, INT_MAX, &number) ||
		       fail(f, "--pid: '%s' is not the number of a process", word);
	case FILTERS_UID:
		if (*word && (!is_number(word) || units_count(word, 0, UINT_MAX - 1, &number)))
			return true;
		return fail(f, "--uid: '%s' is not a user's number or name", word);
	case FILTERS_CGROUP:
		return *word || fail(f, "--cgroup: '' is not the path of a cgroup");
	default:
		if (*word && strlen(word) <= FILTERS_COMM)
			return true;
		return fail(f, "--comm: '%s' is not a name of 1 to %u bytes: the kernel keeps no "
			    "more of one", word, FILTERS_COMM);
	}
}

static bool add_word(struct filters *f, enum filters_kind kind, const char *text, size_t len)
{
	struct filters_list *l = &f->of[kind];
	char **words = reallocarray(l->words, l->n + 1, sizeof(*words));

	if (!words)
		return no_memory(f);
	l->words = words;
	words[l->n] = strndup(text, len);
	if (!words[l->n])
		return no_memory(f);
	return check(f, kind, words[l->n++]);
}

bool filters_add(struct filters *f, enum filters_kind kind, const char *value)
{
	for (;;) {
		size_t len = kind == FILTERS_CGROUP ? strlen(value) : strcspn(value, ",");

		if (!add_word(f, kind, value, len))
			return false;
		if (!value[len])
			return true;
		value += len + 1;
	}
}

static bool find_process(struct filters *f, const char *word, uint64_t *id)
{
	*id = proc_of_thread((uint32_t)strtoul(word, NULL, 10));
	return *id || fail(f, "--pid: there is no process %s", word);
}

static bool find_user(struct filters *f, const char *word, uint64_t *id)
{
	struct passwd entry, *found = NULL;
	size_t size = 16384;
	char *buf = NULL;
	int ret;

	if (is_number(word)) {
		*id = strtoul(word, NULL, 10);
		return true;
	}
	do {
		free(buf);
		buf = malloc(size);
		if (!buf)
			return no_memory(f);
		ret = getpwnam_r(word, &entry, buf, size, &found);
		size *= 2;
	} while (ret == EINTR || (ret == ERANGE && size <= PASSWD_MAX));
	free(buf);
	if (found)
		*id = entry.pw_uid;
	else if (ret)
		fail(f, "--uid: cannot look up user '%s': %s", word, strerror(ret));
	else
		fail(f, "--uid: there is no user '%s'", word);
	return found;
}

/* The id of a cgroup is the inode of its directory. The path may have the mount point. */
static bool find_cgroup(struct filters *f, const char *word, const char *mount, uint64_t *id)
{
	char path[PATH_MAX];
	struct statfs fs;
	struct stat st;
	size_t len;
	int n;

	if (!mount)
		return fail(f, "--cgroup: this machine has no cgroup v2 hierarchy mounted; those "
			    "of version 1 cannot be asked for");
	len = strlen(mount);
	if (strncmp(word, mount, len) == 0 && (word[len] == '/' || !word[len]))
		word += len;
	n = snprintf(path, sizeof(path), "%s/%s", mount, word);
	if (n < 0 || (size_t)n >= sizeof(path))
		return fail(f, "--cgroup: the path is too long");
	if (stat(path, &st) != 0 || statfs(path, &fs) != 0)
		return fail(f, "--cgroup: there is no cgroup '%s' below %s: %s", word, mount,
			    strerror(errno));
	if (!S_ISDIR(st.st_mode) || fs.f_type != CGROUP2_SUPER_MAGIC)
		return fail(f, "--cgroup: '%s' below %s is not a cgroup", word, mount);
	*id = st.st_ino;
	return true;
}

bool filters_resolve(struct filters *f, const char *cgroup_mount)
{
	for (unsigned kind = 0; kind < FILTERS_COMM_NAME; kind++) {
		struct filters_list *l = &f->of[kind];

		l->ids = calloc(l->n + 1, sizeof(*l->ids));
		if (!l->ids)
			return no_memory(f);
		for (size_t i = 0; i < l->n; i++) {
			const char *word = l->words[i];
			uint64_t *id = &l->ids[i];
			bool found = kind == FILTERS_PID ? find_process(f, word, id)
				     : kind == FILTERS_UID
					     ? find_user(f, word, id)
					     : find_cgroup(f, word, cgroup_mount, id);

			if (!found)
				return false;
		}
	}
	return true;
}

bool filters_has(const struct filters *f, enum filters_kind kind, uint64_t id)
{
	const struct filters_list *l = &f->of[kind];

	for (size_t i = 0; i < l->n; i++)
		if (l->ids[i] == id)
			return true;
	return false;
}

bool filters_has_comm(const struct filters *f, const char *comm)
{
	const struct filters_list *l = &f->of[FILTERS_COMM_NAME];

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->words[i], comm) == 0)
			return true;
	return false;
}

void filters_free(struct filters *f)
{
	for (unsigned kind = 0; kind < FILTERS_KINDS; kind++) {
		struct filters_list *l = &f->of[kind];

		for (size_t i = 0; i < l->n; i++)
			free(l->words[i]);
		free(l->words);
		free(l->ids);
		*l = (struct filters_list){ .n = 0 };
	}
}
